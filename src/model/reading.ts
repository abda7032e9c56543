/** A text that the decoder has read: where its last states point, and what followed each. */
export interface Reading {
  /** Unit vectors along the last states, [tokens, width]. */
  readonly directions: Float32Array;
  /** The token after each. */
  readonly tokens: ArrayLike<number>;
}
