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

/** NLL of one text in nats. */
export interface TextNll {
  readonly owner: string;
  readonly bytes: number;
  readonly nats: number;
}

export function bitsPerByte(texts: readonly TextNll[]): Interval | undefined {
  return bootstrap(texts.map(({ owner, bytes, nats }) => ({ cluster: owner, value: nats / Math.LN2, weight: bytes })));
}

/** By which share of itself the NLL of the same texts changes. @param before in nats, as `nats` is */
export function relativeNll(
  texts: readonly (Pick<TextNll, 'owner' | 'nats'> & { readonly before: number })[],
): Interval | undefined {
  return bootstrap(texts.map(({ owner, nats, before }) => ({ cluster: owner, value: nats - before, weight: before })));
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
