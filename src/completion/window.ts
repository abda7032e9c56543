import type { InfillPrompt, Manifest, SpecialTokens } from '../model/manifest';
import { pathTailTokens } from '../model/path';
import type { WindowParts } from '../model/suffixReuse';
import type { Tokenizer } from '../model/tokenizer';
import { stableStart } from '../text';

/** The file in which the cursor stands; newlines are "\n". */
export interface WindowSource {
  readonly path: string;
  /** Whole text before the cursor. */
  readonly prefix: string;
  /** Whole text after the cursor. */
  readonly suffix: string;
}

/** What the decoder reads, and what of the file it covers. */
export interface Window {
  /** Everything before the text that is continued. */
  readonly head: readonly number[];
  /** Tokens right before the cursor, which are continued. */
  readonly prefix: readonly number[];
  /** Tokens of the text right before those, where they stand elsewhere in the head. */
  readonly context: readonly number[];
  /** The indentation with which those end, where the line behind it is written apart. */
  readonly indentation: string;
  readonly suffixTokens: number;
  /** Where in the head the suffix stands, if it stands behind the prefix. */
  readonly parts?: WindowParts | undefined;
  /** Characters of the context's prefix that stand before the window. */
  readonly prefixStart: number;
  /** Characters of the context's suffix up to the end of the window; the rest of the cursor's line lies in between. */
  readonly suffixEnd: number;
}

export type WindowShape = Pick<Manifest, 'window' | 'specialTokens' | 'prompt'>;

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
  context: WindowSource,
  tokenizer: Tokenizer,
  { window, specialTokens, prompt }: WindowShape,
  reserve = RESERVE,
): Window {
  if (specialTokens) return suffixFirst(context, tokenizer, window, specialTokens, reserve);
  if (prompt?.style === 'prefix-suffix-middle') return prefixFirst(context, tokenizer, window, prompt, reserve);
  const begin = prompt?.begin === undefined ? [] : [prompt.begin];
  const limit = Math.max(1, window.tokens - reserve - begin.length);
  const { tokens, start } = cutPrefix(context.prefix, tokenizer, limit, window.hop);
  const nothing = { context: [], indentation: '', suffixTokens: 0, suffixEnd: 0 };
  return { head: begin, prefix: tokens, ...nothing, prefixStart: start };
}

/** [file] path [suffix] suffix [prefix] prefix: nothing stands between the prefix and what is written. */
function suffixFirst(
  context: WindowSource,
  tokenizer: Tokenizer,
  window: Manifest['window'],
  special: SpecialTokens,
  reserve: number,
): Window {
  const path = [special.file, ...pathTailTokens(context.path, tokenizer)];
  const suffix = cutSuffix(context.suffix, nextLine(context.suffix), tokenizer, window.suffixTokens);
  const head = [...path, ...(suffix.tokens.length > 0 ? [special.suffix, ...suffix.tokens] : []), special.prefix];
  const limit = Math.max(1, window.tokens - reserve - head.length);
  const prefix = cutPrefix(context.prefix, tokenizer, limit, window.hop);
  return {
    head,
    prefix: prefix.tokens,
    context: [],
    indentation: '',
    suffixTokens: suffix.tokens.length,
    prefixStart: prefix.start,
    suffixEnd: suffix.end,
  };
}

/** Of the cursor's line so many tokens stand behind the middle marker: of a longer one its end. */
const LINE_TOKENS = 48;

/** What of a longer line moves before the suffix is a multiple of so many tokens, so that it stays there while more is typed. */
const LINE_HOP = 32;

/**
 * [prefix] text [suffix] text [middle], and of the cursor's line what stands before the cursor. So a
 * keystroke within a line changes nothing of what has been read before it, and the line's last fragment can be healed.
 */
function prefixFirst(
  context: WindowSource,
  tokenizer: Tokenizer,
  window: Manifest['window'],
  prompt: InfillPrompt,
  reserve: number,
): Window {
  const begin = prompt.begin === undefined ? [] : [prompt.begin];
  const suffix = cutSuffix(context.suffix, suffixStart(context.suffix), tokenizer, window.suffixTokens);
  const { text, line, indentation } = cutLine(context.prefix, tokenizer);
  const markers = 3;
  const taken = begin.length + suffix.tokens.length + markers + line.length + reserve;
  const prefix = cutPrefix(text, tokenizer, Math.max(1, window.tokens - taken), window.hop);
  const before = [...begin, prompt.prefix, ...prefix.tokens];
  const head = [...before, prompt.suffix, ...suffix.tokens, prompt.middle];
  return {
    head,
    parts: { suffixStart: before.length, suffixEnd: head.length },
    prefix: line,
    context: prefix.tokens,
    indentation,
    suffixTokens: suffix.tokens.length,
    prefixStart: prefix.start,
    suffixEnd: suffix.end,
  };
}

/**
 * The text before what the cursor's line says, its indentation included, and the tokens from there up to the cursor. Indentation
 * that stood behind the middle marker made whole lines less likely by a tenth.
 */
function cutLine(prefix: string, tokenizer: Tokenizer): { text: string; line: readonly number[]; indentation: string } {
  const base = blockStart(prefix);
  const lineStart = Math.max(prefix.lastIndexOf('\n') + 1, base);
  const indentation = /^[^\S\n]*/.exec(prefix.slice(lineStart))?.[0] ?? '';
  const start = lineStart + indentation.length;
  const line = tokenizer.encodePiece(prefix.slice(start));
  if (line.length <= LINE_TOKENS) return { text: prefix.slice(0, start), line, indentation };
  const moved = Math.floor((line.length - LINE_TOKENS) / LINE_HOP + 1) * LINE_HOP;
  const cut = start + tokenizer.decode(line.slice(0, moved)).length;
  return { text: prefix.slice(0, cut), line: tokenizer.encodePiece(prefix.slice(cut)), indentation: '' };
}

/** A token is hardly longer; far less text than so much a token fills any part of a window. */
const MAX_TOKEN_BYTES = 32;

/** Where the line after the cursor's begins. */
function nextLine(suffix: string): number {
  const newline = suffix.indexOf('\n');
  return newline === -1 ? suffix.length : newline + 1;
}

/**
 * Where the suffix of a prefix-suffix-middle prompt begins: at the cursor, or, where only closers and punctuation follow it, at
 * the end of its line. Editors close brackets while one types, and what is written is trimmed against them anyway; so they do
 * not change what has been read.
 */
function suffixStart(suffix: string): number {
  const newline = suffix.indexOf('\n');
  const end = newline === -1 ? suffix.length : newline;
  return /^[\s)\]}>'"`;,:]*$/.test(suffix.slice(0, Math.min(end, BLOCK))) ? end : 0;
}

/** Pieces of the suffix from `from` on, as many as fit; if not even one fits, its beginning. */
function cutSuffix(text: string, from: number, tokenizer: Tokenizer, limit: number): { tokens: number[]; end: number } {
  const tokens: number[] = [];
  let end = from;
  for (const piece of tokenizer.pieces(text.slice(end, end + limit * MAX_TOKEN_BYTES))) {
    const next = tokenizer.encodePiece(piece);
    if (tokens.length > 0 && tokens.length + next.length > limit) break;
    tokens.push(...next.slice(0, limit - tokens.length));
    end += piece.length;
    if (tokens.length >= limit) break;
  }
  return { tokens, end };
}

/**
 * The last tokens before the cursor, at most `room`. They begin at a multiple of the hop, or where a piece begins if one
 * does within a hop from there.
 */
function cutPrefix(
  text: string,
  tokenizer: Tokenizer,
  limit: number,
  hop: number,
): { tokens: number[]; start: number } {
  const base = blockStart(text);
  const tokens: number[] = [];
  const starts: { token: number; character: number }[] = [];
  let character = base;
  for (const piece of tokenizer.pieces(text.slice(base))) {
    starts.push({ token: tokens.length, character });
    tokens.push(...tokenizer.encodePiece(piece));
    character += piece.length;
  }
  if (tokens.length <= limit) return { tokens, start: base };
  const wanted = Math.min(tokens.length - 1, Math.ceil((tokens.length - limit) / hop) * hop);
  const piece = starts.find(({ token }) => token >= wanted && token <= wanted + hop);
  if (piece) return { tokens: tokens.slice(piece.token), start: piece.character };
  const within = starts.findLast(({ token }) => token < wanted) ?? { token: 0, character: base };
  const skipped = tokenizer.decode(tokens.slice(within.token, wanted)).length;
  return { tokens: tokens.slice(wanted), start: within.character + skipped };
}

/** Where tokenising a prefix begins: at a line's beginning, if one comes soon, at least a quarter block before its end. */
export function blockStart(text: string): number {
  return stableStart(text, BLOCK / 2, { block: BLOCK, reach: BLOCK / 4 });
}
