import type { MemoryWeights } from '../model/manifest';

/** A cache hit: where the end of the context occurred before, and what followed there. */
export interface CacheHit {
  readonly token: number;
  /** Tokens that the two contexts share at their ends. */
  readonly length: number;
  /** Tokens between there and the cursor, counted through all texts that are remembered. */
  readonly distance: number;
  /** Whether it stands in the file of the cursor. */
  readonly own: boolean;
  /** Whether it is so near before the cursor that the decoder has read it. */
  readonly read?: boolean;
}

/** The longest match: how a text went on elsewhere, after a context whose last `length` tokens are the same there. */
export interface LongestMatch {
  readonly tokens: readonly number[];
  readonly length: number;
}

/** A distribution over the tokens that followed elsewhere. */
export interface Prediction {
  /** The most probable first. */
  readonly entries: readonly { readonly token: number; readonly share: number }[];
  /** Tokens of the longest matching context. */
  readonly maxLength: number;
  /** Hits of that length. */
  readonly count: number;
}

/** Index of the last bucket that begins at or below a length. */
export function bucketOf(length: number, lengths: readonly number[]): number {
  let bucket = 0;
  while (bucket + 1 < lengths.length && length >= (lengths[bucket + 1] as number)) bucket++;
  return bucket;
}

/** The weight of a hit, as a logarithm: the longer its context and the nearer it is, the more. */
export function scoreOf(hit: CacheHit, { lengths, hitWeights: weights }: MemoryWeights): number {
  const { length, distance, own } = hit;
  return (
    (weights.length[bucketOf(length, lengths)] ?? 0) + weights.distance * Math.log(distance) + (own ? weights.own : 0)
  );
}

/**
 * The distribution that hits give: a softmax of their scores, summed by token, as the neighbours of a kNN-LM
 * (Khandelwal et al. 2020) are by their distances; here the distance is learned.
 * @returns undefined without hits
 */
export function predict(hits: readonly CacheHit[], weights: MemoryWeights): Prediction | undefined {
  if (hits.length === 0) return undefined;
  const scores = hits.map((hit) => scoreOf(hit, weights));
  const max = Math.max(...scores);
  const shares = new Map<number, number>();
  let total = 0;
  let maxLength = 0;
  let count = 0;
  hits.forEach(({ token, length }, i) => {
    const share = Math.exp((scores[i] as number) - max);
    total += share;
    shares.set(token, (shares.get(token) ?? 0) + share);
    if (length > maxLength) [maxLength, count] = [length, 0];
    if (length === maxLength) count++;
  });
  const entries = [...shares].map(([token, share]) => ({ token, share: share / total }));
  return { entries: entries.sort((a, b) => b.share - a.share), maxLength, count };
}
