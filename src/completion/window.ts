import type { Manifest } from '../model/manifest';
import { textLines } from '../model/lines';
import { pathTailTokens } from '../model/path';
import type { Tokenizer } from '../model/tokenizer';

/** The file in which the cursor stands; newlines are "\n". */
export interface CursorContext {
  readonly path: string;
  /** Whole text before the cursor. */
  readonly prefix: string;
  /** Whole text after the cursor. */
  readonly suffix: string;
}

/** What the decoder reads: [file] path [suffix] suffix [prefix] prefix, and what of the file it covers. */
export interface Window {
  /** Everything before the prefix. */
  readonly head: readonly number[];
  /** Tokens of the prefix, up to the cursor. */
  readonly prefix: readonly number[];
  readonly suffixTokens: number;
  /** Characters of the context's prefix that stand before the window. */
  readonly prefixStart: number;
  /** Characters of the context's suffix up to the end of the window; the rest of the cursor's line lies in between. */
  readonly suffixEnd: number;
}

/** Tokens kept free for what is generated. */
export const RESERVE = 64;

/** Prefixes are tokenised from a multiple of this many characters on, so that a file of 5 MB costs no more than another. */
const BLOCK = 1 << 14;

/**
 * The window around the cursor. It depends on the text only, and moves in hops: while the user types, its beginning
 * stays where it is and the decoder's caches stay valid.
 * @param reserve tokens kept free after the prefix
 */
export function cutWindow(
  context: CursorContext,
  tokenizer: Tokenizer,
  manifest: Pick<Manifest, 'window' | 'specialTokens'>,
  reserve = RESERVE,
): Window {
  const { window, specialTokens: special } = manifest;
  const path = [special.file, ...pathTailTokens(context.path, tokenizer)];
  const suffix = cutSuffix(context.suffix, tokenizer, window.suffixTokens);
  const head = [...path, ...(suffix.tokens.length > 0 ? [special.suffix, ...suffix.tokens] : []), special.prefix];
  const prefix = cutPrefix(context.prefix, tokenizer, Math.max(1, window.tokens - reserve - head.length), window.hop);
  return {
    head,
    prefix: prefix.tokens,
    suffixTokens: suffix.tokens.length,
    prefixStart: prefix.start,
    suffixEnd: suffix.end,
  };
}

/** Lines after the cursor's, as many as fit; if not even one fits, its beginning. */
function cutSuffix(text: string, tokenizer: Tokenizer, limit: number): { tokens: number[]; end: number } {
  const newline = text.indexOf('\n');
  if (newline === -1) return { tokens: [], end: text.length };
  const tokens: number[] = [];
  let end = newline + 1;
  // A token is 32 bytes at most; far less text than this fills any suffix.
  for (const line of textLines(text.slice(end, end + limit * 32))) {
    const next = tokenizer.encodeLine(line);
    if (tokens.length > 0 && tokens.length + next.length > limit) break;
    tokens.push(...next.slice(0, limit - tokens.length));
    end += line.length;
    if (tokens.length >= limit) break;
  }
  return { tokens, end };
}

/**
 * The last tokens before the cursor, at most `room`. They begin at a multiple of the hop, or where a line begins if one
 * does within a hop from there.
 */
function cutPrefix(text: string, tokenizer: Tokenizer, room: number, hop: number): { tokens: number[]; start: number } {
  const base = blockStart(text);
  const tokens: number[] = [];
  const starts: { token: number; character: number }[] = [];
  let character = base;
  for (const line of textLines(text.slice(base))) {
    starts.push({ token: tokens.length, character });
    tokens.push(...tokenizer.encodeLine(line));
    character += line.length;
  }
  if (tokens.length <= room) return { tokens, start: base };
  const wanted = Math.min(tokens.length - 1, Math.ceil((tokens.length - room) / hop) * hop);
  const line = starts.find(({ token }) => token >= wanted && token <= wanted + hop);
  if (line) return { tokens: tokens.slice(line.token), start: line.character };
  const within = starts.findLast(({ token }) => token < wanted) ?? { token: 0, character: base };
  const skipped = tokenizer.decode(tokens.slice(within.token, wanted)).length;
  return { tokens: tokens.slice(wanted), start: within.character + skipped };
}

/** Where tokenising a prefix begins: at a line's beginning, if one comes soon, at least a quarter block before its end. */
export function blockStart(text: string): number {
  const at = Math.floor((text.length - BLOCK / 2) / BLOCK) * BLOCK;
  if (at <= 0) return 0;
  const newline = text.indexOf('\n', at);
  return newline === -1 || newline > at + BLOCK / 4 ? at : newline + 1;
}
