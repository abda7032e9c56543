import type { TextEdit } from './history';
import { lineAt } from './tokens';

/** Refusals that are remembered; older ones are forgotten. */
const KEPT = 64;

/** What the user did not want: it is not offered again. A pure state machine. */
export class RefusedEdits {
  #refused: readonly string[] = [];

  /** The user sent an edit away: it is offered nowhere. */
  dismissed(edit: Pick<TextEdit, 'oldText' | 'newText'>): void {
    this.#add(nameOf(edit));
  }

  /** The user went on without it: it is not offered in this line. @param text in which the old text stands */
  ignored(uri: string, edit: TextEdit, text: string): void {
    this.#add(placeOf(uri, edit, text));
  }

  refuses(uri: string, edit: TextEdit, text: string): boolean {
    return this.#refused.includes(nameOf(edit)) || this.#refused.includes(placeOf(uri, edit, text));
  }

  #add(key: string): void {
    this.#refused = [...this.#refused.filter((one) => one !== key), key].slice(-KEPT);
  }
}

function nameOf({ oldText, newText }: Pick<TextEdit, 'oldText' | 'newText'>): string {
  return JSON.stringify([oldText, newText]);
}

function placeOf(uri: string, edit: TextEdit, text: string): string {
  const line = lineAt(text, edit.start);
  return JSON.stringify([uri, edit.oldText, edit.newText, text.slice(line.start, line.end).trim()]);
}
