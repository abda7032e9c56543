/** How a next edit is drawn and read out: pure, without VS Code. */
import type { NextEdit } from '../protocol';
import { t } from './l10n';

/** Where the user looks. Lines are counted from 0. */
export interface Viewpoint {
  /** Address of the document in the active editor. */
  readonly uri: string;
  readonly cursorLine: number;
  /** What stands in the cursor's line before the cursor, and whether anything is selected. */
  readonly before: string;
  readonly selected: boolean;
  /** Lines on the screen: first and last of each stretch. */
  readonly visible: readonly (readonly [first: number, last: number])[];
}

/** Whether the place of an edit is on the screen. */
export function isOnScreen({ uri, range }: NextEdit, view: Viewpoint): boolean {
  const line = range.start.line;
  return uri === view.uri && view.visible.some(([first, last]) => first <= line && line <= last);
}

/** Whether Tab belongs to the edit: not where it indents a line or a selection. */
export function takesTab({ uri, range }: NextEdit, view: Viewpoint): boolean {
  const here = uri === view.uri && range.start.line === view.cursorLine;
  return !view.selected && (here || view.before.trim() !== '');
}

/** The new text as it is drawn: blanks at its ends are seen, and a long one is cut. */
export function drawn(newText: string): string {
  const text = newText.replace(/\s/g, '\u00a0');
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** What is shown at the cursor while the place is not on the screen. @param file name of the file, where it is another */
export function hint({ range }: NextEdit, file: string | undefined): string {
  const line = range.start.line + 1;
  return file === undefined ? t('Tab: next edit in line {0}', line) : t('Tab: next edit in {0}, line {1}', file, line);
}

/** What is shown behind the new text. */
export function keyHint(everywhere: boolean): string {
  return everywhere ? t('Tab: rename everywhere') : t('Tab');
}

/** What a screen reader says. */
export function spoken({ range, oldText, newText }: NextEdit, file: string | undefined, everywhere: boolean): string {
  const line = range.start.line + 1;
  const where = file === undefined ? t('line {0}', line) : t('{0}, line {1}', file, line);
  return t('Next edit, {0}: {1}. Tab accepts it, Escape dismisses it.', where, what(oldText, newText, everywhere));
}

function what(oldText: string, newText: string, everywhere: boolean): string {
  if (everywhere) return t('rename {0} to {1} everywhere', oldText, newText);
  if (oldText === '') return t('insert {0}', newText);
  return newText === '' ? t('delete {0}', oldText) : t('replace {0} by {1}', oldText, newText);
}
