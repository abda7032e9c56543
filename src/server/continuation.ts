/** What a suggestion, or a run under way, still answers once the user has typed on. Pure. */
import { isSubsequence } from '../syntax/edit';

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

/** The context once a suggestion is accepted there. */
export function accepted(at: Context, left: Continuation): Context {
  return { prefix: at.prefix + left.text, suffix: at.suffix.slice(left.replaceSuffix) };
}

function lineEnd(text: string): number {
  const at = text.indexOf('\n');
  return at < 0 ? text.length : at;
}
