import type { StateWeights } from '../model/manifest';
import { cosinesTo, type HiddenKeyRows, type Products, type DatastoreEntry } from '../model/hiddenKeys';
import type { DecoderView } from './mixture';

/** What followed where the decoder's last state was like the one at hand. */
export interface Likeness {
  /** The share of each token. */
  readonly shares: ReadonlyMap<number, number>;
  /** The cosine between the state at hand and the nearest one, and the share of the token that followed that. */
  readonly nearest: number;
  readonly unanimity: number;
}

/** What the gate of the states looks at, in the order of its weights' names. */
export const STATE_INPUTS = ['bias', 'nearest', 'entropy', 'certainty', 'agreement', 'unanimity'] as const;
export type StateInputs = Record<(typeof STATE_INPUTS)[number], number>;

/** By which cosines are multiplied where weights are fitted: 15 to 30 make no difference that could be told (docs/experiments). */
export const SHARPNESS = 22;

/** States whose share is less than this of the nearest's say nothing. */
const LEAST = Math.exp(-7);

/**
 * The distribution of the tokens that followed like states: a softmax of cosines over everything that has been read, as in the
 * continuous cache of Grave et al. (2017) and the nearest neighbours of Khandelwal et al. (2020). What is the same word for word
 * the lookup memory finds without it; this finds what the decoder takes for the same.
 * @param hiddenKey of the state at hand, one row
 * @param sharpness by which cosines are multiplied
 * @returns undefined where nothing has been read
 */
export function alike(
  hiddenKey: HiddenKeyRows,
  datastore: readonly DatastoreEntry[],
  sharpness: number,
  products: Products,
): Likeness | undefined {
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
      const share = Math.exp(sharpness * ((those[at] as number) - nearest));
      if (!(share > LEAST)) continue;
      total += share;
      shares.set(tokens[at] as number, (shares.get(tokens[at] as number) ?? 0) + share);
    }
  }
  for (const [id, share] of shares) shares.set(id, share / total);
  return { shares, nearest, unanimity: shares.get(token) ?? 0 };
}

/** The gate's inputs, all of the size of one. */
export function stateInputs(
  { shares, nearest, unanimity }: Likeness,
  { entropy, token, logprob }: Pick<DecoderView, 'entropy' | 'token' | 'logprob'>,
): StateInputs {
  return { bias: 1, nearest, entropy, certainty: logprob, agreement: shares.get(token) ?? 0, unanimity };
}

/** κ, the share of the states in what the decoder says: a logistic function of how like they are, and of its own opinion. */
export function stateShare(inputs: StateInputs, { gate }: StateWeights): number {
  let score = 0;
  for (const name of STATE_INPUTS) score += gate[name] * inputs[name];
  return 1 / (1 + Math.exp(-score));
}
