import type { KnnWeights } from '../model/manifest';
import { cosinesTo, type HiddenKeyRows, type Products, type DatastoreEntry } from '../model/hiddenKeys';
import { sigmoid } from '../numbers';
import type { DecoderView } from './mixture';

/** The kNN distribution: what followed where the hidden state was similar to the one at hand. */
export interface KnnDistribution {
  /** The share of each token. */
  readonly shares: ReadonlyMap<number, number>;
  /** The cosine between the state at hand and the nearest one, and the share of the token that followed that one. */
  readonly nearest: number;
  readonly nearestTokenShare: number;
}

/** The inputs of the kNN gate, in the order of its weights' names. */
export const KNN_GATE_INPUTS = ['bias', 'nearest', 'entropy', 'certainty', 'agreement', 'nearestTokenShare'] as const;
export type KnnGateInputs = Record<(typeof KNN_GATE_INPUTS)[number], number>;

/** By which cosines are multiplied where weights are fitted: from 15 to 30 no difference was measurable (docs/experiments). */
export const INVERSE_TEMPERATURE = 22;

/** Neighbours whose share is less than this part of the nearest's are left out. */
const MIN_SHARE = Math.exp(-7);

/**
 * The distribution of the tokens that followed similar hidden states: a softmax of cosines over everything that has been read, as in the
 * continuous cache of Grave et al. (2017) and the nearest neighbours of Khandelwal et al. (2020). What is the same word for word
 * the n-gram cache finds without it; this finds what the decoder takes for the same.
 * @param hiddenKey of the state at hand, one row
 * @param inverseTemperature by which cosines are multiplied
 * @returns undefined where nothing has been read
 */
export function knnDistribution(
  hiddenKey: HiddenKeyRows,
  datastore: readonly DatastoreEntry[],
  inverseTemperature: number,
  products: Products,
): KnnDistribution | undefined {
  const cosines = datastore.map((entry) => cosinesTo(hiddenKey, entry, products));
  let nearest = -Infinity;
  let token = -1;
  for (const [i, { tokens }] of datastore.entries()) {
    const those = cosines[i] as Float32Array;
    for (let at = 0; at < those.length; at++) {
      if ((those[at] as number) > nearest) [nearest, token] = [those[at] as number, tokens[at] as number];
    }
  }
  if (token === -1) return undefined;
  const shares = new Map<number, number>();
  let total = 0;
  for (const [i, { tokens }] of datastore.entries()) {
    const those = cosines[i] as Float32Array;
    for (let at = 0; at < those.length; at++) {
      const share = Math.exp(inverseTemperature * ((those[at] as number) - nearest));
      if (!(share > MIN_SHARE)) continue;
      total += share;
      shares.set(tokens[at] as number, (shares.get(tokens[at] as number) ?? 0) + share);
    }
  }
  for (const [id, share] of shares) shares.set(id, share / total);
  return { shares, nearest, nearestTokenShare: shares.get(token) ?? 0 };
}

/** The gate's inputs, all of the size of one. */
export function knnGateInputs(
  { shares, nearest, nearestTokenShare }: KnnDistribution,
  { entropy, token, logprob }: Pick<DecoderView, 'entropy' | 'token' | 'logprob'>,
): KnnGateInputs {
  return {
    bias: 1,
    nearest,
    entropy,
    certainty: logprob,
    agreement: shares.get(token) ?? 0,
    nearestTokenShare,
  };
}

/** κ, the weight of the kNN distribution: a logistic function of how similar the neighbours are, and of the decoder's own opinion. */
export function knnGate(inputs: KnnGateInputs, { gate }: KnnWeights): number {
  let score = 0;
  for (const name of KNN_GATE_INPUTS) score += gate[name] * inputs[name];
  return sigmoid(score);
}
