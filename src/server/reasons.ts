/**
 * When nothing is suggested, and why, in the words that "Why No Suggestion?" shows. Pure.
 * What is right of the cursor is judged by `skipReason`, and what the model made of a place by `Completions`.
 */
import type { Trigger } from '../settings';

/** How a document changed last. */
export type LastChange = 'typing' | 'deletion' | 'undo' | 'redo';

/** Why suggestions in a document are blocked, manual ones too. */
export interface Blockers {
  readonly enable: boolean;
  readonly language: string;
  readonly languageOn: boolean;
  /** The glob of `thoughtline.exclude` that covers the file. */
  readonly excludedBy: string | undefined;
  /** Why there is no model. */
  readonly failure: string | undefined;
}

/** Why an automatic suggestion is suppressed. */
export interface AutoSuppressors {
  /** Until when suggestions are snoozed, in words. */
  readonly snoozed: string | undefined;
  readonly trigger: Trigger;
  readonly lastChange: LastChange;
  /** The whole text. */
  readonly text: () => string;
  /** Where the cursor is; undefined where that is not known. */
  readonly scope: () => 'code' | 'comment' | 'string' | undefined;
}

/** Why nothing is suggested, whether somebody asks or not. */
export function blockedBecause({ enable, language, languageOn, excludedBy, failure }: Blockers): string | undefined {
  if (!enable) return 'completion is switched off (thoughtline.enable)';
  if (!languageOn) return `completion is off for the language "${language}" (thoughtline.languages)`;
  if (excludedBy !== undefined) return `the file is excluded by "${excludedBy}" (thoughtline.exclude)`;
  return failure;
}

const MANUALLY = 'trigger a suggestion manually to get one there';

/** Why nothing is suggested automatically. */
export function autoSuppressedBecause({
  snoozed,
  trigger,
  lastChange,
  text,
  scope,
}: AutoSuppressors): string | undefined {
  if (snoozed !== undefined) return `suggestions are snoozed until ${snoozed}`;
  if (trigger === 'manual') return `suggestions come only when triggered manually (thoughtline.trigger)`;
  if (lastChange !== 'typing') return `nothing is suggested right after ${AFTER[lastChange]}: type on, or ${MANUALLY}`;
  if (hasConflict(text())) return `the file has merge conflicts; ${MANUALLY}`;
  const inside = trigger === 'code' ? scope() : undefined;
  if (inside === undefined || inside === 'code') return undefined;
  return `the cursor is in a ${inside} (thoughtline.trigger); ${MANUALLY}`;
}

const AFTER = { deletion: 'a deletion', undo: 'undo', redo: 'redo' } as const;

/** Whether a text holds a conflict as version control writes it: the beginning of one, and after it the end of one. */
export function hasConflict(text: string): boolean {
  const begin = lineWith(text, '<<<<<<< ', 0);
  return begin >= 0 && lineWith(text, '>>>>>>> ', begin) >= 0;
}

/** Where a line begins with a marker, at or after `from`; −1 where none does. */
function lineWith(text: string, marker: string, from: number): number {
  if (from === 0 && text.startsWith(marker)) return 0;
  const at = text.indexOf(`\n${marker}`, from);
  return at < 0 ? -1 : at + 1;
}

/**
 * What kind of change an edit is.
 * @param announced what the client said of it before, if it did
 * @param inserted the texts that the change inserts
 */
export function changeKind(announced: 'undo' | 'redo' | undefined, inserted: readonly unknown[]): LastChange {
  if (announced !== undefined) return announced;
  return inserted.length > 0 && inserted.every((text) => text === '') ? 'deletion' : 'typing';
}
