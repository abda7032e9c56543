import { isSubsequence } from '../syntax/edit';
import { onlyCloses } from '../syntax/lineRest';

/** Decisions about when to ask the model, and when what it said before still answers. All pure. */

/** The text around a cursor, line ends `\n`. */
export interface Context {
  readonly prefix: string;
  readonly suffix: string;
}

/** What the model wrote for a context: `text` goes between prefix and suffix, in place of `replaceSuffix` characters. */
export interface Suggestion extends Context {
  readonly text: string;
  readonly replaceSuffix: number;
}

export interface Continuation {
  readonly text: string;
  readonly replaceSuffix: number;
}

/**
 * What is left of a suggestion at a later cursor, if the user typed along with it: accepting it must give the very text
 * that accepting the suggestion would have given. Brackets that the editor closed by itself, or that the user typed
 * over, are on the cursor's line after it and are covered where the rest holds them too.
 *
 * @returns undefined when the user typed something else, something before the suggestion changed, or nothing is left.
 */
export function continuation(suggestion: Suggestion, at: Context): Continuation | undefined {
  const { prefix, suffix, text, replaceSuffix } = suggestion;
  const typed = at.prefix.length - prefix.length;
  if (typed < 0 || typed >= text.length) return undefined;
  if (!text.startsWith(at.prefix.slice(prefix.length)) || !at.prefix.startsWith(prefix)) return undefined;
  // What stays behind the accepted text must be the same.
  const behind = suffix.length - replaceSuffix;
  const covered = at.suffix.length - behind;
  if (covered < 0 || covered > lineEnd(at.suffix) || at.suffix.slice(covered) !== suffix.slice(replaceSuffix)) {
    return undefined;
  }
  const rest = text.slice(typed);
  if (!isSubsequence(at.suffix.slice(0, covered), rest)) return undefined;
  return { text: rest, replaceSuffix: covered };
}

/**
 * Whether the answer to a run begun at `run` may still serve at `at`: typed on from there, nothing below the cursor's line
 * changed. The answer itself then decides, by `continuation`.
 */
export function mayServe(run: Context, at: Context, maxTyped = 80): boolean {
  const typed = at.prefix.length - run.prefix.length;
  return (
    typed >= 0 &&
    typed <= maxTyped &&
    at.prefix.startsWith(run.prefix) &&
    at.suffix.slice(lineEnd(at.suffix)) === run.suffix.slice(lineEnd(run.suffix))
  );
}

/**
 * Whether the answer to a run may still serve anywhere in a text that has changed since: nothing before the run's cursor
 * nor below its line is another. If not, the run is stopped at its next token.
 */
export function couldServe(run: Context, text: string, maxTyped = 80): boolean {
  const below = run.suffix.slice(lineEnd(run.suffix));
  const line = text.length - run.prefix.length - below.length;
  return line >= 0 && line <= maxTyped + lineEnd(run.suffix) && text.startsWith(run.prefix) && text.endsWith(below);
}

/** A suggestion that has stood for this long is being read: there is time to see what would follow it. */
export const prefetchDelayMs = 120;

/** A run whose request the editor has cancelled waits this long for another that it may serve. */
export const detachAfterMs = 500;

/** The context once a suggestion is accepted there. */
export function accepted(at: Context, left: Continuation): Context {
  return { prefix: at.prefix + left.text, suffix: at.suffix.slice(left.replaceSuffix) };
}

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

function lineEnd(text: string): number {
  const at = text.indexOf('\n');
  return at < 0 ? text.length : at;
}
