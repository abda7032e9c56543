import type { LongestMatch, CacheHit } from './prediction';
import { lastOf, NgramCache, WALKED, type Match, type PositionRange } from './ngramCache';

/** By which a file is known to be the one that was read. */
export interface Stamp {
  readonly mtimeMs: number;
  /** In bytes. */
  readonly size: number;
}

/**
 * Lengths of the contexts that are chained. A single token is found in the open files; in a whole workspace it says
 * little, and its chain would cost a quarter of the memory.
 */
const ORDERS = [3, 6];

/** Positions of one part: so few that writing it again is a short piece of work. */
const PART = 1 << 18;

/** Parts at most: 8 million tokens, about 28 MB of source, in 100 MB, or 120 where a token's id has more than 16 bits. */
const PARTS = 32;

interface FileEntry {
  readonly part: NgramCache;
  readonly stamp: Stamp;
}

interface WorkspaceMatch extends Match {
  readonly part: NgramCache;
  /** Positions from there to the end of all parts. */
  readonly distance: number;
}

/**
 * The files of a workspace as they are on disk, in parts that are token memories of their own: so a change costs what one
 * part costs, and a file of any part can be left out of an answer. It can be asked at any time while it is being filled.
 */
export class WorkspaceMemory {
  readonly #vocabulary: number;
  readonly #partSize: number;
  readonly #maxParts: number;
  /** The newest last. */
  #parts: NgramCache[] = [];
  readonly #places = new Map<string, FileEntry>();

  constructor(vocabulary: number, { partSize = PART, parts = PARTS } = {}) {
    this.#vocabulary = vocabulary;
    this.#partSize = partSize;
    this.#maxParts = parts;
  }

  /** Paths of the files that are known. */
  get paths(): string[] {
    return [...this.#places.keys()];
  }

  /** Tokens that can be found. */
  get live(): number {
    return this.#parts.reduce((sum, part) => sum + part.live, 0);
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#parts.reduce((sum, part) => sum + part.bytes, 0);
  }

  stampOf(path: string): Stamp | undefined {
    return this.#places.get(path)?.stamp;
  }

  /** A copy of a file's tokens, or of so many of its first; undefined if it is not known. */
  tokensOf(path: string, count?: number): Uint16Array | Uint32Array | undefined {
    return this.#places.get(path)?.part.tokensOf(path, count);
  }

  /**
   * Remembers a file as the newest one, in place of what was known of it; of one longer than a part, its beginning.
   * @returns false if there is no room; then it is not known
   */
  put(path: string, stamp: Stamp, tokens: ArrayLike<number>): boolean {
    this.delete(path);
    const kept = tokens.length < this.#partSize ? tokens : Array.prototype.slice.call(tokens, 0, this.#partSize - 1);
    let part = this.#parts.findLast(({ length }) => length + kept.length + 1 <= this.#partSize);
    if (!part) {
      if (this.#parts.length >= this.#maxParts) return false;
      const reserved = this.#partSize;
      part = new NgramCache({ vocabulary: this.#vocabulary, orders: ORDERS, reserved, capacity: reserved });
      this.#parts.push(part);
    }
    part.put(path, kept);
    this.#places.set(path, { part, stamp });
    return true;
  }

  delete(path: string): void {
    const part = this.#places.get(path)?.part;
    if (!part) return;
    part.delete(path);
    this.#places.delete(path);
    if (part.live === 0 && part.keys.length === 0) this.#parts = this.#parts.filter((each) => each !== part);
  }

  clear(): void {
    this.#parts = [];
    this.#places.clear();
  }

  /**
   * What followed the end of a context in files.
   * @param hidden paths of files that are left out
   * @param from the distance at which the nearest begins, in tokens
   */
  lookUp(context: readonly number[], hidden: ReadonlySet<string>, from: number): CacheHit[] {
    return this.#find(context, hidden).map(({ token, length, distance }) => ({
      token,
      length,
      distance: from + distance,
      own: false,
    }));
  }

  /** How the text went on after the longest match of the context's end; `length` is that match's. */
  draft(context: readonly number[], count: number, hidden: ReadonlySet<string>): LongestMatch {
    let best: WorkspaceMatch | undefined;
    for (const found of this.#find(context, hidden)) if (found.length > (best?.length ?? 0)) best = found;
    return best ? { tokens: best.part.from(best.position, count), length: best.length } : { tokens: [], length: 0 };
  }

  /** Matches of all parts: longest orders first, within one the newest parts first, as many as one memory would give. */
  #find(context: readonly number[], hidden: ReadonlySet<string>): WorkspaceMatch[] {
    const end = lastOf(context);
    const spans = this.#spansOf(hidden);
    const found: WorkspaceMatch[] = [];
    let above = Infinity;
    for (const order of ORDERS.toReversed()) {
      let left = WALKED;
      let after = 0;
      for (let i = this.#parts.length - 1; i >= 0 && left > 0; i--) {
        const part = this.#parts[i] as NgramCache;
        const { found: matches, walked } = part.matchesOf(order, above, end, left, spans.get(part));
        for (const match of matches) found.push({ ...match, part, distance: after + part.length - match.position });
        left -= walked;
        after += part.length;
      }
      if (end.length >= order) above = order;
    }
    return found;
  }

  #spansOf(hidden: ReadonlySet<string>): Map<NgramCache, PositionRange[]> {
    const spans = new Map<NgramCache, PositionRange[]>();
    for (const path of hidden) {
      const part = this.#places.get(path)?.part;
      const span = part?.rangeOf(path);
      if (part && span) spans.set(part, [...(spans.get(part) ?? []), span]);
    }
    return spans;
  }
}
