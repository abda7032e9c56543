/** A place at which the end of a context occurred before. */
export interface Match {
  /** The token that followed there. */
  readonly token: number;
  /** Tokens before it that equal the end of the context, at most `MAX_MATCH`. */
  readonly length: number;
  /** Where: larger is more recent. */
  readonly position: number;
}

export interface NgramCacheOptions {
  /** Tokens have ids below this. */
  readonly vocabulary: number;
  /** Tokens kept at most; the oldest documents leave first. */
  readonly capacity?: number;
  /** Lengths of the contexts that are chained, ascending. */
  readonly orders?: readonly number[];
  /** Tokens for which room is made at once. */
  readonly reserved?: number;
}

/** Positions of a document, the end not included. */
export interface PositionRange {
  readonly start: number;
  readonly end: number;
}

/** Matches are compared this far back. */
export const MAX_MATCH = 32;

/** Places looked at for one query and order. */
export const WALKED = 64;

/** 8 million tokens: about 28 MB of source. */
const CAPACITY = 1 << 23;

const ORDERS = [1, 3, 6];
const INITIAL_RESERVE = 1 << 12;

interface Entry extends PositionRange {
  readonly key: string;
  end: number;
}

interface Chains {
  readonly order: number;
  /** 1 + the last position whose context has a hash, 0 for none. */
  readonly heads: Int32Array;
  /** 1 + the position before with an equal hash, for each position. */
  readonly previous: Int32Array;
}

/**
 * An n-gram cache: an exact memory of token sequences. Documents lie one after the other in one array of tokens; each position is chained
 * to the one before it whose last `order` tokens have the same hash, as in the match finders of LZ77 compressors (Ziv &
 * Lempel 1977; hash chains as in Deflate, RFC 1951 §4). So what is found comes most recent first, and a query costs what
 * is walked, however much is remembered. A separator stands between documents and in the place of what was forgotten: no
 * match reaches across one.
 *
 * The last document can grow and shrink at its end at the cost of the difference. Others are forgotten by overwriting
 * them, and the room is taken back when more than half of it is dead.
 */
export class NgramCache {
  readonly #vocabulary: number;
  readonly #capacity: number;
  readonly #orders: readonly number[];
  readonly #reserved: number;
  #tokens: Uint16Array | Uint32Array;
  #chains: readonly Chains[];
  #length = 0;
  #live = 0;
  /** In the order of their positions. */
  #documents: Entry[] = [];
  readonly #byKey = new Map<string, Entry>();

  constructor({ vocabulary, capacity = CAPACITY, orders = ORDERS, reserved = INITIAL_RESERVE }: NgramCacheOptions) {
    this.#vocabulary = vocabulary;
    this.#capacity = capacity;
    this.#orders = orders;
    this.#reserved = reserved;
    this.#tokens = this.#newTokens(reserved);
    this.#chains = this.#newChains(reserved);
  }

  /** Keys of the documents, the oldest first. */
  get keys(): string[] {
    return this.#documents.map(({ key }) => key);
  }

  /** Positions in use, the dead ones and the separators included. */
  get length(): number {
    return this.#length;
  }

  /** Tokens that can be found. */
  get live(): number {
    return this.#live;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    const chains = this.#chains.map(({ heads, previous }) => heads.byteLength + previous.byteLength);
    return chains.reduce((sum, bytes) => sum + bytes, this.#tokens.byteLength);
  }

  /** Where a document begins; undefined if it is not here. */
  startOf(key: string): number | undefined {
    return this.#byKey.get(key)?.start;
  }

  /** Where a document lies until it, or another one, is put or forgotten; undefined if it is not here. */
  rangeOf(key: string): PositionRange | undefined {
    return this.#byKey.get(key);
  }

  /** A copy of a document's tokens, or of so many of its first; undefined if it is not here. */
  tokensOf(key: string, count = Infinity): Uint16Array | Uint32Array | undefined {
    const entry = this.#byKey.get(key);
    return entry && this.#tokens.slice(entry.start, Math.min(entry.end, entry.start + count));
  }

  /**
   * Remembers a document as the most recent one, in place of what was known under its key; of one longer than the
   * capacity, its end.
   * @throws RangeError for an id outside the vocabulary
   */
  put(key: string, tokens: ArrayLike<number>): void {
    const from = Math.max(0, tokens.length - this.#capacity);
    const known = this.#byKey.get(key);
    if (known && this.#endsWith(known) && from === 0) {
      let shared = 0;
      const max = Math.min(tokens.length, known.end - known.start);
      while (shared < max && this.#tokens[known.start + shared] === tokens[shared]) shared++;
      this.#cutBack(known, known.start + shared);
      this.#reserve(tokens.length - shared, 1);
      this.#append(this.#byKey.get(key) as Entry, tokens, shared);
      return;
    }
    this.delete(key);
    this.#reserve(tokens.length - from, 0);
    const entry: Entry = { key, start: this.#length, end: this.#length };
    this.#documents.push(entry);
    this.#byKey.set(key, entry);
    this.#append(entry, tokens, from);
  }

  /** Forgets a document. */
  delete(key: string): void {
    const entry = this.#byKey.get(key);
    if (!entry) return;
    this.#byKey.delete(key);
    if (this.#endsWith(entry)) {
      this.#cutBack(entry, entry.start);
      this.#documents.pop();
      this.#length = entry.start;
      return;
    }
    this.#documents.splice(this.#documents.indexOf(entry), 1);
    this.#tokens.fill(this.#vocabulary, entry.start, entry.end);
    this.#live -= entry.end - entry.start;
    if (this.#live + this.#documents.length < this.#length / 2) this.#rebuild(0);
  }

  /**
   * Where the end of a context occurred before, longest contexts first and within an order the most recent first. At
   * most `WALKED` places of each order are looked at.
   */
  matches(context: ArrayLike<number>): Match[] {
    const found: Match[] = [];
    let above = Infinity;
    for (const order of this.#orders.toReversed()) {
      found.push(...this.matchesOf(order, above, context, WALKED).found);
      if (context.length >= order) above = order;
    }
    return found;
  }

  /**
   * Where the end of a context occurred before, as far as it is found by the last `order` tokens: the most recent first.
   * @param order one of the orders that are chained
   * @param above matches of this length are left to longer orders
   * @param max places looked at
   * @param hidden documents that are not looked at
   */
  matchesOf(
    order: number,
    above: number,
    context: ArrayLike<number>,
    max: number,
    hidden: readonly PositionRange[] = [],
  ): { found: Match[]; walked: number } {
    const found: Match[] = [];
    let walked = 0;
    const chains = this.#chains[this.#orders.indexOf(order)];
    if (!chains || context.length < order) return { found, walked };
    const { heads, previous } = chains;
    let link = heads[hash(context, context.length, order) & (heads.length - 1)] as number;
    while (link > 0 && walked < max) {
      const position = link;
      link = previous[position - 1] as number;
      if (hidden.some(({ start, end }) => position >= start && position < end)) continue;
      walked++;
      const token = this.#tokens[position] as number;
      if (token === this.#vocabulary) continue;
      const length = this.#common(context, position);
      // What a longer order has seen is not counted again; less than the order is another context of the same hash.
      if (length >= order && length < above) found.push({ token, length, position });
    }
    return { found, walked };
  }

  /** At most `count` tokens of a document from a position on. */
  from(position: number, count: number): number[] {
    const end = Math.min(position + count, this.#length);
    const tokens = [...this.#tokens.subarray(position, end)];
    const separator = tokens.indexOf(this.#vocabulary);
    return separator === -1 ? tokens : tokens.slice(0, separator);
  }

  /**
   * Whether everything ends with a document. The last one does not where one after it was forgotten: what lies there is
   * still chained, so it must not be written over.
   */
  #endsWith(entry: Entry): boolean {
    return entry === this.#documents.at(-1) && entry.end + 1 === this.#length;
  }

  /** How many tokens before `position` equal the end of the context. */
  #common(context: ArrayLike<number>, position: number): number {
    const max = Math.min(MAX_MATCH, context.length, position);
    let length = 0;
    while (length < max && this.#tokens[position - 1 - length] === context[context.length - 1 - length]) length++;
    return length;
  }

  /** Appends tokens to the last document, and the separator after it. */
  #append(entry: Entry, tokens: ArrayLike<number>, from: number): void {
    for (let i = from; i < tokens.length; i++) {
      const token = tokens[i] as number;
      if (!(token >= 0 && token < this.#vocabulary)) throw new RangeError(`token ${token} is not in the vocabulary`);
      this.#tokens[entry.end++] = token;
      for (const { order, heads, previous } of this.#chains) {
        if (entry.end - entry.start < order) continue;
        const bucket = hash(this.#tokens, entry.end, order) & (heads.length - 1);
        previous[entry.end - 1] = heads[bucket] as number;
        heads[bucket] = entry.end;
      }
    }
    this.#live += tokens.length - from;
    this.#tokens[entry.end] = this.#vocabulary;
    this.#length = entry.end + 1;
  }

  /** Takes the last document back to an end; its positions are the newest of their chains. */
  #cutBack(entry: Entry, end: number): void {
    this.#live -= entry.end - end;
    for (; entry.end > end; entry.end--) {
      for (const { order, heads, previous } of this.#chains) {
        if (entry.end - entry.start < order) continue;
        heads[hash(this.#tokens, entry.end, order) & (heads.length - 1)] = previous[entry.end - 1] as number;
      }
    }
    this.#tokens[entry.end] = this.#vocabulary;
    this.#length = entry.end + 1;
  }

  /** Room for so many tokens more and a separator: the oldest documents leave but for the last `kept`, the arrays grow. */
  #reserve(count: number, kept: number): void {
    while (this.#documents.length > kept && this.#live + count > this.#capacity) {
      this.delete((this.#documents[0] as Entry).key);
    }
    if (this.#length + count + 1 > this.#tokens.length) this.#rebuild(count);
  }

  /** Writes everything alive again, with room for `more` tokens. */
  #rebuild(more: number): void {
    const documents = this.#documents;
    const tokens = this.#tokens;
    const needed = this.#live + documents.length + more + 1;
    // An eighth more than needed: growing costs a constant per token, and little is held in vain.
    const reserved = Math.max(this.#reserved, Math.ceil(needed * 1.125));
    this.#tokens = this.#newTokens(reserved);
    this.#chains = this.#newChains(reserved);
    this.#length = 0;
    this.#live = 0;
    this.#documents = [];
    for (const { key, start, end } of documents) {
      const entry: Entry = { key, start: this.#length, end: this.#length };
      this.#documents.push(entry);
      this.#byKey.set(key, entry);
      this.#append(entry, tokens.subarray(start, end), 0);
    }
  }

  #newTokens(reserved: number): Uint16Array | Uint32Array {
    return this.#vocabulary < 1 << 16 ? new Uint16Array(reserved) : new Uint32Array(reserved);
  }

  #newChains(reserved: number): Chains[] {
    // Four to eight positions a bucket; contexts of one token have no more buckets than there are tokens.
    const buckets = powerOfTwo(reserved / 4);
    const single = Math.min(buckets, powerOfTwo(this.#vocabulary));
    return this.#orders.map((order) => ({
      order,
      heads: new Int32Array(order === 1 ? single : buckets),
      previous: new Int32Array(reserved),
    }));
  }
}

/** Hash of the `order` tokens before `end`; its low bits choose the bucket. */
function hash(tokens: ArrayLike<number>, end: number, order: number): number {
  if (order === 1) return tokens[end - 1] as number;
  let value = 0;
  for (let i = end - order; i < end; i++) value = Math.imul(value ^ (tokens[i] as number), 0x9e3779b1) ^ (value >>> 15);
  return value ^ (value >>> 13);
}

/** The largest power of two that is at most `most`. */
function powerOfTwo(max: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, max)));
}

/** As much of a context as matches are compared by. */
export function lastOf(context: readonly number[]): readonly number[] {
  return context.length > MAX_MATCH ? context.slice(-MAX_MATCH) : context;
}
