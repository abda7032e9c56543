import { NumericalError } from '../model/errors';
import type { Blocks } from './recipe';

/** Rows in blocks, as ONNX Runtime's `MatMulNBits` reads them: weight = (level - zero point) · scale. */
export interface QuantizedRows {
  /** [rows, blocks, block · bits / 8]; with 4 bits the first of two levels is the lower half of a byte. */
  readonly weights: Uint8Array;
  /** [rows, blocks] */
  readonly scales: Float32Array;
  /** With 4 bits [rows, blocks / 2, rounded up], packed as the weights are; with 8 bits all are 128. */
  readonly zeroPoints?: Uint8Array;
}

/**
 * Rounds rows to blocks of few bits. Where a block already has few levels (Q8_0, Q5_0, Q4_0; in blocks of 16 Q6_K), 8 bits
 * give exactly its values. Otherwise scale and zero point are those of several that lose least, fitted by least squares.
 * @param values float32 [rows, columns]
 * @param importance what an error costs, by column: the mean square of what the column is multiplied with (default: 1)
 * @throws NumericalError if a value is not finite
 */
export function quantizeRows(
  values: Float32Array,
  columns: number,
  { bits, block }: Blocks,
  importance: Float32Array = new Float32Array(columns).fill(1),
): QuantizedRows {
  const perRow = columns / block;
  const rows = values.length / columns;
  if (!Number.isInteger(perRow) || !Number.isInteger(rows) || importance.length !== columns) {
    throw new RangeError(`${values.length} values and ${importance.length} importances of ${columns} columns`);
  }
  const scales = new Float32Array(rows * perRow);
  const weights = new Uint8Array((values.length * bits) / 8);
  const zeroBytes = (perRow + 1) >> 1;
  const zeroPoints = new Uint8Array(rows * zeroBytes);
  const fit = new Fit(values, importance, block);
  for (let i = 0; i < scales.length; i++) {
    fit.begin(i * block, (i % perRow) * block);
    if (bits === 8) fit.eightBits();
    else fit.fourBits();
    scales[i] = fit.scale;
    fit.write(weights, bits);
    if (bits === 8) continue;
    const at = Math.floor(i / perRow) * zeroBytes + ((i % perRow) >> 1);
    zeroPoints[at] = (zeroPoints[at] as number) | (fit.zero << (4 * ((i % perRow) & 1)));
  }
  NumericalError.check(scales, 'weights');
  return bits === 8 ? { weights, scales } : { weights, scales, zeroPoints };
}

/** Levels at which the extreme of a block stands in ggml's types, the usual ones first. */
const EXTREME_LEVELS = [127, 16, 8, 32, ...Array.from({ length: 128 }, (_, i) => i + 1)];

/** Shares of a block's span that 16 levels are tried for; what is beyond is cut off. */
const SHARES = [1, 0.88];

/** Adding and taking it away rounds a number of at most 2^51 to a whole one. */
const ROUND = 1.5 * 2 ** 52;

/**
 * Scale and zero point of one block after the other. For levels q, counted from the zero point, the best scale is
 * Σ c·x·q / Σ c·q² (least squares), and what it explains is (Σ c·x·q)² / Σ c·q²: that is compared for the levels of several
 * scales and zero points. Then levels and scale are fitted to each other once more, which never loses anything.
 */
class Fit {
  scale = 0;
  zero = 0;
  #explained = 0;
  #at = 0;
  #column = 0;

  constructor(
    private readonly values: Float32Array,
    private readonly cost: Float32Array,
    private readonly block: number,
  ) {}

  /** @param at where the block begins, and in which column that is */
  begin(at: number, column: number): void {
    [this.#at, this.#column] = [at, column];
    [this.scale, this.zero, this.#explained] = [0, 0, -1];
  }

  eightBits(): void {
    const [min, max] = this.#span();
    const extreme = max > -min ? max : min;
    this.zero = 128;
    this.scale = extreme / -128;
    if (this.scale === 0 || !Number.isFinite(this.scale)) return;
    const exact = this.#exactScale(extreme);
    if (exact !== undefined) {
      this.scale = exact;
      return;
    }
    this.#try(1 / this.scale, 128, 255);
    this.#try(1 / this.scale, 128, 255);
  }

  fourBits(): void {
    const [min, max] = this.#span();
    const extreme = max > -min ? max : min;
    this.zero = 8;
    this.scale = extreme / -8;
    if (this.scale === 0 || !Number.isFinite(this.scale)) return;
    this.#try(1 / this.scale, 8, 15);
    const [low, high] = [Math.min(0, min), Math.max(0, max)];
    for (const share of SHARES) {
      const inverse = 15 / ((high - low) * share);
      const middle = Math.round(7.5 - 0.5 * (low + high) * inverse);
      for (let zero = Math.max(0, middle - 1); zero <= Math.min(15, middle + 1); zero++) this.#try(inverse, zero, 15);
    }
    this.#try(1 / this.scale, this.zero, 15);
  }

  /** Writes the block's levels. */
  write(weights: Uint8Array, bits: 4 | 8): void {
    const inverse = this.scale === 0 ? 0 : 1 / this.scale;
    const to = (this.#at * bits) / 8;
    const highest = bits === 8 ? 255 : 15;
    for (let i = 0; i < this.block; i++) {
      let level = (this.values[this.#at + i] as number) * inverse + ROUND - ROUND + this.zero;
      level = level < 0 ? 0 : level > highest ? highest : level;
      if (bits === 8) weights[to + i] = level;
      else weights[to + (i >> 1)] = (weights[to + (i >> 1)] as number) | (level << (4 * (i & 1)));
    }
  }

  /** Takes the best scale for the levels that another one gives, if they explain more than those before. */
  #try(inverse: number, zero: number, highest: number): void {
    const { values, cost, block } = this;
    const [at, column] = [this.#at, this.#column];
    const [low, high] = [-zero, highest - zero];
    let product = 0;
    let square = 0;
    for (let i = 0; i < block; i++) {
      const value = values[at + i] as number;
      let level = value * inverse + ROUND - ROUND;
      level = level < low ? low : level > high ? high : level;
      const weighted = (cost[column + i] as number) * level;
      product += weighted * value;
      square += weighted * level;
    }
    if (product * product > this.#explained * square && square > 0) {
      this.#explained = (product * product) / square;
      this.scale = product / square;
      this.zero = zero;
    }
  }

  /** The least and the largest value; NaN if one is. */
  #span(): [min: number, max: number] {
    let [min, max] = [Infinity, -Infinity];
    for (let i = this.#at; i < this.#at + this.block; i++) {
      const value = this.values[i] as number;
      if (Number.isNaN(value)) return [NaN, NaN];
      if (value < min) min = value;
      if (value > max) max = value;
    }
    return [min, max];
  }

  /** The scale by which all values are whole numbers of at most 8 bits, if there is one. */
  #exactScale(extreme: number): number | undefined {
    const end = this.#at + this.block;
    for (const level of EXTREME_LEVELS) {
      const scale = Math.fround(extreme / level);
      if (scale === 0) return undefined;
      let i = this.#at;
      while (i < end && isMultiple(this.values[i] as number, scale)) i++;
      if (i === end) return scale;
    }
    return undefined;
  }
}

function isMultiple(value: number, scale: number): boolean {
  const level = Math.round(value / scale);
  return level > -128 && level < 128 && Math.fround(level * scale) === value;
}
