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

/** A suggestion remembered, with the version of the thought it was made under. */
export interface Remembered extends Suggestion {
  readonly thought: number;
  /** What follows the suggestion on screen when that is accepted. */
  readonly prefetched?: boolean;
  /** Another for the same place, which the user may choose instead of the one on screen. */
  readonly alternative?: boolean;
}

const MAX_EMPTY_RESULTS = 8;

/** Each suggestion holds the text around it: of a long document fewer are kept, for about so many characters in all. */
const KEPT_CHARACTERS = 1 << 22;

function capacityFor(max: number, { prefix, suffix }: Context): number {
  return Math.max(2, Math.min(max, Math.floor(KEPT_CHARACTERS / (1 + prefix.length + suffix.length))));
}

/**
 * The suggestions of one document, the one on screen last. It goes on while the user types along with it, whatever was
 * thought meanwhile, and so do what was prefetched for the moment when it is accepted, and what can be chosen instead.
 * Others answer only under the thought they were made under.
 */
export class SuggestionMemory {
  #entries: Remembered[] = [];
  /** Places for which the model had nothing. */
  #empty: (Context & { readonly thought: number; readonly reason: string })[] = [];
  readonly #capacity: number;

  constructor(capacity = 24) {
    this.#capacity = capacity;
  }

  /** Remembers a suggestion that is about to be shown. */
  add(entry: Remembered): void {
    this.#entries = this.#entries.map(settled).slice(1 - capacityFor(this.#capacity, entry));
    this.#entries.push(settled(entry));
  }

  /** The suggestion on screen, if the last that was shown still is. */
  get shown(): Remembered | undefined {
    return this.#entries.at(-1);
  }

  /**
   * Remembers what the model wrote where `early` is shown already: it takes its place if it goes on with it, and else waits until
   * the user types something else.
   */
  addAfter(early: Remembered, entry: Remembered): void {
    const stays = this.shown === early && !entry.text.startsWith(early.text);
    this.add(entry);
    if (stays) this.show(early);
  }

  /** Remembers that the model had nothing for a place, and why. */
  addEmpty(at: Context, thought: number, reason: string): void {
    const { prefix, suffix } = at;
    this.#empty = [...this.#empty.slice(1 - capacityFor(MAX_EMPTY_RESULTS, at)), { prefix, suffix, thought, reason }];
  }

  /** Why the model had nothing for exactly this place, if it was asked under this thought. */
  emptyResult(at: Context, thought: number): string | undefined {
    const same = (other: Context) => other.prefix === at.prefix && other.suffix === at.suffix;
    return this.#empty.findLast((other) => other.thought === thought && same(other))?.reason;
  }

  /** Remembers what follows the suggestion on screen. */
  addPrefetched(entry: Remembered): void {
    const shown = this.#entries.slice(-1);
    const others = this.#entries.slice(0, -1).map((other) => ({ ...other, prefetched: false }));
    this.#entries = [...others, { ...entry, prefetched: true }, ...shown].slice(-capacityFor(this.#capacity, entry));
  }

  /** Remembers what may be chosen instead of the suggestion on screen. */
  addAlternatives(entries: readonly Remembered[]): void {
    const shown = this.#entries.slice(-1);
    const alternatives = entries.map((entry) => ({ ...entry, alternative: true })).reverse();
    const max = entries.length + capacityFor(this.#capacity, shown[0] ?? { prefix: '', suffix: '' });
    const others = this.#entries.slice(0, -1).map((other) => ({ ...other, alternative: false }));
    this.#entries = [...others, ...alternatives, ...shown].slice(-max);
  }

  /** What may be chosen at a place instead of a text, each text once, the first of `addBeside` first. */
  alternatives(at: Context, text: string): Continuation[] {
    const found = this.#entries
      .filter(({ alternative }) => alternative)
      .reverse()
      .flatMap((entry) => continuation(entry, at) ?? []);
    return found.filter((one, i) => one.text !== text && found.findIndex((other) => other.text === one.text) === i);
  }

  /** The one that `find` gave is now on screen. */
  show(entry: Remembered): void {
    if (this.#entries.at(-1) === entry) return;
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.add(entry);
  }

  /**
   * @param fresh only suggestions of the thought `thought` count, the one on screen too.
   */
  find(
    at: Context,
    thought: number,
    fresh = false,
  ): { entry: Remembered; left: Continuation; path: 'typedAlong' | 'cache' } | undefined {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i]!;
      const shown = i === this.#entries.length - 1;
      if (entry.thought !== thought && (fresh || !(shown || entry.prefetched || entry.alternative))) continue;
      const left = continuation(entry, at);
      if (left) return { entry, left, path: shown && at.prefix.length > entry.prefix.length ? 'typedAlong' : 'cache' };
    }
    return undefined;
  }

  /** The thoughts are gone: only the suggestion on screen may still serve. */
  outdate(): void {
    this.#empty = [];
    this.#entries = this.#entries.slice(-1).map((entry) => ({ ...entry, thought: -1 }));
  }
}

function settled(entry: Remembered): Remembered {
  return entry.prefetched || entry.alternative ? { ...entry, prefetched: false, alternative: false } : entry;
}

function lineEnd(text: string): number {
  const at = text.indexOf('\n');
  return at < 0 ? text.length : at;
}
