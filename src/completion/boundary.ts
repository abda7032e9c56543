const WORD = /[\p{L}\p{N}\p{M}_$]/u;
/** Scripts that put no blanks between words: each of their characters may begin one. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const ASCII = /^[\t\x20-\x7e]*$/;

/** UTF-16 units looked at on either side of a cut: more than the longest emoji sequences have. */
const REACH = 64;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The character that ends before an index; half a pair stands for itself. */
export function characterBefore(text: string, at: number): string {
  const pair = text.codePointAt(at - 2) ?? 0;
  return at > 1 && pair > 0xffff ? text.slice(at - 2, at) : text.slice(Math.max(0, at - 1), at);
}

function characterAt(text: string, at: number): string {
  return at < text.length ? String.fromCodePoint(text.codePointAt(at) as number) : '';
}

/** Whether a text at its end goes on in the word with which another begins. The letter of an escape (`\\n`) is no word. */
export function joinsWord(before: string, after: string): boolean {
  const [last, first] = [characterBefore(before, before.length), characterAt(after, 0)];
  // A dollar begins a name in many languages.
  if (!WORD.test(last) || !WORD.test(first) || first === '$') return false;
  if (UNSPACED.test(last) || UNSPACED.test(first)) return false;
  return !endsInBackslash(before.slice(-REACH, -last.length));
}

function endsInBackslash(text: string): boolean {
  return /\\*$/.exec(text)![0].length % 2 === 1;
}

/** Whether an index lies within a word. */
export function splitsWord(text: string, at: number): boolean {
  return joinsWord(text.slice(Math.max(0, at - REACH), at), text.slice(at, at + 2));
}

/** Whether an index lies within what is seen as one character: a pair, a letter with its marks, a flag, a family. */
export function splitsGrapheme(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length || ASCII.test(text.slice(at - 1, at + 1))) return false;
  let start = at - 1;
  // Between two characters of ASCII there is always an end; flags can only be told apart from the first one on.
  while (start > 0 && at - start < 4 * REACH && !ASCII.test(text[start] as string)) start--;
  const segment = graphemes.segment(text.slice(start, at + REACH)).containing(at - start);
  return segment !== undefined && segment.index !== at - start;
}

/** The end of a text that is the beginning of an escape, after the backslashes before it. */
const ESCAPE = /\\(?:x[\da-f]?|u[\da-f]{0,3}|u\{[\da-f]{0,6}|U[\da-f]{0,7})?$/;

/** Length of the unfinished escape with which a text ends, 0 where it ends with none. */
function openEscape(text: string): number {
  const escape = ESCAPE.exec(text.slice(-REACH));
  if (!escape || endsInBackslash(text.slice(-REACH, text.length - escape[0].length))) return 0;
  return escape[0].length;
}

/** Whether an index lies within an escape: directly after a backslash that is not escaped itself, or within its digits. */
export function splitsEscape(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return false;
  const length = openEscape(text.slice(Math.max(0, at - REACH), at));
  return length === 1 || (length > 1 && /[\da-fA-F{}]/.test(text[at] as string));
}

/** Whether a text may be cut at an index: between words, characters and escapes. */
export function isBoundary(text: string, at: number): boolean {
  return !splitsWord(text, at) && !splitsGrapheme(text, at) && !splitsEscape(text, at);
}

/** The beginning of a text of which nobody knows how it goes on, without what may be half of something. */
export function wholeBeginning(written: string): string {
  const text = written.replace(/[\ud800-\udbff]$/, '');
  if (openEscape(text) > 0) return closed(text);
  let end = text.length;
  const last = () => characterBefore(text, end);
  while (WORD.test(last()) && !UNSPACED.test(last())) end -= last().length;
  // What is not ASCII may go on with marks, joiners or the second half of a flag.
  if (end === text.length && end > 0 && last() !== '\n' && !ASCII.test(last())) {
    do end--;
    while (end > 0 && splitsGrapheme(text, end));
  }
  // The letter of an escape looks like a word.
  return closed(text.slice(0, end));
}

/** A text without the blanks and the unfinished escape at its end. */
export function closed(text: string): string {
  const kept = text.trimEnd();
  const escape = openEscape(kept);
  return escape === 0 ? kept : closed(kept.slice(0, kept.length - escape));
}
