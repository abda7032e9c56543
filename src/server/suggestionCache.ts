import { continuation, type Context, type Continuation, type Suggestion } from './continuation';

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
export class SuggestionCache {
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

  /** What may be chosen at a place instead of a text, each text once, the first of `addAlternatives` first. */
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
