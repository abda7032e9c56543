/** What the user did not want at a place: it is not offered there automatically again. A pure state machine. */
import { normaliseNewlines } from '../text';
import type { Context } from './continuation';

/** A change of a text. */
export interface Edit {
  /** Where it begins, in the text before and after. */
  readonly offset: number;
  readonly removed: string;
  readonly inserted: string;
}

interface Refused {
  /** The text around the place. */
  readonly around: string;
  readonly text: string;
}

/** Places that are remembered; older ones are forgotten. */
const KEPT = 16;

/** The text around a place by which it is known again: the cursor's line and these many before and after it … */
const LINES_BEFORE = 2;
const LINES_AFTER = 2;
/** … as far as they are no longer than this to each side. */
const CHARACTERS = 400;

/**
 * What was dismissed, undone or deleted at a place is refused there until the text around the place is another. Typing its
 * first letters changes that text, which brings the rest back.
 */
export class Refusals {
  #refused: readonly Refused[] = [];
  /** What was deleted last, key by key, where that is, and what is refused for it. */
  #deletion: { readonly offset: number; readonly text: string; readonly refused: Refused | undefined } | undefined;

  /** @param after the text after the change */
  changed(edit: Edit, after: string): void {
    const { offset, removed, inserted } = smallest(edit);
    const before = this.#deletion;
    this.#deletion = undefined;
    if (inserted !== '' || removed === '') return;
    let text = removed;
    // Backspace deletes what is before the last deletion, Delete what is after it.
    const isContinued = before !== undefined && (offset + removed.length === before.offset || offset === before.offset);
    if (isContinued) text = offset === before.offset ? before.text + removed : removed + before.text;
    if (isContinued) this.#refused = this.#refused.filter((one) => one !== before.refused);
    const at = { prefix: after.slice(0, offset), suffix: after.slice(offset) };
    this.#deletion = { offset, text, refused: this.#refuse(at, text) };
  }

  /** The user sent a suggestion away. */
  dismissed(at: Context, text: string): void {
    this.#refuse(at, text);
  }

  /** The user asked for suggestions at a place: whatever was refused there is wanted. */
  wanted(at: Context): void {
    const around = aroundOf(at);
    this.#refused = this.#refused.filter((one) => one.around !== around);
  }

  /** Whether a text is, or begins with, what was refused at a place, or is its beginning. */
  refuses(at: Context, text: string): boolean {
    if (this.#refused.length === 0) return false;
    const around = aroundOf(at);
    const offered = text.trim();
    return this.#refused.some(
      (one) => one.around === around && (offered.startsWith(one.text) || one.text.startsWith(offered)),
    );
  }

  #refuse(at: Context, whole: string): Refused | undefined {
    const text = normaliseNewlines(whole).trim();
    // Whose blanks are deleted moves lines, and refuses nothing.
    if (text === '') return undefined;
    const refused = { around: aroundOf(at), text };
    this.#refused = [...this.#refused, refused].slice(-KEPT);
    return refused;
  }
}

/** A change without what it removes and inserts again. */
export function smallest({ offset, removed, inserted }: Edit): Edit {
  const max = Math.min(removed.length, inserted.length);
  let start = 0;
  while (start < max && removed[start] === inserted[start]) start++;
  let end = 0;
  while (end < max - start && removed.at(-1 - end) === inserted.at(-1 - end)) end++;
  return {
    offset: offset + start,
    removed: removed.slice(start, removed.length - end),
    inserted: inserted.slice(start, inserted.length - end),
  };
}

function aroundOf({ prefix, suffix }: Context): string {
  // Twice as much as is compared: line ends may be of two characters.
  const before = normaliseNewlines(prefix.slice(-2 * CHARACTERS)).split('\n');
  const after = normaliseNewlines(suffix.slice(0, 2 * CHARACTERS)).split('\n');
  return JSON.stringify([
    before.slice(-1 - LINES_BEFORE).join('\n').slice(-CHARACTERS),
    after.slice(0, 1 + LINES_AFTER).join('\n').slice(0, CHARACTERS),
  ]); // prettier-ignore
}
