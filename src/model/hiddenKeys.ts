import { quantiseInto, type QuantisedRows } from './quantisedRows';

/** Hidden keys: last states as unit vectors, a row a token. */
export type HiddenKeyRows = QuantisedRows;

/** A text that the decoder has read: the hidden keys of its tokens, and the token that followed each. */
export interface DatastoreEntry extends HiddenKeyRows {
  readonly tokens: ArrayLike<number>;
}

/**
 * Hidden keys: an append-only table of unit vectors, a row each, quantised to 8 bits. Cosines between them are right to
 * a thousandth then (nano, root mean square; six at worst), in a quarter of the memory.
 */
export class HiddenKeys {
  #numbers: Int8Array;
  #scales: Float32Array;
  #length = 0;

  constructor(
    readonly width: number,
    capacity: number,
  ) {
    this.#numbers = new Int8Array(width * capacity);
    this.#scales = new Float32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  append(rows: Float32Array): void {
    const { width } = this;
    const count = rows.length / width;
    this.#reserve(this.#length + count);
    quantiseInto({ numbers: this.#numbers, scales: this.#scales }, this.#length, rows, width);
    this.#length += count;
  }

  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** Moves rows, whether they count or not. */
  move(from: number, to: number, count: number): void {
    this.#reserve(to + count);
    this.#numbers.copyWithin(to * this.width, from * this.width, (from + count) * this.width);
    this.#scales.copyWithin(to, from, from + count);
  }

  /** Rows up to here count again: they have been moved there, and nothing has been written over them. */
  extend(length: number): void {
    this.#length = length;
  }

  /** Rows [from, to) without copying; valid until something is appended. */
  slice(from = 0, to = this.#length): HiddenKeyRows {
    return {
      numbers: this.#numbers.subarray(from * this.width, to * this.width),
      scales: this.#scales.subarray(from, to),
    };
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#numbers.byteLength + this.#scales.byteLength;
  }

  /** A table of its own with the same rows. */
  copy(): HiddenKeys {
    const copy = new HiddenKeys(this.width, this.#length);
    const { numbers, scales } = this.slice();
    copy.#numbers.set(numbers);
    copy.#scales.set(scales);
    copy.#length = this.#length;
    return copy;
  }

  #reserve(rows: number): void {
    if (rows <= this.#scales.length) return;
    const capacity = Math.max(rows, 2 * this.#scales.length);
    const [numbers, scales] = [new Int8Array(capacity * this.width), new Float32Array(capacity)];
    numbers.set(this.#numbers);
    scales.set(this.#scales);
    [this.#numbers, this.#scales] = [numbers, scales];
  }
}

/** Makes rows of `width` numbers unit vectors, in place. */
export function unitRows(values: Float32Array, width: number): Float32Array {
  for (let start = 0; start < values.length; start += width) {
    const row = values.subarray(start, start + width);
    let square = 0;
    for (const value of row) square += value * value;
    const factor = 1 / Math.sqrt(square);
    for (let i = 0; i < width; i++) row[i] = (row[i] as number) * factor;
  }
  return values;
}

/** Products of a vector with rows, both of whole numbers: [rows]. */
export type Products = (vector: Int8Array, rows: Int8Array) => Int32Array;

/** Cosines between one hidden key and others. */
export function cosinesTo(
  hiddenKey: HiddenKeyRows,
  { numbers, scales }: HiddenKeyRows,
  products: Products,
): Float32Array {
  const all = products(hiddenKey.numbers, numbers);
  const scale = hiddenKey.scales[0] as number;
  const cosines = new Float32Array(scales.length);
  for (let row = 0; row < cosines.length; row++) cosines[row] = scale * (scales[row] as number) * (all[row] as number);
  return cosines;
}

/** Products by themselves. */
export function plainProducts(vector: Int8Array, rows: Int8Array): Int32Array {
  const width = vector.length;
  const all = new Int32Array(rows.length / width);
  for (let row = 0; row < all.length; row++) {
    let sum = 0;
    for (let i = 0, at = row * width; i < width; i++, at++) sum += (vector[i] as number) * (rows[at] as number);
    all[row] = sum;
  }
  return all;
}
