import { lineAt } from '../../src/edits/tokens';
import { textLines } from '../../src/text';
import { diff, distance } from './diff';
import type { ChangedFile } from './histories';

/** One edit of a file's way from before to after. */
export interface Step {
  /** Where it begins and ends in the text as it was before all edits. */
  readonly start: number;
  readonly end: number;
  readonly newText: string;
}

/** Lines that have less in common, or that differ in more places, were not edited but written again. */
const MIN_ALIKE = 0.6;
const MAX_PLACES = 3;

/**
 * The edits by which somebody may have made one text of another, in the order of the text: lines that took the place of
 * others are compared token by token. Undefined where too much has changed.
 */
export function stepsOf({ before, after }: Pick<ChangedFile, 'before' | 'after'>): Step[] | undefined {
  const [old, now] = [textLines(before), textLines(after)];
  const hunks = diff(old, now);
  if (!hunks) return undefined;
  const starts = [0];
  for (const line of old) starts.push(starts.at(-1)! + line.length);
  return hunks.flatMap(({ start, end, replacement }) => {
    if (end - start !== replacement.length) {
      return [{ start: starts[start]!, end: starts[end]!, newText: replacement.join('') }];
    }
    return replacement.flatMap((line, i) => lineSteps(old[start + i]!, line, starts[start + i]!));
  });
}

function lineSteps(before: string, after: string, base: number): Step[] {
  const [old, now] = [pieces(before), pieces(after)];
  const hunks = diff(old, now);
  const kept = old.length - (hunks ?? []).reduce((sum, { start, end }) => sum + end - start, 0);
  if (!hunks || hunks.length > MAX_PLACES || kept < MIN_ALIKE * Math.max(old.length, now.length)) {
    return [{ start: base, end: base + before.length, newText: after }];
  }
  const at = (index: number) => base + old.slice(0, index).join('').length;
  return hunks.map(({ start, end, replacement }) => ({
    start: at(start),
    end: at(end),
    newText: replacement.join(''),
  }));
}

/** Words, blanks, and other characters one by one. */
function pieces(text: string): string[] {
  return text.match(/[\p{L}\p{N}_$]+|\s+|[^\s\p{L}\p{N}_$]/gu) ?? [];
}

/** A file on its way: some of its edits are made, the others are yet to come. */
export class Way {
  #text: string;
  readonly #pending: { start: number; end: number; newText: string; done: boolean }[];

  constructor(
    readonly path: string,
    before: string,
    steps: readonly Step[],
  ) {
    this.#text = before;
    this.#pending = steps.map((step) => ({ ...step, done: false }));
  }

  get text(): string {
    return this.#text;
  }

  get length(): number {
    return this.#pending.length;
  }

  /** Where an edit is to be made, in the text as it is now. */
  startOf(index: number): number {
    return this.#pending[index]!.start;
  }

  /** An edit that is to be made, in the text as it is now. */
  planned(index: number): { start: number; end: number; inserted: string } {
    const { start, end, newText } = this.#pending[index]!;
    return { start, end, inserted: newText };
  }

  /** Where the line begins in which an edit is to be made, in the text as it is now. */
  lineOf(index: number): number {
    return lineAt(this.#text, this.startOf(index)).start;
  }

  /** Makes an edit. @returns it as an editor would tell it */
  make(index: number): { offset: number; removed: string; inserted: string } {
    const step = this.#pending[index]!;
    const { start, end, newText } = step;
    const removed = this.#text.slice(start, end);
    this.#text = this.#text.slice(0, start) + newText + this.#text.slice(end);
    step.done = true;
    for (const other of this.#pending) {
      if (other === step || other.start < end || other.start < start) continue;
      other.start += newText.length - removed.length;
      other.end += newText.length - removed.length;
    }
    return { offset: start, removed, inserted: newText };
  }

  /**
   * Whether an edit is one of those to come, or a part of them: whoever makes it has that much less left to do.
   * @returns the edits to come that it makes, or a part of which it makes; undefined if it is wrong
   */
  onTheWay(edit: { start: number; oldText: string; newText: string }): number[] | undefined {
    const end = edit.start + edit.oldText.length;
    const line = { start: lineAt(this.#text, edit.start).start, end: lineAt(this.#text, end).end };
    const near = this.#pending.flatMap((step, index) => {
      const touches = !step.done && step.start <= line.end && step.end >= line.start;
      return touches ? [{ ...step, index }] : [];
    });
    const from = Math.min(line.start, ...near.map((step) => step.start));
    const to = Math.max(line.end, ...near.map((step) => step.end));
    const apply = (changes: readonly { start: number; end: number; newText: string }[]) => {
      let text = '';
      let at = from;
      for (const change of changes) {
        text += this.#text.slice(at, change.start) + change.newText;
        at = change.end;
      }
      return pieces(text + this.#text.slice(at, to));
    };
    const [now, goal, offered] = [apply([]), apply(near), apply([{ start: edit.start, end, newText: edit.newText }])];
    const [whole, rest, part] = [distance(now, goal), distance(offered, goal), distance(now, offered)];
    if (whole === undefined || rest === undefined || part === undefined || part === 0) return undefined;
    if (rest + part !== whole) return undefined;
    return near.filter((step) => step.start <= end && step.end >= edit.start).map(({ index }) => index);
  }
}
