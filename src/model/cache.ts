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
    const copy = new KeyValueCache(this.#k.width * batch, this.length + room);
    copy.append({
      k: repeatRows(this.#k.slice(), this.#k.width, batch),
      v: repeatRows(this.#v.slice(), this.#v.width, batch),
    });
    return copy;
  }

  /** Rearranges the batch from token `from` on: entry i continues what entry `parents[i]` was. */
  reorder(parents: readonly number[], from: number): void {
    for (const rows of [this.#k, this.#v]) reorderRows(rows.slice(from), rows.width, parents);
  }
}

function repeatRows(rows: Float32Array, width: number, times: number): Float32Array {
  const repeated = new Float32Array(rows.length * times);
  for (let at = 0, to = 0; at < rows.length; at += width) {
    const row = rows.subarray(at, at + width);
    for (let i = 0; i < times; i++, to += width) repeated.set(row, to);
  }
  return repeated;
}

function reorderRows(rows: Float32Array, width: number, parents: readonly number[]): void {
  const entry = width / parents.length;
  for (let at = 0; at < rows.length; at += width) {
    const old = rows.slice(at, at + width);
    parents.forEach((parent, i) => rows.set(old.subarray(parent * entry, (parent + 1) * entry), at + i * entry));
  }
}
