/**
 * Where the suffix stands in a window of prefix, suffix and middle: from its marker up to the one of the middle, that one
 * included. The prefix stands before it, what is continued behind it.
 */
export interface WindowParts {
  readonly suffixStart: number;
  readonly suffixEnd: number;
}

/** A suffix that has been read. */
export interface ReadSuffix extends WindowParts {
  /** Tokens of the prefix that have changed since. */
  readonly stale: number;
}

/** How a suffix that has been read serves behind another prefix. */
export interface SuffixPlan {
  /** Tokens at the beginning of both windows that are the same. */
  readonly shared: number;
  /** Where the suffix lies. */
  readonly from: number;
  /** Rows [resume, end) of the new window are taken from there; those before are computed. */
  readonly resume: number;
  readonly end: number;
  readonly stale: number;
}

/** Tokens at the suffix's beginning, its marker among them, that are read again behind every prefix: they remember where it ends. */
export const FRESH_TOKENS = 16;

/**
 * Tokens of the prefix that may change before a suffix is read again, where somebody types: nothing was lost by it
 * (docs/experiments/2026-11-30-coder-prompt.md).
 */
export const MAX_STALE = 40;

/** The same where nobody types for a moment. */
export const RESTING_STALE = 20;

/**
 * Whether the keys and values of a suffix serve behind a prefix that has changed a little: they hardly depend on its last words;
 * what does is the suffix's marker. They are turned to their new positions.
 * @param read tokens that are in the cache, and where in them the suffix is
 * @param wanted tokens of the new window up to the end of its suffix
 * @returns undefined where it has to be read again
 */
export function reuseSuffix(
  read: { readonly tokens: readonly number[] } & ReadSuffix,
  wanted: { readonly tokens: readonly number[] } & WindowParts,
  maxStale: number,
): SuffixPlan | undefined {
  const count = wanted.suffixEnd - wanted.suffixStart;
  if (read.suffixEnd - read.suffixStart !== count || read.tokens.length < read.suffixEnd) return undefined;
  for (let i = 0; i < count; i++) {
    if (read.tokens[read.suffixStart + i] !== wanted.tokens[wanted.suffixStart + i]) return undefined;
  }
  const prefix = Math.min(read.suffixStart, wanted.suffixStart);
  let shared = 0;
  while (shared < prefix && read.tokens[shared] === wanted.tokens[shared]) shared++;
  const stale = read.stale + (read.suffixStart - shared) + (wanted.suffixStart - shared);
  // What predicts the first token of the middle is its marker, which is read again, too.
  const [resume, end] = [wanted.suffixStart + FRESH_TOKENS, wanted.suffixEnd - 1];
  if (stale > maxStale || resume >= end) return undefined;
  return { shared, from: read.suffixStart, resume, end, stale };
}
