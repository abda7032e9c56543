import { plainProducts, type Products } from '../hiddenKeys';
import { loadProgram } from './program';

/** Bytes for rows and their products: those of a window and of 64 chunks, some times over. */
const CAPACITY = 1 << 24;

/** Where the vector lies, and how many numbers it has at most. */
const VECTOR = 64;
const WIDEST = 1 << 13;
const ROWS = VECTOR + WIDEST;

/**
 * Products on vectors of 128 bits. Rows are copied into the memory once and stay there until it is full: hidden keys are asked again
 * for every token.
 */
export async function openProducts(): Promise<Products> {
  const { operations, memory } = await loadProgram(ROWS + CAPACITY);
  const bytes = new Int8Array(memory);
  let places = new WeakMap<Int8Array, number>();
  let end = ROWS;
  return (vector, rows) => {
    const count = rows.length / vector.length;
    const size = Math.ceil((rows.length + 4 * count) / 16) * 16;
    if (vector.length > WIDEST || vector.length % 16 !== 0 || size > CAPACITY) return plainProducts(vector, rows);
    let place = places.get(rows);
    if (place === undefined) {
      if (end + size > bytes.length) [places, end] = [new WeakMap(), ROWS];
      place = end;
      end += size;
      bytes.set(rows, place);
      places.set(rows, place);
    }
    bytes.set(vector, VECTOR);
    const out = place + rows.length;
    operations.products(VECTOR, place, count, vector.length, out);
    return new Int32Array(memory, out, count);
  };
}
