import type { TextEdit } from './history';
import { lineAt } from './tokens';

/** Two texts for one place: what stands there, and what would. Each goes on to the end of its line. */
export interface Targets {
  readonly prefix: string;
  readonly suffix: string;
  readonly oldTarget: string;
  readonly newTarget: string;
}

/** Characters of a text that a model is shown before and after a place. */
const BEFORE = 2_048;
const AFTER = 512;

/** Of the line behind an edit so much is compared, too: what does not fit shows there. */
const REST = 60;

/** What a model has to compare to judge an edit. @param text in which the old text stands; line ends are `\n` */
export function targetsOf({ start, oldText, newText }: TextEdit, text: string): Targets {
  const end = start + oldText.length;
  const line = lineAt(text, end);
  const rest = text.slice(end, Math.min(line.end, end + REST)).replace(/\r$/, '');
  const from = start > BEFORE ? lineAt(text, start - BEFORE).end + 1 : 0;
  const behind = end + rest.length;
  return {
    prefix: text.slice(Math.min(from, start), start),
    suffix: text.slice(behind, behind + AFTER),
    oldTarget: oldText + rest,
    newTarget: newText + rest,
  };
}
