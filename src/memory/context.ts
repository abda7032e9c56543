import type { Tokenizer } from '../model/tokenizer';
import { EncodedText } from './encoded';
import type { LongestMatch, CacheHit } from './prediction';
import { lastOf, NgramCache } from './ngramCache';
import { inFileMaskOf } from './inFileBoost';

/** A text around the cursor, named so that an edited one is known again. */
export interface Source {
  readonly key: string;
  readonly text: string;
  /** Whether it belongs to the file in which the cursor stands. */
  readonly own: boolean;
}

/**
 * What can be looked up while one completion is written: the texts around the cursor in order of their nearness. What it
 * holds depends on what it is shown only, not on what it was shown before; what they share costs nothing.
 */
export class ContextMemory {
  readonly #tokenizer: Tokenizer;
  readonly #vocabulary: number;
  readonly #window: number;
  readonly #store: NgramCache;
  #inFileMask: Uint8Array;
  #encoded = new Map<string, EncodedText>();
  #shown: readonly Source[] = [];
  /** Where the open file begins. */
  #own = 0;

  /** @param window tokens that a decoder reads */
  constructor(tokenizer: Tokenizer, vocabulary: number, window = 0) {
    this.#window = window;
    this.#tokenizer = tokenizer;
    this.#vocabulary = vocabulary;
    this.#store = new NgramCache({ vocabulary });
    this.#inFileMask = new Uint8Array(vocabulary);
  }

  get bytes(): number {
    return this.#store.bytes;
  }

  /** In-file mask: 1 for each token of the vocabulary that occurs in the file of the cursor, else 0. */
  get inFileMask(): Uint8Array {
    return this.#inFileMask;
  }

  /** How far its texts reach, in tokens. */
  get length(): number {
    return this.#store.length;
  }

  /**
   * Holds these texts from now on, and no others.
   * @param sources the farthest first; the last one ends at the cursor
   * @param taken tokens at the end of the last one that are not to be known: they will be generated again
   * @param deadline a text that is not encoded when `performance.now()` says this is left out, and goes on another time
   * @returns whether all of it is there
   */
  show(sources: readonly Source[], taken: number, deadline = Infinity): boolean {
    const encoded = new Map<string, EncodedText>();
    const ready = sources.toReversed().filter(({ key, text }) => {
      const tokens = this.#encoded.get(key) ?? new EncodedText();
      encoded.set(key, tokens);
      return tokens.update(text, this.#tokenizer, deadline);
    });
    this.#encoded = encoded;
    ready.reverse();

    const changed = ready.findIndex(({ key, text }, i) => key !== this.#shown[i]?.key || text !== this.#shown[i]?.text);
    const first = changed === -1 ? ready.length - 1 : changed;
    const grows = ready[first]?.key === this.#shown[first]?.key;
    for (const { key } of this.#shown.slice(first + (grows ? 1 : 0)).reverse()) this.#store.delete(key);
    const known = (key: string): readonly number[] => {
      const { tokens } = encoded.get(key) as EncodedText;
      return key === sources.at(-1)?.key ? tokens.slice(0, tokens.length - taken) : tokens;
    };
    for (const { key } of ready.slice(Math.max(0, first))) this.#store.put(key, known(key));
    const file = ready.filter((source) => source.own).map(({ key }) => known(key));
    this.#inFileMask = inFileMaskOf(file, this.#vocabulary);
    this.#shown = ready;
    const own = ready.find((source) => source.own);
    this.#own = own ? (this.#store.startOf(own.key) ?? 0) : this.#store.length;
    return ready.length === sources.length;
  }

  /**
   * How the text went on after the longest match of the context's end, the most recent of the equally long.
   * @param count tokens wanted at most
   * @returns the tokens, and how many before them are the same there; nothing, if none is
   */
  draft(context: readonly number[], count: number): LongestMatch {
    const matches = this.#store.matches(lastOf(context));
    const { length, position } = matches.reduce((best, match) => (match.length > best.length ? match : best), NOWHERE);
    return { tokens: length === 0 ? [] : this.#store.from(position, count), length };
  }

  /** Hits for the end of a context. */
  lookUp(context: readonly number[]): CacheHit[] {
    return this.#store.matches(lastOf(context)).map(({ token, length, position }) => {
      const distance = this.#store.length - position;
      const own = position >= this.#own;
      return { token, length, distance, own, read: own && distance <= this.#window };
    });
  }
}

const NOWHERE = { token: 0, length: 0, position: 0 };
