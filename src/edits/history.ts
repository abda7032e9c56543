/** What the user has changed recently, keystroke by keystroke, as edits: old text → new text. */

/** One change of a text, as an editor tells it. */
export interface Change {
  /** Where it begins, in UTF-16 units, in the text before and after. */
  readonly offset: number;
  readonly removed: string;
  readonly inserted: string;
}

/** A stretch of a text that was replaced. `start` is where `newText` stands now, in UTF-16 units. */
export interface TextEdit {
  readonly start: number;
  readonly oldText: string;
  readonly newText: string;
}

/** An edit of a user: `time` is that of its last keystroke, in milliseconds of any clock. */
export interface RecentEdit extends TextEdit {
  readonly time: number;
}

/** A stretch that was changed: what stood there, and how long what stands there now is. */
interface Group {
  readonly start: number;
  readonly oldText: string;
  readonly length: number;
  readonly time: number;
}

/** Edits that are remembered; older ones are forgotten. */
const KEPT = 8;

/** After ten minutes nobody goes on with an edit. */
const LIFE_MS = 600_000;

/** What is typed next to an edit after a longer pause is another edit. */
const PAUSE_MS = 5_000;

/** A larger change is no typing: a formatter, a paste, another branch. Then nothing that was before counts. */
const MAX_CHARACTERS = 2_000;
const MAX_LINES = 40;

/** The edits of one document. A pure state machine: changes go in, in the order in which they are made. */
export class EditHistory {
  /** The latest last. */
  #groups: readonly Group[] = [];

  /**
   * The text was changed.
   * @param told the only change; undefined where it is another text, or where several places changed at once
   * (several cursors, a rename, a formatter)
   */
  changed(told: Change | undefined, time: number): void {
    // A client may tell the whole text for every key.
    const change = told && isLarge(told) ? smallestChange(told) : told;
    if (!change || isLarge(change)) {
      this.#groups = [];
      return;
    }
    const { offset, removed, inserted } = change;
    if (removed === '' && inserted === '') return;
    const touched = this.#groups.filter((group) => continues(group, change, time));
    const grown = inserted.length - removed.length;
    const others = this.#groups.flatMap((group) => (touched.includes(group) ? [] : moved(group, change)));
    const start = Math.min(offset, ...touched.map((group) => group.start));
    const end = Math.max(offset + removed.length, ...touched.map((group) => group.start + group.length));
    const group = { start, oldText: textBefore(touched, change, start, end), length: end - start + grown, time };
    this.#groups = [...others, group].slice(-KEPT);
  }

  /** Nothing that was done so far counts. */
  clear(): void {
    this.#groups = [];
  }

  /**
   * The edits that still stand, the latest first, each of whole words. What was undone is none.
   * @param text the text now
   */
  recent(text: string, now: number): RecentEdit[] {
    return this.#groups
      .filter(({ time }) => now - time < LIFE_MS)
      .flatMap(({ start, oldText, length, time }) => {
        const edit = wholeWords(smallest({ start, oldText, newText: text.slice(start, start + length) }), text);
        return edit.oldText === edit.newText || isLongEdit(edit) ? [] : [{ ...edit, time }];
      })
      .reverse();
  }
}

/** Whether a change goes on with an edit: it overlaps it, or comes right next to it soon and in the same line. */
function continues({ start, length, time }: Group, { offset, removed, inserted }: Change, now: number): boolean {
  const end = offset + removed.length;
  if (offset < start + length && end > start) return true;
  const touches = offset <= start + length && end >= start;
  return touches && now - time < PAUSE_MS && !inserted.includes('\n');
}

/** Where an edit that a change does not touch stands after it. An edit that only shares a border with it is kept. */
function moved(group: Group, { offset, removed, inserted }: Change): Group[] {
  const before = offset + removed.length <= group.start;
  return [before ? { ...group, start: group.start + inserted.length - removed.length } : group];
}

/** What stood in a stretch before the edits in it, all of which a change touches, and before the change. */
function textBefore(touched: readonly Group[], { offset, removed }: Change, start: number, end: number): string {
  let text = '';
  let at = start;
  const inOrder = [...touched].sort((a, b) => a.start - b.start);
  for (const group of inOrder) {
    text += removed.slice(Math.max(0, at - offset), Math.max(0, group.start - offset)) + group.oldText;
    at = group.start + group.length;
  }
  return text + removed.slice(Math.max(0, at - offset), Math.max(0, end - offset));
}

/** An edit without what it removes and inserts again at its ends. */
export function smallest({ start, oldText, newText }: TextEdit): TextEdit {
  const max = Math.min(oldText.length, newText.length);
  let front = 0;
  while (front < max && oldText[front] === newText[front]) front++;
  let back = 0;
  while (back < max - front && oldText.at(-1 - back) === newText.at(-1 - back)) back++;
  return {
    start: start + front,
    oldText: oldText.slice(front, oldText.length - back),
    newText: newText.slice(front, newText.length - back),
  };
}

function smallestChange({ offset, removed, inserted }: Change): Change {
  const { start, oldText, newText } = smallest({ start: offset, oldText: removed, newText: inserted });
  return { offset: start, removed: oldText, inserted: newText };
}

/** An edit of whole words: what is typed at the end of a name replaces the name. @param text the text with the edit in it */
export function wholeWords({ start, oldText, newText }: TextEdit, text: string): TextEdit {
  let from = start;
  let to = start + newText.length;
  const begins = isWord(oldText[0]) || isWord(newText[0]);
  const ends = isWord(oldText.at(-1)) || isWord(newText.at(-1));
  if (begins) while (isWord(text[from - 1])) from--;
  if (ends) while (isWord(text[to])) to++;
  const [left, right] = [text.slice(from, start), text.slice(start + newText.length, to)];
  return { start: from, oldText: left + oldText + right, newText: left + newText + right };
}

/** Whether a character is part of a name or a number. */
export function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_$]/u.test(character);
}

function isLarge({ removed, inserted }: Change): boolean {
  return [removed, inserted].some((text) => text.length > MAX_CHARACTERS || lines(text) > MAX_LINES);
}

/** Keystrokes in one place may grow to what no single change may be. */
function isLongEdit({ oldText, newText }: TextEdit): boolean {
  return oldText.length > MAX_CHARACTERS || newText.length > MAX_CHARACTERS;
}

function lines(text: string): number {
  let count = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
