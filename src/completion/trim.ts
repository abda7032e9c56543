import { indentLike, withoutDoubledBlank } from './indent';
import { restOfLine } from './stop';

export interface Trimmed {
  readonly text: string;
  /** Characters after the cursor that the text covers: the editor replaces them. */
  readonly replaceSuffix: number;
  /** Why nothing is left, if nothing is. */
  readonly reason?: string;
}

/** Lines after the cursor that a suggestion is compared with. */
const LINES_COMPARED = 32;

/**
 * Fits a suggestion to what already stands around the cursor: it is indented as the file is, what it covers in the rest of
 * the line is replaced, what stands in the next lines is not suggested again, and a text that only repeats itself is not
 * suggested at all.
 * @param prefix text before the cursor
 * @param suffix text after it
 */
export function trim(text: string, prefix: string, suffix: string): Trimmed {
  const rest = restOfLine(suffix);
  const following = suffix
    .slice(rest.length + 1)
    .split('\n', LINES_COMPARED)
    .map((line) => line.trimEnd());
  const nothing = (reason: string): Trimmed => ({ text: '', replaceSuffix: 0, reason });

  if (text.trim() === '') return nothing('the model has nothing to add here');
  const line = prefix.slice(prefix.lastIndexOf('\n') + 1);
  const fitting = indentLike(withoutDoubledBlank(text, line), prefix, suffix);
  const unrepeated = cutRepetition(fitting, prefix);
  if (unrepeated.trim() === '') return nothing('the suggestion only repeated itself');
  let kept = cutFollowing(unrepeated, line, following);
  if (kept.trim() === '') return nothing('the suggestion is what follows anyway');
  if (rest.trim() === '') kept = kept.trimEnd();

  const replaceSuffix = covered(kept, rest);
  if (kept === rest.slice(0, replaceSuffix)) return nothing('the suggestion is what follows anyway');
  return { text: kept, replaceSuffix };
}

/**
 * Characters of the rest of the line that the text covers: its end may be their beginning (`foo);` before `);`), and it
 * may hold brackets and quotes that the editor closed by itself (`foo(a), b` before `)` holds none, `a), b` holds one).
 */
export function covered(text: string, rest: string): number {
  const last = text.slice(text.lastIndexOf('\n') + 1);
  for (let length = Math.min(rest.length, last.length); length > 0; length--) {
    const overlap = rest.slice(0, length);
    if (last.endsWith(overlap) && (overlap.trim() !== overlap || !isBalancedCloser(text, overlap))) return length;
  }
  const closers = unmatchedClosers(text);
  let at = 0;
  while (at < closers.length && rest[at] === closers[at]) at++;
  return at;
}

/** `)` at the end of `f(a)` closes the text's own bracket: it does not stand for one after the cursor. */
function isBalancedCloser(text: string, overlap: string): boolean {
  return /^[)\]}'"`]$/.test(overlap) && !unmatchedClosers(text).includes(overlap);
}

const OPENERS: Record<string, string> = { ')': '(', ']': '[', '}': '{' };

/** Closing brackets and quotes of a text that close something opened before it, in order. */
export function unmatchedClosers(text: string): string {
  const open: string[] = [];
  let unmatched = '';
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? '';
    if (character === '\\') {
      i++;
    } else if (quote !== '') {
      if (character === quote) quote = '';
    } else if (/["'`]/.test(character)) {
      // A quote without a partner in its line closes a string that was open at the cursor.
      const end = text.indexOf('\n', i);
      const partner = text.indexOf(character, i + 1);
      if (partner === -1 || (end !== -1 && partner > end && character !== '`')) unmatched += character;
      else quote = character;
    } else if (/[([{]/.test(character)) {
      open.push(character);
    } else if (OPENERS[character] !== undefined) {
      if (open.at(-1) === OPENERS[character]) open.pop();
      else unmatched += character;
    }
  }
  return unmatched;
}

/** Drops the end of a text from where it goes on as the following lines do. */
function cutFollowing(text: string, line: string, following: readonly string[]): string {
  const lines = text.split('\n');
  const next = following.filter((other) => other !== '');
  if (next.length === 0) return text;
  // The first line continues the cursor's.
  const whole = lines.map((content, i) => (i === 0 ? line + content : content).trimEnd());
  const first = line.trim() === '' ? 0 : 1;
  for (let from = first; from < lines.length; from++) {
    const tail = whole.slice(from).filter((content) => content !== '');
    if (tail.length > 0 && tail.every((content, i) => content === next[i]) && !closesOwn(lines, from)) {
      return lines.slice(0, from).join('\n').trimEnd();
    }
  }
  return text;
}

/**
 * Whether lines from `from` on are only brackets that close what the lines before opened: then those that follow the
 * cursor close something else.
 */
function closesOwn(lines: readonly string[], from: number): boolean {
  const tail = lines.slice(from).join('\n');
  if (!/^[\s)\]};,]*$/.test(tail)) return false;
  return unmatchedClosers(lines.join('\n')) === unmatchedClosers(lines.slice(0, from).join('\n'));
}

/** Repetitions of a line, or of a piece of a line, beyond which nothing more is to be expected. */
const LINE_REPEATS = 3;
const LONG_LINE_REPEATS = 2;
const LONG_LINE = 10;
const PIECE_REPEATS = 5;
const PIECE_CHARACTERS = 40;
const SHORTEST_REPETITION = 20;

/**
 * A text up to where it repeats one line again and again, the line above the cursor's included; empty if that is all.
 * @param prefix text before the cursor
 */
function cutRepetition(text: string, prefix: string): string {
  const lines = text.split('\n');
  const [line = '', above = ''] = prefix.split('\n').slice(-2).reverse();
  const whole = [above, ...lines.map((content, i) => (i === 0 ? line : '') + content)].map((content) => content.trim());
  for (const [i, content] of whole.entries()) {
    if (content === '') continue;
    const repeats = content.length >= LONG_LINE ? LONG_LINE_REPEATS : LINE_REPEATS;
    const run = whole.slice(i, i + repeats);
    if (run.length === repeats && run.every((other) => other === content)) return lines.slice(0, i).join('\n');
  }
  return repeatsPiece(text) ? '' : text;
}

/**
 * Whether the end of a text is one piece again and again: a short one at least five times, a long one twice, and at
 * least twenty characters in all.
 */
function repeatsPiece(text: string): boolean {
  for (let length = 1; length * 2 <= text.length; length++) {
    const piece = text.slice(-length);
    // A row of one sign (===, ----, spaces) is a rule or a comment's frame.
    if (/^([^\p{L}\p{N}])\1*$/u.test(piece)) continue;
    const times = Math.max(2, Math.min(PIECE_REPEATS, Math.ceil(PIECE_CHARACTERS / length)));
    const repeats = Math.max(times, Math.ceil(SHORTEST_REPETITION / length));
    if (text.endsWith(piece.repeat(repeats))) return true;
  }
  return false;
}
