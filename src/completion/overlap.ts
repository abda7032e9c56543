import { isSubsequence } from '../syntax/edit';
import type { Family } from '../syntax/families';
import type { Closer, Frame, Opened, Scan, Span } from '../syntax/frames';
import { scan } from '../syntax/scanner';
import { isBoundary, joinsWord, splitsEscape, splitsGrapheme, splitsWord } from './boundary';
import { lineState, type LineState } from '../syntax/lineState';

/** A text as it fits between what stands on either side of the cursor. */
export interface Overlap {
  readonly text: string;
  /** Characters right of the cursor that the text holds: the editor replaces them. */
  readonly covered: number;
  /** Why nothing is left of the text, if nothing is. */
  readonly reason?: string;
}

/** Characters of a line on either side of the cursor that are looked at. */
const LINE = 20_000;
/** Characters before the cursor that tell what a quote or a slash means. */
const CONTEXT = 64;

/** The cursor's line, and what follows it. */
export interface CursorLine {
  readonly line: string;
  readonly rest: string;
  /** Some lines after the cursor's. */
  readonly following: string;
}

/** A closer by its place in its own text, and which it is of those that close what is not known. */
interface Placed extends Closer {
  readonly outer: number;
}

/** A piece of the text up to and with a closer that stands right of the cursor, too. */
interface Step {
  readonly text: string;
  /** Where the closer begins in the text, and where the text goes on after it. */
  readonly at: number;
  readonly from: number;
  readonly covered: number;
}

/**
 * Finds the overlap of texts with what is right of the cursor. What a text closes of what the line opened, and what stands
 * there to close it, are one: it is replaced, and so is what stands before it if the text holds it. Where the text would
 * lose something that stands there, or close it twice, it ends before that.
 */
export function overlapAt({ line, rest, following }: CursorLine, family: Family): (text: string) => Overlap {
  const matcher = new Matcher(line.slice(-LINE), rest.slice(0, LINE), following, family);
  return (text) => matcher.fit(text);
}

class Matcher {
  readonly #line: string;
  readonly #context: string;
  readonly #rest: string;
  readonly #following: string;
  readonly #family: Family;
  readonly #start: LineState;
  readonly #after: Scan;
  /** What the rest of the line closes. */
  readonly #closing: readonly Placed[];
  #below: readonly (Placed & { readonly indentation: number })[] | undefined;

  constructor(line: string, rest: string, following: string, family: Family) {
    this.#line = line;
    this.#context = line.slice(-CONTEXT);
    this.#rest = rest;
    this.#following = following;
    this.#family = family;
    this.#start = lineState(line, rest, family);
    this.#after = this.#scan(rest);
    this.#closing = placed(this.#after, this.#context.length);
  }

  fit(text: string): Overlap {
    const begun = this.#begun(text);
    if (typeof begun === 'string') return { text: '', covered: 0, reason: begun };
    const scanned = this.#scan(text);
    const { steps, end } = this.#steps(text, placed(scanned, this.#context.length), begun);
    const { text: kept, covered } = this.#tail(text, end, scanned, steps);
    // A word of which the text is the beginning is the user's own.
    const runsOn = joinsWord(kept, this.#rest.slice(covered)) && !splitsWord(this.#rest, covered);
    if (runsOn) {
      return { text: '', covered: 0, reason: 'the suggestion runs into the word right of the cursor' };
    }
    return { text: kept, covered };
  }

  /** What must stand at the beginning of a text since the cursor is inside of it; or why no text can stand there. */
  #begun(text: string): Step | string {
    const [line, rest] = [this.#context, this.#rest];
    let length = 0;
    let inside = 'a word';
    if (rest !== '' && splitsGrapheme(line + rest.slice(0, CONTEXT), line.length))
      return 'the cursor is inside a character';
    if (joinsWord(line, rest)) {
      length = 1;
      while (length < rest.length && splitsWord(rest, length)) length++;
    } else if (this.#start.carried > 0 && rest !== '') {
      length = 1;
      inside = 'an escape';
    }
    const whole = text.startsWith(rest.slice(0, length)) && (length === 0 || isBoundary(text, length));
    return whole
      ? { text: text.slice(0, length), at: 0, from: length, covered: length }
      : `the cursor is inside ${inside}`;
  }

  #scan(text: string): Scan {
    const { open, carried } = this.#start;
    return scan(this.#context + text, this.#family, { open, from: this.#context.length + carried });
  }

  /** The closers that text and rest of the line have in common, and where the text has to end before another. */
  #steps(text: string, closers: readonly Placed[], begun: Step): { steps: Step[]; end: number } {
    const steps = [begun];
    for (const closer of closers) {
      const { from, covered } = steps.at(-1) as Step;
      if (closer.at < from) continue;
      if (closer.stray) return { steps, end: closer.at };
      const other = this.#closing.find((one) => one.at >= covered && closesSame(one, closer));
      if (!other) {
        if (this.#closedBelow(text, closer)) return { steps, end: closer.at };
        continue;
      }
      const piece = holding(text.slice(from, closer.at), this.#rest.slice(covered, other.at));
      if (piece === undefined || other.text !== closer.text || splitsGrapheme(this.#rest, other.end)) {
        return { steps, end: closer.at };
      }
      steps.push({ text: piece + closer.text, at: closer.at, from: closer.end, covered: other.end });
    }
    return { steps, end: text.length };
  }

  /** Joins the pieces with what the text holds after them, or ends the text before a closer that is followed by something else. */
  #tail(text: string, whole: number, scanned: Scan, steps: Step[]): { text: string; covered: number } {
    let end = whole;
    for (;;) {
      const { from, covered, at } = steps.at(-1) as Step;
      const next = this.#closing.find((closer) => closer.at >= covered)?.at ?? this.#rest.length;
      const first = this.#rest.slice(covered, next);
      let tail = text.slice(from, end);
      if (end < text.length && /^\s/.test(this.#rest.slice(covered))) tail = tail.trimEnd();
      const done = steps.map((step) => step.text).join('');
      const before = tail.trim() === '' || steps.length === 1 || !this.#substantial(covered, first);
      const variants = [
        this.#end(text.slice(0, from) + tail, from, first, scanned),
        this.#end(text.slice(0, from) + tail.trimEnd(), from, first, scanned),
        this.#held(tail, first, next),
        before && { text: tail, covered: 0 },
      ];
      for (const variant of variants) {
        if (variant && this.#agrees(done + variant.text, covered + variant.covered)) {
          return { text: done + variant.text, covered: covered + variant.covered };
        }
      }
      if (steps.length === 1) return { text: done + tail, covered };
      steps.pop();
      end = at;
    }
  }

  /** Whether the text has opened what the covered part of the rest has, as far as that is closed behind it. */
  #agrees(text: string, covered: number): boolean {
    const at = this.#context.length + covered;
    const across = ({ from, to }: Span) => from < at && at < to;
    if (covered === 0 || this.#after.delimiters.some(across)) return covered === 0;
    const wanted = this.#after.opened
      .filter((one) => across(one) && one.frame && !one.frame.soft)
      .filter((one) => one.to < Infinity || this.#closesBelow(one.frame as Frame))
      .sort((a, b) => a.from - b.from)
      .map((one) => one.frame?.close);
    if (wanted.length === 0) return true;
    let found = 0;
    for (const frame of this.#scan(text).open) {
      if (!this.#start.open.includes(frame) && frame.close === wanted[found]) found++;
    }
    return found === wanted.length;
  }

  #closesBelow(frame: Frame): boolean {
    this.#below ??= this.#scanBelow();
    return this.#below.some((closer) => closer.frame === frame);
  }

  /** The longest end of a text with which the next piece of the rest begins. */
  #end(
    text: string,
    from: number,
    piece: string,
    { opened, delimiters }: Scan,
  ): { text: string; covered: number } | undefined {
    const blank = /^\s*/.exec(piece)![0];
    const first = piece.slice(blank.length);
    const offset = this.#context.length;
    for (const length of borders(first, text.slice(from))) {
      const at = text.length - length;
      // What the text itself has opened there is not what stands right of the cursor.
      const within = (span: Span) => span.from - offset < at && at < span.to - offset;
      if (opened.some((one) => within(one) && isSealed(one)) || delimiters.some(within)) continue;
      if (joinsWord(this.#context + text.slice(0, at), first)) continue;
      if (splitsGrapheme(text, at) || splitsGrapheme(first, length) || splitsEscape(text, at)) continue;
      const before = withBlanks(text.slice(from, at), blank);
      return { text: before + text.slice(at), covered: blank.length + length };
    }
    return undefined;
  }

  /** A text that holds the next piece of the rest, word for word and with more between. */
  #held(tail: string, piece: string, next: number): { text: string; covered: number } | undefined {
    // What is opened there is closed further down.
    if (next === this.#rest.length && opens(this.#after, this.#start.open)) return undefined;
    const kernel = piece.slice(0, this.#commentIn(piece, next)).replace(/[\s;,]+$/, '');
    if (!/[\p{L}\p{N}]/u.test(kernel)) return undefined;
    const text = holding(tail, kernel);
    return text === undefined ? undefined : { text, covered: kernel.length };
  }

  /** Where a comment begins in a piece of the rest that ends at `next`. */
  #commentIn(piece: string, next: number): number {
    const start = this.#context.length + next - piece.length;
    const comment = this.#after.comments.find((at) => at >= start);
    return comment === undefined ? piece.length : comment - start;
  }

  /** Whether something stands there that a text may not simply go before. */
  #substantial(covered: number, piece: string): boolean {
    const code = piece.slice(0, this.#commentIn(piece, covered + piece.length));
    return /[\p{L}\p{N}_$"'`([{<\\]|\/>/u.test(code);
  }

  /** Whether the lines below close what a text closes in the middle of a line. */
  #closedBelow(text: string, closer: Placed): boolean {
    const start = text.lastIndexOf('\n', closer.at - 1) + 1;
    const before = (start === 0 ? this.#line : '') + text.slice(start, closer.at);
    if (before.trim() === '') return false;
    const indentation = /^[ \t]*/.exec(this.#line)![0].length;
    this.#below ??= this.#scanBelow();
    return this.#below.some((one) => {
      if (one.text !== closer.text || !closesSame(one, closer)) return false;
      return one.frame === undefined || one.indentation >= indentation;
    });
  }

  #scanBelow() {
    const { open, carried } = this.#after;
    const context = this.#rest.slice(-CONTEXT);
    const text = `${context}\n${this.#following}`;
    const scanned = scan(text, this.#family, { open, from: context.length + carried });
    const outer = this.#closing.filter(({ frame, stray }) => !frame && !stray).length;
    return placed(scanned, 0, outer).map((closer) => {
      const line = text.slice(text.lastIndexOf('\n', closer.at) + 1, closer.at);
      return { ...closer, indentation: line.trim() === '' ? line.length : -1 };
    });
  }
}

function placed({ closers }: Scan, offset: number, before = 0): Placed[] {
  let outer = before;
  return closers.map((closer) => ({
    ...closer,
    at: closer.at - offset,
    end: closer.end - offset,
    outer: closer.frame || closer.stray ? -1 : outer++,
  }));
}

function closesSame(a: Placed, b: Placed): boolean {
  if (a.stray || b.stray || a.frame !== b.frame) return false;
  return a.frame !== undefined || a.outer === b.outer;
}

/** Whether nothing from outside can stand within: brackets that are still open may hold what stands right of the cursor. */
function isSealed({ to, frame }: Opened): boolean {
  return to < Infinity || frame?.mode === 'string' || frame?.mode === 'comment';
}

function opens({ open }: Scan, before: readonly Frame[]): boolean {
  return open.some((frame) => !frame.soft && !['angle', 'comment'].includes(frame.kind) && !before.includes(frame));
}

/** A text that ends with certain blanks, which may stand in place of others. */
function withBlanks(text: string, blanks: string): string {
  const own = /[^\S\n]*$/.exec(text)![0];
  return isSubsequence(blanks, own) ? text : text.slice(0, text.length - own.length) + blanks;
}

/** A text if it holds all words and signs of another in their order, with the blanks that this one ends with. */
function holding(text: string, other: string): string | undefined {
  const [words, wanted] = [pieces(text), pieces(other)];
  let found = 0;
  for (const word of words) if (word === wanted[found]) found++;
  if (found < wanted.length) return undefined;
  const blanks = /\s*$/.exec(other)![0];
  const joined = withBlanks(text, blanks);
  return isSubsequence(other, joined) ? joined : undefined;
}

function pieces(text: string): string[] {
  return text.match(/[\p{L}\p{N}\p{M}_$]+|[^\s]/gu) ?? [];
}

/** Lengths for which the beginning of one text is the end of another, the longest first: in linear time (Knuth, Morris and Pratt). */
function* borders(first: string, second: string): Generator<number> {
  const joined = [
    ...first.slice(0, second.length).split(''),
    '',
    ...second.slice(-first.length || second.length).split(''),
  ];
  const lengths = new Int32Array(joined.length);
  for (let i = 1; i < joined.length; i++) {
    let length = lengths[i - 1] as number;
    while (length > 0 && joined[i] !== joined[length]) length = lengths[length - 1] as number;
    if (joined[i] === joined[length]) length++;
    lengths[i] = length;
  }
  let length = first === '' || second === '' ? 0 : (lengths.at(-1) as number);
  while (length > 0) {
    yield length;
    length = lengths[length - 1] as number;
  }
}
