/**
 * e^x of negative x from a table, linear in between: to 5 · 10⁻⁷ of itself, which is what float32 has, in a quarter of the time
 * of `Math.exp`. A vocabulary of 150 thousand logits is summed for every token that is written.
 */
const PER_ONE = 512;
/** Below this e^x is 10⁻¹⁴: of all logits together nothing. */
const LOWEST = -32;
const table = Float64Array.from({ length: -LOWEST * PER_ONE + 2 }, (_, i) => Math.exp(-i / PER_ONE));

export interface SoftmaxSummary {
  /** log Σ exp of the logits. */
  readonly total: number;
  /** Of their softmax, in nats. */
  readonly entropy: number;
  /** The highest. */
  readonly token: number;
}

/** What is to be known of logits to turn them into log p. */
export function summarise(logits: Float32Array): SoftmaxSummary {
  let token = 0;
  for (let i = 1; i < logits.length; i++) if ((logits[i] as number) > (logits[token] as number)) token = i;
  const max = logits[token] as number;
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < logits.length; i++) {
    const above = (logits[i] as number) - max;
    if (!(above > LOWEST)) continue;
    const at = -above * PER_ONE;
    const index = at | 0;
    const upper = table[index] as number;
    const weight = upper + (at - index) * ((table[index + 1] as number) - upper);
    sum += weight;
    weighted += weight * above;
  }
  return { total: max + Math.log(sum), entropy: Math.log(sum) - weighted / sum, token };
}

/** The `count` ids with the highest logits, highest first. */
export function mostProbable(
  logits: Float32Array,
  count: number,
  allowed: (id: number) => boolean = () => true,
  ids?: readonly number[],
): number[] {
  const best: number[] = [];
  const of = (id: number) => logits[id] ?? -Infinity;
  // What a logit has to exceed: none is looked at twice, but for those that are among the highest so far.
  let minLogit = -Infinity;
  const length = (ids ?? logits).length;
  for (let i = 0; i < length; i++) {
    const id = ids ? (ids[i] as number) : i;
    const logit = logits[id] as number;
    if (!(logit > minLogit) && best.length === count) continue;
    if (!allowed(id)) continue;
    let at = best.length;
    while (at > 0 && logit > of(best[at - 1] as number)) at--;
    best.splice(at, 0, id);
    best.length = Math.min(best.length, count);
    if (best.length === count) minLogit = of(best[count - 1] as number);
  }
  return best;
}
