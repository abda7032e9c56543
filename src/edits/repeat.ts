import { isWord, type TextEdit } from './history';
import { MAX_TOKENS, type OpenText } from './candidate';
import { isName, lineAt, tokensOf, type Token } from './tokens';

/** An edit that can be made again: its old text is long enough to be looked for. */
export interface Pattern extends TextEdit {
  /** The tokens of the line beside it, the nearest first. */
  readonly left: readonly string[];
  readonly right: readonly string[];
  /** The whole line as it was, without blanks at its ends. */
  readonly line: string;
}

/** Where the old text of a pattern stands, and how like the place is. */
export interface Repeat {
  readonly uri: string;
  readonly start: number;
  readonly left: number;
  readonly right: number;
  readonly sameLine: boolean;
}

/** Places that are looked at in one text: an old text that stands in more says nothing. */
const MAX_PLACES = 400;

/**
 * An edit as something to look for. What was inserted, or put in place of punctuation, takes the tokens beside it along
 * until there is a word in it. Undefined where there is none in the line, and for edits of several lines.
 * @param text the text with the edit in it
 */
export function patternOf(edit: TextEdit, text: string): Pattern | undefined {
  if (edit.oldText.includes('\n') || edit.newText.includes('\n')) return undefined;
  const { start, oldText, newText } = edit;
  const end = start + newText.length;
  const line = lineAt(text, start);
  const left = tokensOf(text.slice(line.start, start), line.start).reverse();
  const right = tokensOf(text.slice(end, line.end), end);
  const { from, to } = anchor(edit, left, right);
  const neighbours = { left: text.slice(from, start), right: text.slice(end, to) };
  const wide = neighbours.left + oldText + neighbours.right;
  if (!isAnchor(wide) && !isName(wide)) return undefined;
  return {
    start: from,
    oldText: wide,
    newText: neighbours.left + newText + neighbours.right,
    left: left.filter((token) => token.start < from).map((token) => token.text),
    right: right.filter((token) => token.start >= to).map((token) => token.text),
    line: (text.slice(line.start, start) + oldText + text.slice(end, line.end)).trim(),
  };
}

/** How far an edit reaches once there is a word in its old text: up to the nearest one in the line. */
function anchor(
  { start, oldText, newText }: TextEdit,
  left: readonly Token[],
  right: readonly Token[],
): { from: number; to: number } {
  const end = start + newText.length;
  if (isAnchor(oldText) || isName(oldText)) return { from: start, to: end };
  const before = left.findIndex((token) => isAnchor(token.text));
  const behind = right.findIndex((token) => isAnchor(token.text));
  // The token behind an insertion says as much as the one before it.
  const next = right[0];
  const to = next ? next.start + next.text.length : end;
  const nearer = before !== -1 && (behind === -1 || before <= behind);
  if (nearer && before < MAX_TOKENS) return { from: left[before]!.start, to };
  const word = right[behind];
  return word && behind < MAX_TOKENS ? { from: start, to: word.start + word.text.length } : { from: start, to: end };
}

/** Whether a text can be looked for: there is a word in it, of more than a letter. */
export function isAnchor(text: string): boolean {
  return /[\p{L}_$]{2}/u.test(text);
}

/** Where the old text of a pattern stands in a text, in the order of the text, but where it is the edit itself, or was made already. */
export function repeatsIn(
  pattern: Pattern,
  { uri, text }: Pick<OpenText, 'uri' | 'text'>,
  made: readonly TextEdit[],
): Repeat[] {
  const { oldText, newText } = pattern;
  const found: Repeat[] = [];
  // Where the old text is a part of the new, what was edited already holds it.
  const inNew = newText.indexOf(oldText);
  for (let at = text.indexOf(oldText); at !== -1; at = text.indexOf(oldText, at + Math.max(1, oldText.length))) {
    if (found.length === MAX_PLACES) return [];
    const end = at + oldText.length;
    if (cutsWord(text, at, end)) continue;
    if (made.some((edit) => at < edit.start + edit.newText.length && end > edit.start)) continue;
    if (inNew !== -1 && text.startsWith(newText, at - inNew)) continue;
    found.push({ uri, start: at, ...similarity(pattern, text, at) });
  }
  return found;
}

function cutsWord(text: string, start: number, end: number): boolean {
  return (isWord(text[start]) && isWord(text[start - 1])) || (isWord(text[end - 1]) && isWord(text[end]));
}

function similarity(pattern: Pattern, text: string, at: number): Pick<Repeat, 'left' | 'right' | 'sameLine'> {
  const line = lineAt(text, at);
  const end = at + pattern.oldText.length;
  const left = tokensOf(text.slice(line.start, at)).reverse();
  const right = tokensOf(text.slice(end, line.end));
  return {
    left: common(pattern.left, left),
    right: common(pattern.right, right),
    sameLine: text.slice(line.start, line.end).trim() === pattern.line,
  };
}

/** Tokens that two lists have in common at their beginning; an end of the line that both have counts as one. */
function common(one: readonly string[], other: readonly Token[]): number {
  let count = 0;
  while (count < MAX_TOKENS && count < one.length && one[count] === other[count]?.text) count++;
  const atEnd = count === one.length && count === other.length && count < MAX_TOKENS;
  return atEnd ? count + 1 : count;
}
