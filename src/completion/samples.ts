import type { Conditioning, Decoder } from '../model/decoder';
import type { Tokenizer } from '../model/tokenizer';
import { plainAround } from './around';
import { decode } from './decode';
import type { DecodeOptions } from './decodeOptions';
import { consume, logProbability, type HealedPrompt } from './heal';
import { beginning, end, expand, unfinished, type Candidate, type Step } from './hypothesis';

/** A candidate, and the share of the thoughts that would have written it themselves. */
export interface AgreedCandidate extends Candidate {
  readonly agreement: number;
  /** log p under each thought in nats, where there are several. */
  readonly logprobs?: readonly number[] | undefined;
}

/** One window under several thoughts. */
export interface Ensemble {
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  /** Samples of the posterior over the thought. */
  readonly thoughts: readonly Conditioning[];
  /** Tokens of the window before the healed prefix. */
  readonly head: readonly number[];
  readonly healed: HealedPrompt;
}

/**
 * What each thought writes greedily, all of them in one batch. The trunk's caches are shared: K thoughts cost K tops.
 * `distinctFirstTokens`: the k-th thought begins with its k-th most probable token. Samples of one posterior are so near to each other that
 * they write the same text nearly always; who wants to choose among texts wants different ones.
 * @returns one candidate a thought, in their order; undefined if it was aborted between two runs
 */
export async function decodeEach(
  { decoder, tokenizer, thoughts, head, healed }: Ensemble,
  options: DecodeOptions,
): Promise<Candidate[] | undefined> {
  const { cursor, maxTokens, signal, mix, distinctFirstTokens, around = plainAround(head) } = options;
  const window = [...head, ...healed.tokens];
  decoder.keep(thoughts.length + 1);
  let logits: Float32Array[] = [];
  for (const thought of thoughts) {
    const row = await decoder.logits(window, thought, 1, signal);
    if (!row) return undefined;
    logits.push(row);
  }
  const branches = decoder.branchEach(thoughts, maxTokens);
  const done: (Candidate | undefined)[] = thoughts.map(() => undefined);
  let live = thoughts.map(() => beginning(healed));
  for (let length = 1; ; length++) {
    if (signal?.aborted) return undefined;
    const steps = live.map((hypothesis, i) => {
      const row = logits[i] as Float32Array;
      const hiddenKey = length > 1 ? branches.hiddenKey(i) : undefined;
      const written = [...healed.tokens, ...hypothesis.tokens];
      const { rows } = around;
      const state = { thought: thoughts[i] as Conditioning, rows, row: head.length + written.length - 1, hiddenKey };
      const mixed = mix?.(row, around.context(written), state) ?? row;
      const rank = distinctFirstTokens && length === 1 ? i : 0;
      // Where healing allows few tokens, the last of them stands for those that are wanting.
      return expand([hypothesis], [mixed], tokenizer, { ...options, width: rank + 1 }).at(-1) as Step;
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
  options: Pick<DecodeOptions, 'mix' | 'around'>,
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
      logprobs[i]?.push(await sequenceLogprob(ensemble, thought, candidate.tokens, options));
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

/** log p of a sequence after the window under one thought, given the bytes that healing took back, in nats. */
export async function sequenceLogprob(
  { decoder, tokenizer, head, healed }: Ensemble,
  thought: Conditioning,
  tokens: readonly number[],
  { mix, around = plainAround(head) }: Pick<DecodeOptions, 'mix' | 'around'>,
): Promise<number> {
  const window = [...head, ...healed.tokens];
  const logits = await decoder.logits([...window, ...tokens.slice(0, -1)], thought, tokens.length);
  const size = logits.length / tokens.length;
  let pendingBytes = healed.pendingBytes;
  let sum = 0;
  tokens.forEach((token, i) => {
    const row = logits.subarray(i * size, (i + 1) * size);
    const written = [...healed.tokens, ...tokens.slice(0, i)];
    const state = { thought, rows: around.rows, row: head.length + written.length - 1 };
    const mixed = mix?.(row, around.context(written), state) ?? row;
    sum += logProbability(mixed, token, pendingBytes, tokenizer);
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

/**
 * The candidates for a place: those of a beam under one thought, or of all thoughts, ranked by how probable they are.
 * @param copy a text from elsewhere as an alternative to those of several thoughts: it comes second, behind the thoughts' best
 * @returns undefined if it was aborted between two tokens
 */
export async function candidatesOf(
  ensemble: Ensemble,
  options: DecodeOptions,
  copy?: Candidate,
): Promise<AgreedCandidate[] | undefined> {
  const { decoder, tokenizer, thoughts, head, healed } = ensemble;
  const [thought] = thoughts;
  if (!thought) throw new RangeError('no thought to decode under');
  const several = thoughts.length > 1;
  const written = several ? await decodeEach(ensemble, options) : [];
  if (!written) return undefined;
  const others = copy ? [copy] : [];
  if (several && options.width === 1)
    return insertCopySecond(copy, await marginalise(ensemble, written, others, options));
  const beam = await decode(decoder, tokenizer, thought, head, healed, options);
  if (!beam) return undefined;
  if (several) return insertCopySecond(copy, await marginalise(ensemble, written, [...beam, ...others], options));
  return beam.map((candidate, i) => ({ ...candidate, agreement: i === 0 ? 1 : 0 }));
}

/**
 * Ranked candidates with a copy put second, unless a thought wrote it and it is the first. By its p alone a copy is not put
 * first: what ends where the text that was copied ends has not had to say so, and is probable by being short.
 */
function insertCopySecond(copy: Candidate | undefined, ranked: AgreedCandidate[]): AgreedCandidate[] {
  const at = ranked.findIndex(({ text }) => text === copy?.text);
  if (at > 1 || (at === 0 && ranked[0]?.agreement === 0)) ranked.splice(1, 0, ...ranked.splice(at, 1));
  return ranked;
}
