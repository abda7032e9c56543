import { NumericalError } from '../model/errors';
import type { Blocks } from './recipe';

/** Rows in blocks, as ONNX Runtime's `MatMulNBits` reads them: weight = (level - 2^(bits-1)) · scale. */
export interface QuantizedRows {
  /** [rows, blocks, block · bits / 8]; with 4 bits the first of two levels is the lower half of a byte. */
  readonly weights: Uint8Array;
  /** [rows, blocks] */
  readonly scales: Float32Array;
}

/**
 * Rounds rows to blocks of few bits. Where a block already has few levels (Q8_0, Q5_0, Q4_0; in blocks of 16 Q6_K), 8 bits
 * give exactly its values. Otherwise the scale is the one of several that loses least, fitted by least squares.
 * @param values float32 [rows, columns]
 * @param importance what an error costs, by column: the mean square of what the column is multiplied with (default: 1)
 * @throws NumericalError if a value is not finite
 */
export function quantizeRows(values: Float32Array, { bits, block }: Blocks, importance?: Float32Array): QuantizedRows {
  const count = values.length / block;
  if (!Number.isInteger(count)) throw new RangeError(`${values.length} values are no blocks of ${block}`);
  const columns = importance?.length ?? block;
  if (columns % block !== 0 || values.length % columns !== 0)
    throw new RangeError(`an importance of ${columns} columns`);
  const cost = importance ?? new Float32Array(block).fill(1);
  const scales = new Float32Array(count);
  const weights = new Uint8Array((values.length * bits) / 8);
  const levels = new Int8Array(block);
  for (let i = 0, at = 0; i < count; i++, at += block) {
    const extreme = extremeOf(values, at, block);
    const scale =
      (bits === 8 ? exactScale(values, at, block, extreme) : undefined) ??
      bestScale(values, at, block, extreme, bits, cost, at % columns);
    roundTo(values, at, levels, scale, bits);
    scales[i] = scale;
    pack(levels, weights, (at * bits) / 8, bits);
  }
  NumericalError.check(scales, 'weights');
  return { weights, scales };
}

/** The value of a block that is farthest from zero; NaN if one is. */
function extremeOf(values: Float32Array, at: number, block: number): number {
  let extreme = 0;
  for (let i = at; i < at + block; i++) {
    const value = values[i] as number;
    if (!(Math.abs(value) <= Math.abs(extreme))) extreme = value;
    if (Number.isNaN(extreme)) return NaN;
  }
  return extreme;
}

/** Levels at which the extreme of a block stands in ggml's types, the usual ones first. */
const EXTREME_LEVELS = [127, 16, 8, 32, ...Array.from({ length: 128 }, (_, i) => i + 1)];

/** The scale by which all values of a block are whole numbers of at most 8 bits, if there is one. */
function exactScale(values: Float32Array, at: number, block: number, extreme: number): number | undefined {
  for (const level of EXTREME_LEVELS) {
    const scale = Math.fround(extreme / level);
    if (scale === 0) return undefined;
    let i = at;
    while (i < at + block && isMultiple(values[i] as number, scale)) i++;
    if (i === at + block) return scale;
  }
  return undefined;
}

function isMultiple(value: number, scale: number): boolean {
  const level = Math.round(value / scale);
  return level > -128 && level < 128 && Math.fround(level * scale) === value;
}

/** Shares of the extreme that are tried for the lowest level; what is beyond is cut off. */
const SHARES = [1, 1.12, 0.94, 0.88, 0.82, 0.76, 0.7];
/** With 8 bits cutting off never pays. */
const SHARES_OF_8_BITS = [1];

/**
 * The scale of a block that loses least. For levels q the best scale is Σ c·x·q / Σ c·q² (least squares), and what it
 * explains is (Σ c·x·q)² / Σ c·q²: that is compared for the levels of several scales. Then levels and scale are fitted
 * to each other once more, which never loses anything.
 */
function bestScale(
  values: Float32Array,
  at: number,
  block: number,
  extreme: number,
  bits: 4 | 8,
  cost: Float32Array,
  column: number,
): number {
  const lowest = -(2 ** (bits - 1));
  const highest = -lowest - 1;
  let scale = extreme / lowest;
  if (scale === 0 || Number.isNaN(scale)) return scale;
  let best = -1;
  for (const share of bits === 8 ? SHARES_OF_8_BITS : SHARES) {
    const inverse = lowest / (extreme * share);
    let product = 0;
    let square = 0;
    for (let i = 0; i < block; i++) {
      const value = values[at + i] as number;
      let level = value * inverse + ROUND - ROUND;
      level = level < lowest ? lowest : level > highest ? highest : level;
      const weighted = (cost[column + i] as number) * level;
      product += weighted * value;
      square += weighted * level;
    }
    if (product * product > best * square) {
      best = (product * product) / square;
      scale = product / square;
    }
  }
  return refit(values, at, block, scale, lowest, cost, column);
}

/** The best scale for the levels that another one gives. */
function refit(
  values: Float32Array,
  at: number,
  block: number,
  scale: number,
  lowest: number,
  cost: Float32Array,
  column: number,
): number {
  const inverse = 1 / scale;
  let product = 0;
  let square = 0;
  for (let i = 0; i < block; i++) {
    const value = values[at + i] as number;
    let level = value * inverse + ROUND - ROUND;
    level = level < lowest ? lowest : level > -lowest - 1 ? -lowest - 1 : level;
    const weighted = (cost[column + i] as number) * level;
    product += weighted * value;
    square += weighted * level;
  }
  return product > 0 === square > 0 && square > 0 ? product / square : scale;
}

/** Adding and taking it away rounds a number of at most 2^51 to a whole one. */
const ROUND = 1.5 * 2 ** 52;

function roundTo(values: Float32Array, at: number, levels: Int8Array, scale: number, bits: 4 | 8): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  const lowest = -(2 ** (bits - 1));
  for (let i = 0; i < levels.length; i++) {
    const level = (values[at + i] as number) * inverse + ROUND - ROUND;
    levels[i] = level < lowest ? lowest : level > -lowest - 1 ? -lowest - 1 : level;
  }
}

function pack(levels: Int8Array, weights: Uint8Array, to: number, bits: 4 | 8): void {
  if (bits === 8) {
    for (let i = 0; i < levels.length; i++) weights[to + i] = (levels[i] as number) + 128;
    return;
  }
  for (let i = 0; i < levels.length; i += 2) {
    weights[to + (i >> 1)] = ((levels[i] as number) + 8) | (((levels[i + 1] as number) + 8) << 4);
  }
}
