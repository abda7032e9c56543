import { normalise } from './mixture';

/** @returns for each token of a vocabulary 1 if it is in one of the texts, else 0 */
export function inFileMaskOf(texts: readonly (readonly number[])[], vocabulary: number): Uint8Array {
  const flags = new Uint8Array(vocabulary);
  for (const tokens of texts) for (const token of tokens) flags[token] = 1;
  return flags;
}

/**
 * In-file boost: the decoder's logits with the tokens that occur in the file raised by the same amount, since a file keeps to its words,
 * however far from the cursor they stand and whatever stood before them. (Adaptation by unigrams, Kneser et al. 1997, with
 * the two marginals reduced to whether a token occurs.)
 * @param logits [vocabulary]; not changed
 * @param inFileMask [vocabulary] 1 where a token occurs in the file, else 0
 */
export function boostInFileTokens(logits: Float32Array, inFileMask: Uint8Array, amount: number): Float32Array {
  if (amount === 0) return logits;
  const boosted = new Float32Array(logits.length);
  for (let i = 0; i < logits.length; i++) boosted[i] = (logits[i] as number) + amount * (inFileMask[i] ?? 0);
  return boosted;
}

/** A token that was to be written: the decoder's logits and the in-file mask, both [vocabulary]. */
export interface TokenExample {
  readonly logits: Float32Array;
  readonly inFileMask: Uint8Array;
  readonly target: number;
}

/**
 * The amount under which the targets are most probable by the decoder alone. Their NLL is convex in it, so Newton's steps
 * find its lowest point; a small ridge keeps it finite where every target occurs.
 */
export function fitInFileBoost(places: readonly TokenExample[], ridge = 1e-3, steps = 20): number {
  const all = places.map(({ logits, inFileMask, target }) => ({
    mass: massOf(logits, inFileMask),
    isInFile: inFileMask[target] ?? 0,
  }));
  let amount = 0;
  for (let step = 0; step < steps && all.length > 0; step++) {
    let [slope, curvature] = [ridge * amount, ridge];
    for (const { mass, isInFile } of all) {
      const raised = mass * Math.exp(amount);
      const share = raised / (raised + 1 - mass);
      slope += (share - isInFile) / all.length;
      curvature += (share * (1 - share)) / all.length;
    }
    // Where the curve is flat, a whole step would leave it.
    amount -= Math.max(-1, Math.min(1, slope / curvature));
  }
  return amount;
}

/** The decoder's p of all tokens that occur. */
function massOf(logits: Float32Array, inFileMask: Uint8Array): number {
  return normalise(logits).logprobs.reduce(
    (sum, logprob, token) => (inFileMask[token] ? sum + Math.exp(logprob) : sum),
    0,
  );
}
