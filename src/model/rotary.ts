/**
 * Rotary positions (Su et al. 2021) of keys whose halves are rotated against each other: turns keys that were computed for some
 * positions to others.
 */
export class Rotation {
  readonly #cosines: Float64Array;
  readonly #sines: Float64Array;

  /**
   * @param positions by which keys move, which may be negative
   * @param headWidth numbers of a key
   * @param base of the frequencies: pair i turns by base^(−2i / headWidth) radians a position
   */
  constructor(positions: number, headWidth: number, base: number) {
    const angles = Float64Array.from({ length: headWidth / 2 }, (_, i) => positions * base ** ((-2 * i) / headWidth));
    this.#cosines = angles.map(Math.cos);
    this.#sines = angles.map(Math.sin);
  }

  /** Turns keys in place, [tokens, headWidth]. */
  turn(keys: Float32Array): void {
    const half = this.#cosines.length;
    for (let at = 0; at < keys.length; at += 2 * half) {
      for (let i = 0; i < half; i++) {
        const [a, b] = [keys[at + i] as number, keys[at + half + i] as number];
        const [cosine, sine] = [this.#cosines[i] as number, this.#sines[i] as number];
        keys[at + i] = a * cosine - b * sine;
        keys[at + half + i] = b * cosine + a * sine;
      }
    }
  }
}
