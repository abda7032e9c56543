import type { MemoryWeights } from '../model/manifest';

/** A place at which the end of the context occurred, and what followed there. */
export interface Recollection {
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

/** How a text went on elsewhere, after a context whose last `length` tokens are the same there. */
export interface Occurrence {
  readonly tokens: readonly number[];
  readonly length: number;
}

/** A distribution over the tokens that followed elsewhere. */
export interface Prediction {
  /** The most probable first. */
  readonly entries: readonly { readonly token: number; readonly share: number }[];
  /** Tokens of the longest matching context. */
  readonly longest: number;
  /** Recollections of that length. */
  readonly count: number;
}

/** Index of the last bucket that begins at or below a length. */
export function bucketOf(length: number, lengths: readonly number[]): number {
  let bucket = 0;
  while (bucket + 1 < lengths.length && length >= (lengths[bucket + 1] as number)) bucket++;
  return bucket;
}

/** What a recollection counts, as a logarithm: the longer its context and the nearer it is, the more. */
export function scoreOf(recollection: Recollection, { lengths, recollection: weights }: MemoryWeights): number {
  const { length, distance, own } = recollection;
  return (
    (weights.length[bucketOf(length, lengths)] ?? 0) + weights.distance * Math.log(distance) + (own ? weights.own : 0)
  );
}

/**
 * The distribution that recollections give: a softmax of their scores, summed by token, as the neighbours of a kNN-LM
 * (Khandelwal et al. 2020) are by their distances; here the distance is learned.
 * @returns undefined without recollections
 */
export function predict(recollections: readonly Recollection[], weights: MemoryWeights): Prediction | undefined {
  if (recollections.length === 0) return undefined;
  const scores = recollections.map((recollection) => scoreOf(recollection, weights));
  const most = Math.max(...scores);
  const shares = new Map<number, number>();
  let total = 0;
  let longest = 0;
  let count = 0;
  recollections.forEach(({ token, length }, i) => {
    const share = Math.exp((scores[i] as number) - most);
    total += share;
    shares.set(token, (shares.get(token) ?? 0) + share);
    if (length > longest) [longest, count] = [length, 0];
    if (length === longest) count++;
  });
  const entries = [...shares].map(([token, share]) => ({ token, share: share / total }));
  return { entries: entries.sort((a, b) => b.share - a.share), longest, count };
}
