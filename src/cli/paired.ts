/** One scored text under two arms: the difference of their NLL, and the size of the text in the unit wanted. */
export interface PairedItem {
  /** Nats of one arm minus nats of the other. */
  readonly difference: number;
  /** Tokens, bytes, …: what the mean is taken over. */
  readonly size: number;
  /** Items of one cluster are not independent of each other: a file, a package. */
  readonly cluster: string;
}

export interface PairedMean {
  /** Σ difference / Σ size. */
  readonly mean: number;
  /** Its standard error over clusters; undefined for fewer than two clusters. */
  readonly error: number | undefined;
  readonly items: number;
  readonly clusters: number;
}

/**
 * Mean paired difference per unit, with its cluster-robust standard error: the mean is a ratio of two sums over
 * clusters, linearised as usual (Cochran, Sampling Techniques, §2.11 and §9A).
 * @returns undefined without items
 */
export function pairedMean(items: readonly PairedItem[]): PairedMean | undefined {
  const clusters = new Map<string, { difference: number; size: number }>();
  for (const { difference, size, cluster } of items) {
    const sum = clusters.get(cluster) ?? { difference: 0, size: 0 };
    clusters.set(cluster, { difference: sum.difference + difference, size: sum.size + size });
  }
  const sums = [...clusters.values()];
  const size = sums.reduce((sum, cluster) => sum + cluster.size, 0);
  if (size === 0) return undefined;
  const mean = sums.reduce((sum, cluster) => sum + cluster.difference, 0) / size;
  const squares = sums.reduce((sum, cluster) => sum + (cluster.difference - mean * cluster.size) ** 2, 0);
  const k = sums.length;
  const error = k < 2 ? undefined : Math.sqrt((k / (k - 1)) * squares) / size;
  return { mean, error, items: items.length, clusters: k };
}
