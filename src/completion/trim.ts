import { lastLines } from '../text';
import { familyOf, type Family } from '../syntax/families';
import { scan } from '../syntax/scanner';
import { splitsWord } from './boundary';
import { indentLike, shallow, withoutDoubledBlank } from './indent';
import { overlapAt } from './overlap';
import { restOfLine } from './stop';

export interface Trimmed {
  readonly text: string;
  /** Characters after the cursor that the text covers: the editor replaces them. */
  readonly replaceSuffix: number;
  /** Why nothing is left, if nothing is. */
  readonly reason?: string;
}

/** Lines after the cursor that a suggestion is compared with, and characters of them. */
const LINES_COMPARED = 32;
const CHARACTERS_COMPARED = 4_096;

/** Fits one text after the other to a place: see `trim`. */
export function trimmer(prefix: string, suffix: string, path = ''): (text: string) => Trimmed {
  const rest = restOfLine(suffix);
  const line = prefix.slice(prefix.lastIndexOf('\n') + 1);
  const below = suffix.slice(rest.length + 1, rest.length + 1 + CHARACTERS_COMPARED).split('\n', LINES_COMPARED);
  const following = below.map((one) => one.trimEnd());
  const family = familyOf(path);
  const overlap = overlapAt({ line, rest, following: below.join('\n') }, family);
  const nothing = (reason: string): Trimmed => ({ text: '', replaceSuffix: 0, reason });

  return (text) => {
    if (text.trim() === '') return nothing('the model has nothing to add here');
    const fitting = indentLike(withoutDoubledBlank(text, line), prefix, suffix);
    const unrepeated = cutRepetition(shallow(fitting, prefix, family), prefix);
    if (unrepeated.trim() === '') return nothing('the suggestion only repeated itself');
    const { text: fitted, covered, reason } = overlap(cutFollowing(unrepeated, line, following, family));
    if (reason !== undefined) return nothing(reason);
    const kept = rest.trim() === '' ? fitted.trimEnd() : fitted;
    const becomes = `${line}${kept}${rest.slice(covered)}`;
    // Blanks alone are not worth a suggestion.
    const added = letters(kept) !== letters(rest.slice(0, covered)) && !begins(kept.trim(), rest.trimStart());
    return added && !repeatsBelow(becomes, following)
      ? { text: kept, replaceSuffix: covered }
      : nothing('the suggestion is what follows anyway');
  };
}

/**
 * Fits a suggestion to what already stands around the cursor: it is indented as the file is, its overlap with the rest of
 * the line is replaced, what stands in the next lines is not suggested again, and a text that only repeats itself is not
 * suggested at all.
 * @param prefix text before the cursor
 * @param suffix text after it
 * @param path tells the language, whose brackets and quotes these are
 */
export function trim(text: string, prefix: string, suffix: string, path?: string): Trimmed {
  return trimmer(prefix, suffix, path)(text);
}

/** Whether a text begins with another and not in the middle of a word. */
function begins(beginning: string, text: string): boolean {
  return text.startsWith(beginning) && !splitsWord(text, beginning.length);
}

function letters(text: string): string {
  return text.replace(/\s+/g, '');
}

/** Whether what the cursor's line becomes is the next line over again. */
function repeatsBelow(text: string, following: readonly string[]): boolean {
  const [line = '', ...more] = text.split('\n', 2);
  const next = following.find((other) => other !== '');
  // More than brackets, where more is to come.
  return next !== undefined && line.trimEnd() === next && (more.length === 0 || /[\p{L}\p{N}]/u.test(line));
}

/** Drops the end of a text from where it goes on as the following lines do. */
function cutFollowing(text: string, line: string, following: readonly string[], family: Family): string {
  const lines = text.split('\n');
  const next = following.filter((other) => other !== '');
  if (next.length === 0) return text;
  // The first line continues the cursor's.
  const whole = lines.map((content, i) => (i === 0 ? line + content : content).trimEnd());
  const first = line.trim() === '' ? 0 : 1;
  for (let from = first; from < lines.length; from++) {
    const tail = whole.slice(from).filter((content) => content !== '');
    if (tail.length > 0 && tail.every((content, i) => content === next[i]) && !closesOwn(lines, from, family)) {
      return lines.slice(0, from).join('\n').trimEnd();
    }
  }
  return text;
}

/**
 * Whether lines from `from` on are only brackets that close what the lines before opened: then those that follow the
 * cursor close something else.
 */
function closesOwn(lines: readonly string[], from: number, family: Family): boolean {
  const tail = lines.slice(from).join('\n');
  if (!/^[\s)\]};,]*$/.test(tail)) return false;
  const closed = (text: string) => scan(text, family).closers.length;
  return closed(lines.join('\n')) === closed(lines.slice(0, from).join('\n'));
}

/** Repetitions of a line, or of a piece of a line, beyond which nothing more is to be expected. */
const LINE_REPEATS = 3;
const LONG_LINE_REPEATS = 2;
const LONG_LINE = 10;
const PIECE_REPEATS = 5;
const PIECE_CHARACTERS = 40;
const MIN_REPETITION = 20;

/**
 * A text up to where it repeats one line again and again, the line above the cursor's included; empty if that is all.
 * @param prefix text before the cursor
 */
function cutRepetition(text: string, prefix: string): string {
  const lines = text.split('\n');
  const [line = '', above = ''] = lastLines(prefix, 2).reverse();
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
    const repeats = Math.max(times, Math.ceil(MIN_REPETITION / length));
    if (text.endsWith(piece.repeat(repeats))) return true;
  }
  return false;
}
