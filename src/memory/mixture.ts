import type { MemoryWeights } from '../model/manifest';
import { bucketOf, predict, type Prediction, type Recollection } from './prediction';

/** What the gate looks at besides the length of the match, in the order of their weights' names. */
export const GATE_INPUTS = ['count', 'agreement', 'choices', 'entropy', 'certainty', 'doubt', 'same'] as const;
export type GateInputs = Record<(typeof GATE_INPUTS)[number], number>;

/** The decoder's own opinion about the next token. */
export interface DecoderView {
  /** In nats. */
  readonly entropy: number;
  /** Its most probable token, and log p of that. */
  readonly token: number;
  readonly logprob: number;
  /** log p of the memory's most probable token. */
  readonly ofMemory: number;
}

/** A token that the decoder all but rules out is ruled out alike below this, in nats. */
const LEAST = -12;

/** The gate's inputs, all of the size of one. */
export function gateInputs(prediction: Prediction, view: DecoderView): GateInputs {
  const first = prediction.entries[0];
  return {
    count: Math.log(prediction.count),
    agreement: first?.share ?? 0,
    choices: Math.log(prediction.entries.length),
    entropy: view.entropy,
    certainty: view.logprob,
    doubt: Math.max(LEAST, view.ofMemory),
    same: first?.token === view.token ? 1 : 0,
  };
}

/** λ, the share of the memory in the next token: a logistic function of the match and of what the decoder thinks of it. */
export function share(prediction: Prediction, inputs: GateInputs, { lengths, gate }: MemoryWeights): number {
  let score = gate.length[bucketOf(prediction.longest, lengths)] ?? 0;
  for (const name of GATE_INPUTS) score += gate[name] * inputs[name];
  return 1 / (1 + Math.exp(-score));
}

/**
 * p = (1 − λ) p_decoder + λ p_memory.
 * @param logits the decoder's, [vocabulary]
 * @returns log p of each token, [vocabulary]; what was recalled for nothing changes nothing
 */
export function mix(
  logits: Float32Array,
  recollections: readonly Recollection[],
  weights: MemoryWeights,
): Float32Array {
  const prediction = predict(recollections, weights);
  if (!prediction) return logits;
  const { logprobs, entropy, token } = normalise(logits);
  const first = prediction.entries[0]?.token ?? 0;
  const view = { entropy, token, logprob: logprobs[token] ?? 0, ofMemory: logprobs[first] ?? LEAST };
  const lambda = share(prediction, gateInputs(prediction, view), weights);
  const decoder = Math.log1p(-lambda);
  const recalled = prediction.entries.map(({ token, share }) => ({
    token,
    logprob: Math.log((1 - lambda) * Math.exp(logprobs[token] ?? -Infinity) + lambda * share),
  }));
  for (let i = 0; i < logprobs.length; i++) logprobs[i] = (logprobs[i] as number) + decoder;
  for (const { token, logprob } of recalled) logprobs[token] = logprob;
  return logprobs;
}

/** log softmax of logits, its entropy in nats, and its most probable token. */
export function normalise(logits: Float32Array): { logprobs: Float32Array; entropy: number; token: number } {
  let token = 0;
  for (let i = 1; i < logits.length; i++) if ((logits[i] as number) > (logits[token] as number)) token = i;
  const most = logits[token] as number;
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < logits.length; i++) {
    const above = (logits[i] as number) - most;
    const weight = Math.exp(above);
    sum += weight;
    if (weight > 0) weighted += weight * above;
  }
  const total = Math.log(sum);
  const logprobs = new Float32Array(logits.length);
  for (let i = 0; i < logits.length; i++) logprobs[i] = (logits[i] as number) - most - total;
  return { logprobs, entropy: total - weighted / sum, token };
}
