import type { HiddenKeys } from './hiddenKeys';
import type { Rotation } from './rotary';

/**
 * An append-only table of float rows, one row a token: appending copies the new rows only, taking the first rows
 * copies nothing, and truncating only forgets.
 */
export class Rows {
  #data: Float32Array;
  #length = 0;

  constructor(
    readonly width: number,
    capacity: number,
  ) {
    this.#data = new Float32Array(width * capacity);
  }

  get length(): number {
    return this.#length;
  }

  append(rows: Float32Array): void {
    this.#reserve(this.#length + rows.length / this.width);
    this.#data.set(rows, this.#length * this.width);
    this.#length += rows.length / this.width;
  }

  #reserve(rows: number): void {
    if (rows * this.width <= this.#data.length) return;
    const grown = new Float32Array(Math.max(rows * this.width, this.#data.length * 2));
    grown.set(this.#data);
    this.#data = grown;
  }

  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** Moves rows, whether they count or not; there must be memory where they go. */
  move(from: number, to: number, count: number): void {
    this.#reserve(to + count);
    this.#data.copyWithin(to * this.width, from * this.width, (from + count) * this.width);
  }

  /** Rows up to here count again: they have been moved there, and nothing has been written over them. */
  extend(length: number): void {
    this.#length = length;
  }

  /** Rows [from, to) without copying; valid until the next append. */
  slice(from = 0, to = this.#length): Float32Array {
    return this.#data.subarray(from * this.width, to * this.width);
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#data.byteLength;
  }

  /** A table of its own with the same rows. */
  copy(): Rows {
    const copy = new Rows(this.width, this.#length);
    copy.append(this.slice());
    return copy;
  }
}

/** What the keys, and the values, of one token in one layer are. */
export interface CacheShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headWidth: number;
}

/** Tables grow by so many tokens: what is given to a run is as little as possible. */
const GROWTH = 128;

/** A copy of a cache elsewhere, which holds its first tokens. */
export interface Mirror {
  /** Tokens that are the same in both. */
  length: number;
}

/**
 * Keys and values of one stack of layers, where its graph reads and writes them: for each layer the keys, then the values,
 * [batch, kvHeads, capacity, headWidth], of which the first `length` tokens are filled. A run adds its tokens in place;
 * truncating only forgets.
 */
export class KeyValueCache {
  #tables: readonly Float32Array[];
  #capacity: number;
  #length = 0;
  #mirror: Mirror | undefined;
  /** Hidden keys of the tokens, a row a token: of the top of one hypothesis, where the graphs give them. */
  hiddenKeys: HiddenKeys | undefined;
  /** Those of the last run otherwise: one token of each entry of the batch, [batch, width]. */
  lastHiddenKeys: Float32Array | undefined;

  /** @param capacity tokens for which there is memory; it grows where more are needed */
  constructor(
    readonly shape: CacheShape,
    readonly batch: number,
    capacity: number,
  ) {
    this.#capacity = Math.max(1, capacity);
    this.#tables = this.#empty(this.#capacity);
  }

  get length(): number {
    return this.#length;
  }

  get capacity(): number {
    return this.#capacity;
  }

  get tables(): readonly Float32Array[] {
    return this.#tables;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#tables.reduce((sum, { byteLength }) => sum + byteLength, this.hiddenKeys?.bytes ?? 0);
  }

  /** From now on tells a copy how much of it still holds. There is one at most: an earlier one is told that nothing does. */
  set mirror(mirror: Mirror | undefined) {
    if (this.#mirror && this.#mirror !== mirror) this.#mirror.length = 0;
    this.#mirror = mirror;
  }

  /** Keys (even tables) or values of one head of one entry of the batch, [to − from, headWidth], without copying. */
  rows(table: number, block: number, from: number, to: number): Float32Array {
    return this.#rows(this.#tables[table] as Float32Array, block, from, to);
  }

  /** Makes room for further tokens. */
  reserve(tokens: number): void {
    const needed = this.#length + tokens;
    if (needed <= this.#capacity) return;
    this.#grow(needed);
  }

  /** @param tokens for which there is to be room, at least */
  #grow(tokens: number): void {
    const capacity = Math.ceil(tokens / GROWTH) * GROWTH;
    const grown = this.#empty(capacity);
    for (const [i, table] of grown.entries()) {
      for (let block = 0; block < this.#blocks; block++) {
        const all = this.#rows(this.#tables[i] as Float32Array, block, 0, this.#capacity);
        table.set(all, block * capacity * this.#width);
      }
    }
    this.#tables = grown;
    this.#capacity = capacity;
  }

  /**
   * Takes the keys and values that a run has computed for its tokens, each [layers · batch, kvHeads, tokens, headWidth].
   * @param check is given them first, and may throw: then the cache stays as it was
   */
  append(tokens: number, keys: Float32Array, values: Float32Array, check: (rows: Float32Array) => void): void {
    check(keys);
    check(values);
    this.reserve(tokens);
    const size = tokens * this.#width;
    for (const [i, table] of this.#tables.entries()) {
      const added = i % 2 === 0 ? keys : values;
      const first = (i >> 1) * this.#blocks;
      for (let block = 0; block < this.#blocks; block++) {
        const rows = added.subarray((first + block) * size, (first + block + 1) * size);
        table.set(rows, (block * this.#capacity + this.#length) * this.#width);
      }
    }
    this.#length += tokens;
  }

  /**
   * Moves the rows of tokens, whether they count or not.
   * @param rotation by which keys get the positions of their new places
   */
  move(from: number, to: number, count: number, rotation: Rotation): void {
    this.#changedFrom(Math.min(from, to));
    if (to + count > this.#capacity) this.#grow(to + count);
    this.hiddenKeys?.move(from, to, count);
    for (const [i, table] of this.#tables.entries()) {
      for (let block = 0; block < this.#blocks; block++) {
        const moved = this.#rows(table, block, to, to + count);
        moved.set(this.#rows(table, block, from, from + count));
        if (i % 2 === 0) rotation.turn(moved);
      }
    }
  }

  /** Rows up to here count again: they have been moved there, and nothing has been written over them. */
  extend(length: number): void {
    this.#length = length;
    this.hiddenKeys?.extend(length);
  }

  /**
   * Takes what a run has left: the tables with so many further tokens in them, the same or copies.
   * @param check is given the new rows first, and may throw: then the cache stays as it was
   */
  advance(tokens: number, tables: readonly Float32Array[], check: (rows: Float32Array) => void): void {
    const [from, to] = [this.#length, this.#length + tokens];
    for (const table of tables) {
      for (let at = 0; at < this.#blocks; at++) check(this.#rows(table, at, from, to));
    }
    this.#tables = tables;
    this.#length = to;
  }

  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
    this.hiddenKeys?.truncate(length);
    this.#changedFrom(this.#length);
  }

  /** Takes the hidden keys of a run's tokens, [batch, tokens, width]; one token each in a batch of several. */
  appendHidden(hiddenKeys: Float32Array): void {
    if (this.hiddenKeys) this.hiddenKeys.append(hiddenKeys);
    else this.lastHiddenKeys = hiddenKeys;
  }

  /** A cache of its own with the same tokens. */
  copy(): KeyValueCache {
    const copy = new KeyValueCache(this.shape, this.batch, this.#length);
    copy.#length = this.#length;
    for (const [i, table] of copy.#tables.entries()) {
      for (let block = 0; block < this.#blocks; block++) {
        table.set(this.rows(i, block, 0, this.#length), block * copy.#capacity * this.#width);
      }
    }
    copy.hiddenKeys = this.hiddenKeys?.copy();
    return copy;
  }

  /** A copy for a batch that shares this past. */
  repeated(batch: number, capacity: number): KeyValueCache {
    return KeyValueCache.side(
      Array.from({ length: batch }, () => this),
      capacity,
    );
  }

  /** Caches of equal length side by side, for a batch in which each has a past of its own. */
  static side(caches: readonly KeyValueCache[], capacity: number): KeyValueCache {
    const [first] = caches;
    if (!first || caches.some(({ length }) => length !== first.length)) throw new RangeError('caches differ in length');
    const copy = new KeyValueCache(first.shape, caches.length, first.length + capacity);
    copy.#length = first.length;
    for (const [i, table] of copy.#tables.entries()) {
      let to = 0;
      for (const cache of caches) cache.#each(i, (block) => table.set(block, to++ * copy.#capacity * copy.#width));
    }
    return copy;
  }

  /** Rearranges the batch from token `from` on: entry i continues what entry `parents[i]` was. */
  reorder(parents: readonly number[], from: number): void {
    const { kvHeads } = this.shape;
    this.#changedFrom(from);
    for (const table of this.#tables) {
      const rows = (entry: number, head: number) => this.#rows(table, entry * kvHeads + head, from, this.#length);
      for (let head = 0; head < kvHeads; head++) {
        const old = parents.map((parent) => rows(parent, head).slice());
        old.forEach((block, entry) => rows(entry, head).set(block));
      }
    }
  }

  get #width(): number {
    return this.shape.headWidth;
  }

  /** Stretches of a table that lie in one piece: one of each head of each entry of the batch. */
  get #blocks(): number {
    return this.batch * this.shape.kvHeads;
  }

  #changedFrom(length: number): void {
    if (this.#mirror) this.#mirror.length = Math.min(this.#mirror.length, length);
  }

  #empty(capacity: number): Float32Array[] {
    const size = this.#blocks * capacity * this.#width;
    return Array.from({ length: 2 * this.shape.layers }, () => new Float32Array(size));
  }

  #rows(table: Float32Array, block: number, from: number, to: number): Float32Array {
    const start = block * this.#capacity;
    return table.subarray((start + from) * this.#width, (start + to) * this.#width);
  }

  #each(table: number, act: (rows: Float32Array, block: number) => void): void {
    const data = this.#tables[table] as Float32Array;
    for (let block = 0; block < this.#blocks; block++) act(this.#rows(data, block, 0, this.#length), block);
  }
}
