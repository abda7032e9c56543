import { closed, isBoundary, wholeBeginning } from './boundary';

/** Where a suggestion ends: decided on its text alone, after every token; `lowConfidence`: the model was not sure how to continue. */
export type Stop =
  'newline' | 'block' | 'end' | 'repetition' | 'length' | 'lowConfidence' | 'time' | 'aborted' | 'none';

/** What the rules need to know about the place of the cursor. */
export interface CursorContext {
  /** Indentation of the line in which the suggestion begins, in columns; a tab counts four. */
  readonly indentation: number;
  /** The cursor stands at the end of a line that has text: a suggestion may begin with a newline. */
  readonly finishedLine: boolean;
  readonly maxLines: number;
  /** Of whole lines, how many belong to the syntax node that is being written; undefined while it goes on, and where that is not known. */
  readonly unit?: ((text: string) => number | undefined) | undefined;
}

const TAB = 4;

/** @param unit where the syntax node ends that is being written, where somebody knows: see `CursorContext` */
export function cursorContext(
  prefix: string,
  suffix: string,
  maxLines: number,
  unit?: CursorContext['unit'],
): CursorContext {
  const line = prefix.slice(prefix.lastIndexOf('\n') + 1);
  const endOfLine = restOfLine(suffix).trim() === '';
  return {
    indentation: columns(line),
    finishedLine: line.trim() !== '' && endOfLine,
    // What follows in the line would have to follow the block: within a line, only the line is completed.
    maxLines: endOfLine ? maxLines : 1,
    ...(unit && { unit }),
  };
}

/** What follows the cursor in its line. */
export function restOfLine(suffix: string): string {
  const newline = suffix.indexOf('\n');
  return newline === -1 ? suffix : suffix.slice(0, newline);
}

/**
 * Whether a suggestion is complete, and what of the text belongs to it.
 * @param text what has been generated so far
 */
export function stopAt(text: string, cursor: CursorContext): { stop: Stop; text: string } | undefined {
  const leading = /^[^\S\n]*\n\s*/.exec(text)?.[0];
  if (leading !== undefined && !cursor.finishedLine) return { stop: 'newline', text: '' };
  if (/\n[^\S\n]*\n[^\S\n]*\n/.test(text)) return { stop: 'block', text: text.trimEnd() };
  if (text.trim() === '') return undefined;
  const ended = cursor.maxLines > 1 ? blockEnd(text, cursor) : lineEnd(text);
  return ended ?? loopEnd(text);
}

/** Times that a piece stands in a row when nothing else is to be expected, and the length of such a row at least. */
const REPEATS = 3;
const MIN_REPETITION = 20;

/** A text that has begun to say one thing again and again ends when it has said it once, with a word and no sign that goes on. */
function loopEnd(text: string) {
  for (let length = Math.ceil(MIN_REPETITION / REPEATS); length * REPEATS <= text.length; length++) {
    const piece = text.slice(-length);
    // A row of one sign (===, ----, spaces) is a rule, a comment's frame or an indentation.
    if (/^([^\p{L}\p{N}])\1*$/u.test(piece) || !text.endsWith(piece.repeat(REPEATS))) continue;
    const once = periodOf(piece);
    let start = text.length - length * REPEATS;
    while (start > 0 && text[start - 1] === text[start - 1 + once]) start--;
    return { stop: 'repetition' as const, text: saidOnce(text, start, start + once) };
  }
  return undefined;
}

/** Length of the shortest piece that a repeated one is made of. */
function periodOf(piece: string): number {
  return (piece + piece).indexOf(piece, 1);
}

/** A text up to where a repetition of `start` to `end` begins, whole words of it. */
function saidOnce(text: string, start: number, end: number): string {
  let at = end;
  while (at < 2 * end - start && !isBoundary(text, at)) at++;
  if (!isBoundary(text, at)) for (at = start; at > 0 && !isBoundary(text, at); at--);
  const said = text.slice(0, at).trimEnd();
  // What ends a line may well end with a sign.
  return /^[^\S\n]*\n/.test(text.slice(said.length)) ? said : closed(said.replace(/[\s.,:+\-*/%&|^=<>~?([{]+$/u, ''));
}

function lineEnd(text: string) {
  const content = text.search(/\S/);
  const newline = text.indexOf('\n', content);
  return newline === -1 ? undefined : { stop: 'newline' as const, text: text.slice(0, newline) };
}

/**
 * The block ends where its syntax node does. Where that cannot be seen, it ends where a line is indented less than the one
 * in which the suggestion began, and where, after deeper lines, one is indented like it again: that line still belongs if
 * it closes the block.
 */
function blockEnd(text: string, cursor: CursorContext) {
  const lines = text.split('\n');
  const upTo = (count: number) => ({ stop: 'block' as const, text: lines.slice(0, count).join('\n').trimEnd() });
  // A line is looked at once it is whole.
  const unit = text.endsWith('\n') ? cursor.unit?.(text) : undefined;
  if (unit !== undefined) return upTo(unit);
  const skipped = lines[0]?.trim() === '' ? 1 : 0;
  let deeper = false;
  // The last line is still growing; its indentation counts once it has a character.
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const whole = i < lines.length - 1;
    const before = upTo(i);
    if (i - skipped >= cursor.maxLines && (i > skipped || whole)) return before;
    if (line.trim() === '') continue;
    const indentation = columns(line);
    if (indentation < cursor.indentation) return before;
    if (indentation > cursor.indentation) deeper = true;
    else if (deeper && !/^\s*[)\]}]/.test(line)) return before;
    else if (deeper && whole && !/[([{:]\s*$/.test(line)) return upTo(i + 1);
  }
  return undefined;
}

/** What is kept of a text that was cut off, for time or for tokens: in a block its complete lines, and nothing that may be half of something. */
export function cutUnfinished(text: string, cursor: CursorContext): string {
  const newline = text.lastIndexOf('\n');
  if (cursor.maxLines > 1 && text.slice(0, newline + 1).trim() !== '') return text.slice(0, newline).trimEnd();
  return wholeBeginning(text);
}

/** Indentation of a line in columns; a tab counts four. */
export function columns(line: string): number {
  const blank = /^[ \t]*/.exec(line)?.[0] ?? '';
  return [...blank].reduce((sum, character) => sum + (character === '\t' ? TAB : 1), 0);
}
