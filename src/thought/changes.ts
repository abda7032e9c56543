import type { Tokenizer } from '../model/tokenizer';

/** A token that a thought makes more or less likely at a place. */
export interface TokenChange {
  readonly text: string;
  /** Its probability without the thought, and with it. */
  readonly before: number;
  readonly after: number;
}

/** Of less nobody sees anything. */
const MIN_CHANGE = 0.001;

/**
 * The tokens whose probability changes most, the largest change first.
 * @param before logits without a thought, [vocabulary]
 * @param after logits with it
 */
export function largestChanges(
  before: Float32Array,
  after: Float32Array,
  count: number,
  tokenizer: Pick<Tokenizer, 'decode'>,
): TokenChange[] {
  const [one, other] = [softmax(before), softmax(after)];
  const change = (token: number) => Math.abs((other[token] ?? 0) - (one[token] ?? 0));
  return Array.from(one.keys())
    .filter((token) => change(token) >= MIN_CHANGE)
    .sort((a, b) => change(b) - change(a))
    .slice(0, count)
    .map((token) => ({ text: tokenizer.decode([token]), before: one[token] ?? 0, after: other[token] ?? 0 }));
}

function softmax(logits: Float32Array): Float64Array {
  const largest = logits.reduce((max, logit) => Math.max(max, logit), -Infinity);
  const numbers = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = numbers.reduce((total, value) => total + value, 0);
  return numbers.map((value) => value / sum);
}
