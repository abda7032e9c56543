/** When the model is asked, and when to think. Pure. */
import type { ThinkingMode } from '../inference/messages';
import { onlyCloses } from '../syntax/lineRest';
import type { Context } from './continuation';

/** A suggestion that has stood for this long is being read: there is time to see what would follow it. */
export const prefetchDelayMs = 120;

/** A run whose request the editor has cancelled waits this long for another that it may serve. */
export const detachAfterMs = 500;

/**
 * Why an automatic suggestion is not worth asking for, if so.
 *
 * @param invoked the user asked for it: then it always is.
 * @param lineRest what is right of the cursor on its line.
 * @param path tells the language, whose brackets, quotes and tags may stand there: see `onlyCloses`.
 * @param infills the model reads what is right of the cursor, and knows how sure it is: it is asked before text, too.
 */
export function skipReason(
  invoked: boolean,
  { prefix }: Context,
  lineRest: string,
  path: string,
  infills = false,
): string | undefined {
  const line = prefix.slice(prefix.lastIndexOf('\n') + 1);
  if (invoked || onlyCloses(line, lineRest, path)) return undefined;
  if (infills) {
    const inside = /[\p{L}\p{N}_$]$/u.test(line) && /^[\p{L}\p{N}_$]/u.test(lineRest);
    return inside ? 'the cursor is inside a word: trigger a suggestion manually to get one there' : undefined;
  }
  return 'there is text right of the cursor: trigger a suggestion manually to get one there';
}

/** Steps of a thought that are taken once the user rests, and, where more are wanted, in all when the machine is idle. */
export interface StepsWanted {
  readonly atRest: number;
  readonly idle: number;
}

/**
 * @param wanted the setting; undefined: as many steps as pay with the model
 * @param paying steps that pay with the model
 * @param onGpu there steps cost nothing that anybody notices
 */
export function stepsWanted(wanted: number | undefined, paying: number, onGpu: boolean): StepsWanted {
  const idle = wanted ?? paying;
  return { atRest: onGpu ? idle : Math.min(idle, paying), idle };
}

/** What is known about the thought on a document when the editor is at rest. */
export interface Thinking {
  /** Gradient steps wanted in all; 0 = no thinking. */
  readonly steps: number;
  /** Those that may be taken now. */
  readonly now: number;
  /** Steps of the thought that serves, undefined where there has been none. */
  readonly thoughtSteps: number | undefined;
  /** Whether it was for a cursor that the user had really been at, not for the guess at opening. */
  readonly thoughtAtCursor: boolean;
  /** Whether the user's cursor is known by now. */
  readonly cursorKnown: boolean;
  /** Whether the document, its siblings or the cursor changed since. */
  readonly changed: boolean;
  /** Whether they changed since the window was last read at rest. */
  readonly unread: boolean;
}

/**
 * What to do about the document the user is in. Cold: steps from the prior; follow: from the thought before, on the chunks
 * that changed, if few did; prepare: read the window as it is now, so that the next suggestion only has to be written.
 */
export function nextThinking(at: Thinking): ThinkingMode | 'none' {
  // A guess at the cursor is not worth reading a window.
  if (at.now === 0) return at.cursorKnown && at.unread ? 'prepare' : 'none';
  if (at.thoughtSteps === undefined || at.thoughtSteps < at.now || at.thoughtSteps > at.steps) return 'cold';
  if (!at.changed) return 'none';
  return at.cursorKnown && !at.thoughtAtCursor ? 'cold' : 'follow';
}

/** The editor counts as at rest when nothing was typed or asked for this long. */
export const restMs = 250;

/** The machine counts as idle when nothing was typed or asked for this long. */
export const idleMs = 5_000;

/** Milliseconds until something may begin that waits for a pause; 0 = now. */
export function delayUntil(pauseMs: number, sinceActivityMs: number): number {
  return Math.max(0, pauseMs - sinceActivityMs);
}
