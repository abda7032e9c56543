/** When the model is asked, and when to think. Pure. */
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

/** What is known about the thought on a document when the editor is at rest. */
export interface Thinking {
  /** Setting: gradient steps; 0 = no thinking. */
  readonly steps: number;
  /** Steps that the last thinking was told to take, undefined where there was none. */
  readonly thoughtSteps: number | undefined;
  /** Whether it was for a cursor that the user had really been at, not for the guess at opening. */
  readonly thoughtAtCursor: boolean;
  /** Whether the user's cursor is known by now. */
  readonly cursorKnown: boolean;
  /** Whether the document, its siblings or the cursor changed since. */
  readonly changed: boolean;
}

/**
 * How to think next about the document the user is in. Cold: T steps from the prior; follow: from the thought before, on
 * the chunks that changed, if few did.
 */
export function nextThinking(now: Thinking): 'none' | 'cold' | 'follow' {
  if (now.steps === 0) return 'none';
  if (now.thoughtSteps !== now.steps) return 'cold';
  if (!now.changed) return 'none';
  return now.cursorKnown && !now.thoughtAtCursor ? 'cold' : 'follow';
}

/** The editor counts as at rest when nothing was typed or asked for this long. */
export const restMs = 250;

/** Milliseconds until thinking may begin; 0 = now. */
export function thinkingDelay(sinceActivityMs: number): number {
  return Math.max(0, restMs - sinceActivityMs);
}
