/** Weights that share a scale. */
export const BLOCK = 32;

/** Weights of 16 bits, keys and values become whole numbers of this size at most, so that sums of products fit into 32 bits. */
export const MAX_NUMBER = 8191;

/** A matrix in a weights file, and how it gets into the kernel's memory: as whole numbers, of which 32 share a scale. */
export interface Matrix {
  readonly outputs: number;
  readonly inputs: number;
  /** Of a whole number. */
  readonly bits: 8 | 16;
  /** Its first byte in the file: what begins there is stored once, whoever refers to it. */
  readonly offset: number;
  /** @param weights [outputs, inputs] @param scales [outputs, inputs / 32] */
  write(this: void, weights: Int8Array | Int16Array, scales: Float32Array): void;
}

/**
 * A matrix in blocks, as `export --bits 8` stores it: weight = scale · (byte − 128).
 * @param offset of its bytes, [outputs, inputs]
 * @param scalesOffset of its scales, in 16 bits, [outputs, inputs / 32]
 * @returns undefined where the file ends before it
 */
export function ofBytes(
  file: Buffer,
  offset: number,
  scalesOffset: number,
  outputs: number,
  inputs: number,
): Matrix | undefined {
  const bytes = part(file, offset, outputs * inputs);
  const halves = part(file, scalesOffset, ((outputs * inputs) / BLOCK) * 2);
  if (!bytes || !halves) return undefined;
  const write = (weights: Int8Array | Int16Array, scales: Float32Array) => {
    for (let i = 0; i < bytes.length; i++) weights[i] = (bytes[i] as number) - 128;
    scales.set(widened(halves));
  };
  return { outputs, inputs, bits: 8, offset, write };
}

/**
 * A matrix of 16 bits a weight, IEEE 754 binary16.
 * @param across whether it is stored as [inputs, outputs]
 * @returns undefined where the file ends before it
 */
export function ofHalves(
  file: Buffer,
  offset: number,
  outputs: number,
  inputs: number,
  across: boolean,
): Matrix | undefined {
  const halves = part(file, offset, outputs * inputs * 2);
  if (!halves) return undefined;
  const strides = across ? ([1, outputs] as const) : ([inputs, 1] as const);
  const write = (weights: Int8Array | Int16Array, scales: Float32Array) => {
    inBlocks(widened(halves), outputs, inputs, strides, weights, scales);
  };
  return { outputs, inputs, bits: 16, offset, write };
}

/**
 * Rounds a matrix to whole numbers, of which 32 share a scale.
 * @param strides how far apart its outputs lie in `values`, and its inputs
 * @param weights [outputs, inputs] @param scales [outputs, inputs / 32]
 */
function inBlocks(
  values: Float32Array,
  outputs: number,
  inputs: number,
  [row, column]: readonly [number, number],
  weights: Int8Array | Int16Array,
  scales: Float32Array,
): void {
  const block = new Float32Array(BLOCK);
  for (let o = 0, to = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i += BLOCK, to += BLOCK) {
      let largest = 0;
      for (let j = 0, from = o * row + i * column; j < BLOCK; j++, from += column) {
        const value = (block[j] = values[from] as number);
        if (value > largest) largest = value;
        else if (-value > largest) largest = -value;
      }
      scales[to / BLOCK] = largest / MAX_NUMBER;
      const factor = largest > 0 ? MAX_NUMBER / largest : 0;
      for (let j = 0; j < BLOCK; j++) weights[to + j] = Math.floor((block[j] as number) * factor + 0.5);
    }
  }
}

/** Some bytes of a file; undefined where it ends before them. */
export function part(file: Buffer, offset: number, bytes: number): Buffer | undefined {
  return offset + bytes <= file.length ? file.subarray(offset, offset + bytes) : undefined;
}

/** Numbers of 16 bits (IEEE 754 binary16) as float32. */
export function widened(halves: Buffer): Float32Array {
  const known = numbers();
  // A copy: the part of a file may begin at any byte.
  const patterns = new Uint16Array(halves.buffer.slice(halves.byteOffset, halves.byteOffset + halves.length));
  const values = new Float32Array(patterns.length);
  for (let i = 0; i < values.length; i++) values[i] = known[patterns[i] as number] as number;
  return values;
}

let table: Float32Array | undefined;

/** What each pattern of 16 bits stands for. */
function numbers(): Float32Array {
  table ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => {
    const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
    const sign = bits >> 15 ? -1 : 1;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  return table;
}
