/** An error whose one-line message names what is wrong and the remedy; it is shown to the user as it is. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** What a graph computed is no number: a device or its driver is at fault, or the weights are. */
export class NumericalError extends Error {
  override readonly name = 'NumericalError';

  /** @throws NumericalError unless all values of an output are finite */
  static check(values: Float32Array, output: string): Float32Array {
    // 0 · x is 0 for finite numbers and NaN for others, and NaN stays in a sum: one pass without a branch.
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += 0 * (values[i] as number);
    if (sum !== 0) throw new NumericalError(`the model's ${output} are not all finite numbers`);
    return values;
  }
}

/** The first line of whatever was thrown. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? text;
}
