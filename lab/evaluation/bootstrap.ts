import { randomFrom } from '../../src/model/random';

/** A figure of one item: its part of the sum, and of what the sum is divided by. */
export interface Part {
  readonly cluster: string;
  readonly value: number;
  readonly weight: number;
}

export interface Interval {
  /** Σ value / Σ weight. */
  readonly mean: number;
  /** 95 % bootstrap interval over clusters. */
  readonly low: number;
  readonly high: number;
}

const DRAWS = 2000;

/**
 * Mean of items with its 95 % interval: clusters (repositories) are drawn with replacement, percentile method (Efron &
 * Tibshirani 1993, §13). The same draws every time.
 * @returns undefined without items
 */
export function bootstrap(parts: readonly Part[], draws = DRAWS): Interval | undefined {
  const clusters = new Map<string, { value: number; weight: number }>();
  for (const { cluster, value, weight } of parts) {
    const sum = clusters.get(cluster) ?? { value: 0, weight: 0 };
    clusters.set(cluster, { value: sum.value + value, weight: sum.weight + weight });
  }
  const sums = [...clusters.values()];
  const mean = ratio(sums);
  if (mean === undefined) return undefined;
  const random = randomFrom(1);
  const means: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const drawn = sums.map(() => sums[Math.floor(random() * sums.length)] as (typeof sums)[number]);
    means.push(ratio(drawn) ?? mean);
  }
  means.sort((a, b) => a - b);
  const at = (share: number) => means[Math.round(share * (means.length - 1))] ?? mean;
  return { mean, low: at(0.025), high: at(0.975) };
}

/** A share as a signed percentage with its interval, of one decimal. */
export function signedPercent(interval: Interval | undefined): string {
  const signed = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(100 * value).toFixed(1)}`;
  return interval ? `${signed(interval.mean)} (${signed(interval.low)} to ${signed(interval.high)})` : '–';
}

function ratio(sums: readonly { value: number; weight: number }[]): number | undefined {
  let value = 0;
  let weight = 0;
  for (const sum of sums) {
    value += sum.value;
    weight += sum.weight;
  }
  return weight === 0 ? undefined : value / weight;
}
