import type { GgmlName, GgmlType } from './ggmlTypes';

/** Writes the values of all blocks in `bytes` to `values`. Formats: ggml-common.h of llama.cpp. */
type Dequantize = (bytes: Uint8Array, values: Float32Array) => void;

/**
 * Whole blocks of a tensor as float32 values, each rounded once.
 * @param bytes a multiple of the type's block
 */
export function dequantize(type: GgmlType, bytes: Uint8Array): Float32Array {
  const blocks = bytes.length / type.bytes;
  if (!Number.isInteger(blocks)) throw new RangeError(`${bytes.length} bytes are no blocks of ${type.name}`);
  const values = new Float32Array(blocks * type.block);
  DEQUANTIZE[type.name](bytes, values);
  return values;
}

const DEQUANTIZE: Readonly<Record<GgmlName, Dequantize>> = {
  F32: float32,
  F16: float16,
  BF16: bfloat16,
  Q4_0: (bytes, values) => nibbles(bytes, values, 18, 8),
  Q4_1: (bytes, values) => nibbles(bytes, values, 20, 0),
  Q5_0: (bytes, values) => fiveBits(bytes, values, 22, 16),
  Q5_1: (bytes, values) => fiveBits(bytes, values, 24, 0),
  Q8_0: eightBits,
  Q4_K: (bytes, values) => scaledTwice(bytes, values, 144),
  Q5_K: (bytes, values) => scaledTwice(bytes, values, 176),
  Q6_K: sixBits,
};

/** Every float16 by its bits. */
let halves: Float32Array | undefined;

/** The values of all float16 by their bits. */
export function float16Values(): Float32Array {
  halves ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const sign = bits >> 15 ? -1 : 1;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  });
  return halves;
}

function float32(bytes: Uint8Array, values: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(4 * i, true);
}

function float16(bytes: Uint8Array, values: Float32Array): void {
  const half = float16Values();
  for (let i = 0; i < values.length; i++) values[i] = half[word(bytes, 2 * i)] as number;
}

/** The upper half of a float32. */
function bfloat16(bytes: Uint8Array, values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) bits[i] = word(bytes, 2 * i) << 16;
}

/** Q4_0 and Q4_1: scale, with Q4_1 a minimum, then 32 numbers of 4 bits, the first half of them low. */
function nibbles(bytes: Uint8Array, values: Float32Array, size: number, offset: number): void {
  const half = float16Values();
  for (let at = 0, to = 0; at < bytes.length; at += size, to += 32) {
    const scale = half[word(bytes, at)] as number;
    const min = offset === 0 ? (half[word(bytes, at + 2)] as number) : 0;
    const first = at + size - 16;
    for (let i = 0; i < 16; i++) {
      const pair = bytes[first + i] as number;
      values[to + i] = scale * ((pair & 15) - offset) + min;
      values[to + i + 16] = scale * ((pair >> 4) - offset) + min;
    }
  }
}

/** Q5_0 and Q5_1: as with 4 bits, the fifth ones of all in 32 bits before them. */
function fiveBits(bytes: Uint8Array, values: Float32Array, size: number, offset: number): void {
  const half = float16Values();
  for (let at = 0, to = 0; at < bytes.length; at += size, to += 32) {
    const scale = half[word(bytes, at)] as number;
    const min = offset === 0 ? (half[word(bytes, at + 2)] as number) : 0;
    const first = at + size - 16;
    const [low, high] = [word(bytes, first - 4), word(bytes, first - 2)];
    for (let i = 0; i < 16; i++) {
      const pair = bytes[first + i] as number;
      values[to + i] = scale * (((pair & 15) | (((low >> i) & 1) << 4)) - offset) + min;
      values[to + i + 16] = scale * (((pair >> 4) | (((high >> i) & 1) << 4)) - offset) + min;
    }
  }
}

/** Q8_0: scale, then 32 signed bytes. */
function eightBits(bytes: Uint8Array, values: Float32Array): void {
  const half = float16Values();
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; at < bytes.length; at += 34, to += 32) {
    const scale = half[word(bytes, at)] as number;
    for (let i = 0; i < 32; i++) values[to + i] = scale * (signed[at + 2 + i] as number);
  }
}

/**
 * Q4_K and Q5_K: of 256 values, groups of 32 have a scale and a minimum of 6 bits each, scaled by two float16. With
 * Q5_K the fifth bits stand before the others, bit g of 32 bytes for group g.
 */
function scaledTwice(bytes: Uint8Array, values: Float32Array, size: number): void {
  const half = float16Values();
  const fifth = size === 176 ? 16 : 0;
  for (let at = 0, to = 0; at < bytes.length; at += size, to += 256) {
    const scale = half[word(bytes, at)] as number;
    const min = half[word(bytes, at + 2)] as number;
    for (let group = 0; group < 8; group++) {
      const step = scale * sixBitScale(bytes, at + 4, group);
      const bottom = min * sixBitMinimum(bytes, at + 4, group);
      const from = at + size - 128 + (group >> 1) * 32;
      const shift = (group & 1) * 4;
      for (let i = 0; i < 32; i++) {
        let level = ((bytes[from + i] as number) >> shift) & 15;
        if (fifth > 0) level |= (((bytes[at + fifth + i] as number) >> group) & 1) << 4;
        values[to + group * 32 + i] = step * level - bottom;
      }
    }
  }
}

/** Eight scales and eight minima of 6 bits in 12 bytes: the upper bits of the last four are those of the first eight. */
function sixBitScale(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return (bytes[at + group] as number) & 63;
  return ((bytes[at + group + 4] as number) & 15) | (((bytes[at + group - 4] as number) >> 6) << 4);
}

function sixBitMinimum(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return (bytes[at + group + 4] as number) & 63;
  return ((bytes[at + group + 4] as number) >> 4) | (((bytes[at + group] as number) >> 6) << 4);
}

/** Q6_K: of 256 values the low 4 bits, the high 2 bits, a signed scale for every 16, a float16 for all. */
function sixBits(bytes: Uint8Array, values: Float32Array): void {
  const half = float16Values();
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; at < bytes.length; at += 210, to += 256) {
    const scale = half[word(bytes, at + 208)] as number;
    for (let group = 0; group < 16; group++) {
      const step = scale * (signed[at + 192 + group] as number);
      // Each half of the block: 64 low bytes, used twice, and 32 high ones, used four times.
      const quarter = (group >> 1) & 3;
      const low = at + (group >> 3) * 64 + (quarter & 1) * 32 + (group & 1) * 16;
      const high = at + 128 + (group >> 3) * 32 + (group & 1) * 16;
      for (let i = 0; i < 16; i++) {
        const level =
          (((bytes[low + i] as number) >> ((quarter >> 1) * 4)) & 15) |
          ((((bytes[high + i] as number) >> (quarter * 2)) & 3) << 4);
        values[to + group * 16 + i] = step * (level - 32);
      }
    }
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}
