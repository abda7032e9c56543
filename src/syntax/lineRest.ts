import { familyOf } from './families';
import { lineState } from './lineState';
import { scan } from './scanner';

/** Characters of a line on either side of the cursor that are looked at. */
const MAX_CHARACTERS = 20_000;
/** A heading that opens a block is shorter than this. */
const MAX_HEADING = 200;

/** What follows the closers of a heading: types and words, no strings and no statements, and then what opens the block. */
const HEADING = /^[^"'`;]*?(?:\{|\{ ?\}|=>|:|\b(?:then|do|begin))[\s)\]};,]*$/;

/**
 * Whether all that is right of the cursor closes what stands before it: brackets, quotes, tags and comments of the
 * language, punctuation, a comment at the end, and the end of a heading that opens a block (`): void {`, `) => {}`).
 * A suggestion goes before these or takes their place.
 * @param line text of the line before the cursor
 * @param path tells the language
 */
export function onlyCloses(line: string, rest: string, path: string): boolean {
  if (/^[\s)\]}>"'`;,:]*$/.test(rest)) return true;
  if (rest.length > MAX_CHARACTERS) return false;
  const family = familyOf(path);
  const before = line.slice(-MAX_CHARACTERS);
  const text = before + rest;
  const start = lineState(before, rest, family);
  const { closers, comments, open } = scan(text, family, { open: start.open, from: before.length + start.carried });
  const closes = family.block?.some(([, close]) => text.trimEnd().endsWith(close)) ?? false;
  // What stands behind a comment is code again.
  const comment = closes || open.some(({ kind }) => kind === 'comment') ? comments.at(-1) : undefined;
  const end = comment ?? text.length;
  const marks = /[\s;,:)\]}>"'`）］｝」』】》〉〕”’»›]*/y;
  for (let at = before.length; ;) {
    marks.lastIndex = at;
    at = Math.min(end, at + marks.exec(text)![0].length);
    const closer = closers.find((one) => one.at <= at && at < one.end);
    if (closer) {
      at = closer.end;
      continue;
    }
    const left = text.slice(at, end);
    const heads = text.slice(before.length, at).trim() !== '' || /^\s*[=-]>/.test(left);
    return left === '' || (heads && left.length <= MAX_HEADING && HEADING.test(left));
  }
}
