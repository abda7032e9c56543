import type { ThoughtSteps } from '../model/manifest';
import type { QuantisedRows } from '../model/quantisedRows';

/**
 * The posterior update as arithmetic on plain arrays: no model, no clock, no randomness. A thought z is an array
 * [top layers, features, width], a group each layer (src/model/thoughtShape.ts); every constant of a group comes from the bundle's
 * manifest.
 */
export interface StepRule {
  /** Length of the step in each group of z, in units of an RMS-normalised gradient. */
  readonly stepSize: readonly number[];
  /** Fraction by which each group is pulled back toward the prior before the step. */
  readonly priorPull: readonly number[];
}

/** The rule of refinement step t (0-based). Beyond the steps that have sizes of their own the last size decays as 1/t. */
export function coldRule(thought: ThoughtSteps, t: number): StepRule {
  const last = thought.maxSteps - 1;
  const row = Math.min(t, last);
  const decay = t > last ? thought.maxSteps / (t + 1) : 1;
  const stepSize = thought.stepSize[row] ?? [];
  return { stepSize: stepSize.map((size) => size * decay), priorPull: thought.priorPull[row] ?? [] };
}

/** The rule of a step that starts from an earlier posterior, after an edit. */
export function warmRule(thought: ThoughtSteps): StepRule {
  return { stepSize: thought.warmStepSize, priorPull: thought.warmPriorPull };
}

/**
 * One step: per group, pull toward the prior, then go against the gradient, which is scaled to a root mean square of 1.
 * @param gradient of the mean NLL of the evidence with respect to z
 * @param ends where each group of z ends
 * @returns the new z, or undefined if the gradient or the result is not finite: then the step must not be taken
 */
export function step(
  z: Float32Array,
  prior: Float32Array,
  gradient: Float32Array,
  rule: StepRule,
  ends: readonly number[],
): Float32Array | undefined {
  const next = new Float32Array(z.length);
  let nanSum = 0;
  ends.forEach((end, group) => {
    const from = ends[group - 1] ?? 0;
    const length = rms(gradient.subarray(from, end)) + 1e-12;
    const eta = (rule.stepSize[group] ?? 0) / length;
    const keep = 1 - (rule.priorPull[group] ?? 0);
    for (let i = from; i < end; i++) {
      const origin = prior[i] as number;
      const value = Math.fround(origin + keep * ((z[i] as number) - origin) - eta * (gradient[i] as number));
      // Of what is no finite number the difference to itself is none, either.
      nanSum += value - value;
      next[i] = value;
    }
  });
  return nanSum === 0 ? next : undefined;
}

/** Root mean square. */
export function rms(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / Math.max(1, values.length));
}

/**
 * KL(q‖p) in nats of q = N(mu, σ_q²) from p = N(prior, σ_p²), both diagonal, with one deviation per group of z.
 * @param priorDeviation σ_p per group
 * @param posteriorDeviation σ_q per group
 * @param ends where each group ends
 */
export function kullbackLeibler(
  mu: Float32Array,
  prior: Float32Array,
  priorDeviation: readonly number[],
  posteriorDeviation: readonly number[],
  ends: readonly number[],
): number {
  let total = 0;
  priorDeviation.forEach((sigmaP, group) => {
    const ratio = ((posteriorDeviation[group] ?? sigmaP) / sigmaP) ** 2;
    const [from, end] = [ends[group - 1] ?? 0, ends[group] ?? 0];
    let distance = 0;
    for (let i = from; i < end; i++) distance += ((mu[i] ?? 0) - (prior[i] ?? 0)) ** 2;
    total += 0.5 * (distance / sigmaP ** 2 + (end - from) * (ratio - 1 - Math.log(ratio)));
  });
  return total;
}

/**
 * With what share the gradient of each chunk, a sum over its tokens, goes into the mean over the tokens of all, each chunk with its
 * weight: w_c / Σ_c w_c N_c.
 */
export function sharesOf(chunks: readonly { tokens: number; weight?: number }[]): number[] {
  const tokens = chunks.reduce((sum, { tokens, weight = 1 }) => sum + weight * tokens, 0);
  return chunks.map(({ weight = 1 }) => weight / tokens);
}

/** Adds a chunk's gradient with its share to the mean. */
export function addGradient(mean: Float32Array, gradient: Float32Array, share: number): void {
  for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] as number) + share * (gradient[i] as number);
}

/** The same of a gradient that was rounded. */
export function addRounded(mean: Float32Array, { numbers, scales }: QuantisedRows, share: number): void {
  const width = numbers.length / scales.length;
  scales.forEach((scale, row) => {
    const factor = share * scale;
    for (let i = row * width; i < (row + 1) * width; i++) {
      mean[i] = (mean[i] as number) + factor * (numbers[i] as number);
    }
  });
}
