/** Several thoughts at one window: what each writes, and how probable a text is under all of them. */
import type { DecodeOptions } from './decodeOptions';
import { consume, logProbability } from './heal';
import { beginning, end, expand, unfinished, type AgreedCandidate, type Candidate, type Step } from './hypothesis';
import { mixed, tokensOf, type ConditionedWindow, type Ensemble } from './prepared';

/**
 * What each thought writes greedily, all of them in one batch. The trunk's caches are shared: K thoughts cost K tops.
 * `distinctFirstTokens`: the k-th thought begins with its k-th most probable token. Samples of one posterior are so near to each other that
 * they write the same text nearly always; alternatives have to be distinct.
 * @returns one candidate a thought, in their order; undefined if it was aborted between two runs
 */
export async function decodeEach(ensemble: Ensemble, options: DecodeOptions): Promise<Candidate[] | undefined> {
  const { decoder, tokenizer, thoughts, healed, mix } = ensemble;
  const { cursor, endTokens, maxTokens, signal, distinctFirstTokens } = options;
  decoder.keep(thoughts.length + 1);
  let logits: Float32Array[] = [];
  for (const thought of thoughts) {
    const row = await decoder.logits(tokensOf(ensemble), thought, 1, signal);
    if (!row) return undefined;
    logits.push(row);
  }
  const branches = decoder.branchEach(thoughts, maxTokens);
  const done: (Candidate | undefined)[] = thoughts.map(() => undefined);
  let live = thoughts.map(() => beginning(healed));
  for (let length = 1; ; length++) {
    if (signal?.aborted) return undefined;
    const steps = live.map((hypothesis, i) => {
      const window = { ...ensemble, thought: thoughts[i]! };
      const hiddenKey = length > 1 ? branches.hiddenKey(i) : undefined;
      const row = mixed(window, logits[i]!, hypothesis.tokens, hiddenKey);
      const rank = distinctFirstTokens && length === 1 ? i : 0;
      // Where healing allows few tokens, the last of them stands for those that are wanting.
      return expand([hypothesis], [row], tokenizer, { width: rank + 1, endTokens, mix }).at(-1) as Step;
    });
    steps.forEach((step, i) => (done[i] ??= end(step, options)));
    // A hypothesis that has ended goes on with the others, so that the batch keeps its shape; nobody reads it.
    live = steps;
    if (length === maxTokens || done.every((candidate) => candidate !== undefined)) break;
    const all = await branches.append(steps.map(({ token }) => token));
    const size = all.length / thoughts.length;
    logits = thoughts.map((_, i) => all.subarray(i * size, (i + 1) * size));
  }
  return live.map((hypothesis, i) => done[i] ?? unfinished(hypothesis, cursor));
}

/**
 * Candidates under the posterior predictive: log 1/K Σ_k p(y | z_k, x) of each whole sequence y, not a vote of tokens.
 * @param written what each thought wrote; @param others candidates from elsewhere (a beam)
 * @returns each sequence once, the most probable first
 */
export async function marginalise(
  ensemble: Ensemble,
  written: readonly Candidate[],
  others: readonly Candidate[],
): Promise<AgreedCandidate[]> {
  const known = new Map<string, { candidate: Candidate; times: number }>();
  for (const [i, candidate] of [...written, ...others].entries()) {
    const key = candidate.tokens.join(' ');
    const times = (known.get(key)?.times ?? 0) + (i < written.length ? 1 : 0);
    known.set(key, { candidate, times });
  }
  const { thoughts } = ensemble;
  const sequences = [...known.values()];
  const logprobs: number[][] = sequences.map(() => []);
  for (const thought of new Set(thoughts)) {
    for (const [i, { candidate }] of sequences.entries()) {
      logprobs[i]?.push(await sequenceLogprob({ ...ensemble, thought }, candidate.tokens));
    }
  }
  const candidates = sequences.map(({ candidate, times }, i) => ({
    ...candidate,
    logprob: logMeanExp(logprobs[i] ?? []),
    logprobs: logprobs[i],
    marks: undefined,
    agreement: times / thoughts.length,
  }));
  return candidates.sort((a, b) => b.logprob - a.logprob);
}

/** log p of a sequence after the window under its thought, given the bytes that healing took back, in nats. */
export async function sequenceLogprob(window: ConditionedWindow, tokens: readonly number[]): Promise<number> {
  const { decoder, tokenizer, thought, healed } = window;
  const logits = await decoder.logits(tokensOf(window, tokens.slice(0, -1)), thought, tokens.length);
  const size = logits.length / tokens.length;
  let pendingBytes = healed.pendingBytes;
  let sum = 0;
  tokens.forEach((token, i) => {
    const row = mixed(window, logits.subarray(i * size, (i + 1) * size), tokens.slice(0, i));
    sum += logProbability(row, token, pendingBytes, tokenizer);
    pendingBytes = consume(pendingBytes, tokenizer.bytes(token)).pendingBytes;
  });
  return sum;
}

/** log of the mean of e^x. */
export function logMeanExp(values: readonly number[]): number {
  const max = Math.max(...values);
  if (max === -Infinity) return -Infinity;
  return max + Math.log(values.reduce((sum, value) => sum + Math.exp(value - max), 0) / values.length);
}
