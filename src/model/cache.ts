import type { Past } from './graphs';

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
    const needed = this.#length * this.width + rows.length;
    if (needed > this.#data.length) {
      const grown = new Float32Array(Math.max(needed, this.#data.length * 2));
      grown.set(this.#data.subarray(0, this.#length * this.width));
      this.#data = grown;
    }
    this.#data.set(rows, this.#length * this.width);
    this.#length += rows.length / this.width;
  }

  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** Rows [from, to) without copying; valid until the next append. */
  slice(from = 0, to = this.#length): Float32Array {
    return this.#data.subarray(from * this.width, to * this.width);
  }
}

/** Keys and values of one stack of layers. */
export class KeyValueCache {
  readonly #k: Rows;
  readonly #v: Rows;

  /** @param row floats of one token's keys (its values are as many), over the batch */
  constructor(row: number, capacity: number) {
    this.#k = new Rows(row, capacity);
    this.#v = new Rows(row, capacity);
  }

  get length(): number {
    return this.#k.length;
  }

  append(output: { k: Float32Array; v: Float32Array }): void {
    this.#k.append(output.k);
    this.#v.append(output.v);
  }

  truncate(length: number): void {
    this.#k.truncate(length);
    this.#v.truncate(length);
  }

  past(): Past {
    return { k: this.#k.slice(), v: this.#v.slice(), length: this.length };
  }

  /** A copy in which each token's rows stand `batch` times, for a batch that shares this past. */
  repeated(batch: number, room: number): KeyValueCache {
    return KeyValueCache.side(
      Array.from({ length: batch }, () => this),
      room,
    );
  }

  /** Caches of equal length side by side, for a batch in which each has a past of its own. */
  static side(caches: readonly KeyValueCache[], room: number): KeyValueCache {
    const [first] = caches;
    if (!first || caches.some(({ length }) => length !== first.length)) throw new RangeError('caches differ in length');
    const copy = new KeyValueCache(first.#k.width * caches.length, first.length + room);
    copy.append({
      k: sideBySide(
        caches.map((cache) => cache.#k.slice()),
        first.#k.width,
      ),
      v: sideBySide(
        caches.map((cache) => cache.#v.slice()),
        first.#v.width,
      ),
    });
    return copy;
  }

  /** Rearranges the batch from token `from` on: entry i continues what entry `parents[i]` was. */
  reorder(parents: readonly number[], from: number): void {
    for (const rows of [this.#k, this.#v]) reorderRows(rows.slice(from), rows.width, parents);
  }
}

/** Rows of several tables, each `width` wide: the first of all, then the second of all, and so on. */
function sideBySide(tables: readonly Float32Array[], width: number): Float32Array {
  const length = tables[0]?.length ?? 0;
  const all = new Float32Array(length * tables.length);
  for (let at = 0, to = 0; at < length; at += width) {
    for (const table of tables) {
      all.set(table.subarray(at, at + width), to);
      to += width;
    }
  }
  return all;
}

function reorderRows(rows: Float32Array, width: number, parents: readonly number[]): void {
  const entry = width / parents.length;
  for (let at = 0; at < rows.length; at += width) {
    const old = rows.slice(at, at + width);
    parents.forEach((parent, i) => rows.set(old.subarray(parent * entry, (parent + 1) * entry), at + i * entry));
  }
}
