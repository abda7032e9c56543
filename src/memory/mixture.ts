import type { MemoryWeights, KnnWeights } from '../model/manifest';
import { summarise } from '../model/softmax';
import { sigmoid } from '../numbers';
import { bucketOf, predict, type Prediction, type CacheHit } from './prediction';
import { knnGateInputs, knnGate, type KnnDistribution } from './knn';
import type { OpenIdentifier } from './identifiers';

/** What the gate looks at besides the length of the match, in the order of their weights' names. */
export const GATE_INPUTS = [
  'count',
  'agreement',
  'choices',
  'entropy',
  'certainty',
  'logprobOfHit',
  'sameTop1',
  'insideIdentifier',
  'consistentSpellings',
  'unread',
] as const;
export type GateInputs = Record<(typeof GATE_INPUTS)[number], number>;

/** The decoder's own opinion about the next token. */
export interface DecoderView {
  /** In nats. */
  readonly entropy: number;
  /** Its most probable token, and log p of that. */
  readonly token: number;
  readonly logprob: number;
  /** log p of the memory's most probable token. */
  readonly logprobOfHit: number;
}

/** A token that the decoder all but rules out is ruled out alike below this, in nats. */
const MIN_LOGPROB = -12;

/** The gate's inputs, all of the size of one. */
export function gateInputs(
  prediction: Prediction,
  hits: readonly CacheHit[],
  view: DecoderView,
  word: OpenIdentifier,
): GateInputs {
  const first = prediction.entries[0];
  const spellings = consistentSpellings(hits, word);
  return {
    count: Math.log(prediction.count),
    agreement: first?.share ?? 0,
    choices: Math.log(prediction.entries.length),
    entropy: view.entropy,
    certainty: view.logprob,
    // Of a name that it never saw the decoder's opinion says nothing.
    logprobOfHit: spellings > 0 ? 0 : Math.max(MIN_LOGPROB, view.logprobOfHit),
    sameTop1: first?.token === view.token ? 1 : 0,
    insideIdentifier: word.tokens > 0 ? 1 : 0,
    consistentSpellings: Math.log1p(spellings),
    unread: hits.some(({ token, read }) => read === true && token === first?.token) ? 0 : 1,
  };
}

/**
 * How often the identifier that is being written was written elsewhere from its beginning on, if it went on in one way only: by
 * the same token, or not at all. Then it is the name that stands there, however unlikely the decoder, which never saw it,
 * takes it to be.
 */
export function consistentSpellings(hits: readonly CacheHit[], word: OpenIdentifier): number {
  if (word.tokens === 0) return 0;
  let times = 0;
  let next: number | undefined;
  for (const { token, length } of hits) {
    // One more than the word's tokens: it begins there, too.
    if (length <= word.tokens) continue;
    const way = word.continuesWord(token) ? token : -1;
    if (times > 0 && way !== next) return 0;
    next = way;
    times++;
  }
  return times;
}

/** λ, the memory gate: the weight of the memory in the next token, a logistic function of the match and of what the decoder thinks of it. */
export function memoryGate(prediction: Prediction, inputs: GateInputs, { lengths, gate }: MemoryWeights): number {
  let score = gate.length[bucketOf(prediction.maxLength, lengths)] ?? 0;
  for (const name of GATE_INPUTS) score += gate[name] * inputs[name];
  return sigmoid(score);
}

/**
 * p = (1 − λ) ((1 − κ) p_decoder + κ p_knn) + λ p_memory.
 * @param logits the decoder's, [vocabulary]
 * @param word in which the context ends
 * @param knn what followed similar hidden states, where some have been read
 * @returns log p of each token, [vocabulary]: the decoder's without hits
 */
export function mix(
  logits: Float32Array,
  hits: readonly CacheHit[],
  word: OpenIdentifier,
  weights: MemoryWeights,
  knn?: KnnDistribution,
): Float32Array {
  const prediction = predict(hits, weights);
  const { knn: knnWeights } = weights;
  if (!prediction) return mixKnn(logits, knnWeights, knn);
  const { total, entropy, token } = summarise(logits);
  const logprobOf = (id: number) => (logits[id] ?? -Infinity) - total;
  const view = {
    entropy,
    token,
    logprob: logprobOf(token),
    logprobOfHit: logprobOf(prediction.entries[0]?.token ?? 0),
  };
  const lambda = memoryGate(prediction, gateInputs(prediction, hits, view, word), weights);
  const kappa = knnWeights && knn ? knnGate(knnGateInputs(knn, view), knnWeights) : 0;
  const added = new Map<number, number>();
  if (kappa > 0) for (const [id, share] of knn?.shares ?? []) added.set(id, (1 - lambda) * kappa * share);
  for (const { token: id, share } of prediction.entries) added.set(id, (added.get(id) ?? 0) + lambda * share);
  return blend(logits, total, Math.log1p(-lambda) + Math.log1p(-kappa), added);
}

/**
 * p = (1 − κ) p_decoder + κ p_knn: without the n-gram cache, or where it has no hit.
 * @param logits the decoder's, [vocabulary]
 * @param knnWeights weights of κ, where the bundle has some
 * @param knn what followed similar hidden states, where some have been read
 * @returns log p of each token, [vocabulary]
 */
export function mixKnn(
  logits: Float32Array,
  knnWeights: KnnWeights | undefined,
  knn: KnnDistribution | undefined,
): Float32Array {
  if (!knnWeights || !knn) return normalise(logits).logprobs;
  const { total, entropy, token } = summarise(logits);
  const view = { entropy, token, logprob: (logits[token] as number) - total };
  const kappa = knnGate(knnGateInputs(knn, view), knnWeights);
  const added = new Map([...knn.shares].map(([id, share]) => [id, kappa * share]));
  return blend(logits, total, Math.log1p(-kappa), added);
}

/** log of the decoder's p, of which a share is left (as a logarithm), and of what is added to some tokens' p. */
function blend(logits: Float32Array, total: number, left: number, added: ReadonlyMap<number, number>): Float32Array {
  const logprobs = minus(logits, total - left);
  for (const [id, share] of added) logprobs[id] = Math.log(Math.exp(logprobs[id] as number) + share);
  return logprobs;
}

/** log softmax of logits, its entropy in nats, and its most probable token. */
export function normalise(logits: Float32Array): { logprobs: Float32Array; entropy: number; token: number } {
  const { total, entropy, token } = summarise(logits);
  return { logprobs: minus(logits, total), entropy, token };
}

function minus(values: Float32Array, by: number): Float32Array {
  const less = new Float32Array(values.length);
  for (let i = 0; i < less.length; i++) less[i] = (values[i] as number) - by;
  return less;
}
