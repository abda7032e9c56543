import type { Abortable, Conditioning, Decoder } from '../model/decoder';
import type { LookupContext } from './around';

/** What may come next: at most `count` tokens after a context, none where nothing is worth a try. */
export type Draft = (context: LookupContext, count: number) => readonly number[];

/** Tokens tried in one run at most: it costs a fifth more than a run of one token, and saves a run for each that holds. */
export const DRAFT_TOKENS = 7;

/**
 * Logits after a window that grows by a token from call to call, [vocabulary].
 * @param window all of it
 * @param context the text's end, for a draft to look up
 * @param remaining tokens that may be written after it and need logits after them
 * @returns undefined if it was aborted between two runs
 */
export type Ask = (
  window: readonly number[],
  context: LookupContext,
  remaining: number,
) => Promise<Float32Array | undefined>;

/**
 * Speculative verification (Leviathan et al. 2023) of a draft that is looked up, not written by a smaller model: one run
 * of the decoder reads the window and the draft, and its logits serve for as long as what is written agrees with it. So
 * every token is still chosen from the decoder's own logits, the same but for the rounding of sums in another order. A
 * draft that is not followed is cut off the decoder's caches by its next run.
 */
export function speculate(decoder: Decoder, thought: Conditioning, draft?: Draft, signal?: Abortable): Ask {
  /** What the last run read, and its logits from the token at `from` on, one row for each. */
  let read: readonly number[] = [];
  let from = 0;
  let rows: Float32Array = new Float32Array(0);
  return async (window, context, remaining) => {
    const end = window.length - 1;
    const followed = end > from && end < read.length && read[end] === window[end];
    if (!followed) {
      const drafted = remaining > 0 ? (draft?.(context, Math.min(DRAFT_TOKENS, remaining)) ?? []) : [];
      const asked = [...window, ...drafted];
      const found = await decoder.logits(asked, thought, asked.length - end, signal);
      if (!found) return undefined;
      [read, from, rows] = [asked, end, found];
    }
    const vocabulary = rows.length / (read.length - from);
    return rows.subarray((end - from) * vocabulary, (end - from + 1) * vocabulary);
  };
}
