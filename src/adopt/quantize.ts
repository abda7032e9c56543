import type { Blocks } from './recipe';

/** Rows of a matrix in blocks. */
export interface QuantizedRows {
  /** Whole numbers without sign, a block after the other; of 4 bits two in a byte, the first one low. */
  readonly weights: Uint8Array;
  /** One a block: a weight is scale · (number − 2^(bits − 1)). */
  readonly scales: Float32Array;
}

/**
 * Rounds rows of a matrix in blocks, each by its largest number.
 * @param values [rows, columns], whole blocks
 */
export function quantizeRows(values: Float32Array, { bits, block }: Blocks): QuantizedRows {
  const scales = new Float32Array(values.length / block);
  const weights = new Uint8Array((values.length * bits) / 8);
  const middle = 2 ** (bits - 1);
  for (let at = 0; at < values.length; at += block) {
    let extreme = 0;
    for (let i = at; i < at + block; i++) {
      if (Math.abs(values[i] as number) > Math.abs(extreme)) extreme = values[i] as number;
    }
    // Of the whole numbers there is one more below zero: with few bits the largest number takes it.
    const scale = bits === 4 ? -extreme / middle : Math.abs(extreme) / (middle - 1);
    scales[at / block] = scale;
    for (let i = at; i < at + block; i++) {
      const whole = scale === 0 ? 0 : Math.round((values[i] as number) / scale);
      const stored = Math.max(0, Math.min(2 * middle - 1, whole + middle));
      if (bits === 8) weights[i] = stored;
      else weights[i >> 1] = (weights[i >> 1] as number) | (stored << (4 * (i & 1)));
    }
  }
  return { weights, scales };
}
