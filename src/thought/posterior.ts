import type { Manifest } from '../model/manifest';

/**
 * The posterior update as arithmetic on plain arrays: no model, no clock, no randomness. A thought z is an array
 * [groups, vectors, width], a group for each top layer and, behind them, those of the tokens; every constant of a group
 * comes from the bundle's manifest, where training put it.
 */
export interface StepRule {
  /** Length of the step in each group of z, in units of an RMS-normalised gradient. */
  readonly stepSize: readonly number[];
  /** Fraction by which each group is pulled back toward the prior before the step. */
  readonly priorPull: readonly number[];
}

/** The rule of refinement step t (0-based). Beyond the trained steps the last step size decays as 1/t. */
export function coldRule(thought: Manifest['thought'], t: number): StepRule {
  const last = thought.maxTrainedSteps - 1;
  const row = Math.min(t, last);
  const decay = t > last ? thought.maxTrainedSteps / (t + 1) : 1;
  const stepSize = thought.stepSize[row] ?? [];
  return { stepSize: stepSize.map((size) => size * decay), priorPull: thought.priorPull[row] ?? [] };
}

/** The rule of a step that starts from an earlier posterior, after an edit. */
export function warmRule(thought: Manifest['thought']): StepRule {
  return { stepSize: thought.warmStepSize, priorPull: thought.warmPriorPull };
}

/**
 * One step: per group, pull toward the prior, then go against the gradient, which is scaled to a root mean square of 1.
 * @param gradient of the mean NLL of the evidence with respect to z
 * @returns the new z, or undefined if the gradient or the result is not finite: then the step must not be taken
 */
export function step(
  z: Float32Array,
  prior: Float32Array,
  gradient: Float32Array,
  rule: StepRule,
): Float32Array | undefined {
  const groups = rule.stepSize.length;
  const size = z.length / groups;
  const next = new Float32Array(z.length);
  for (let group = 0; group < groups; group++) {
    const from = group * size;
    const length = rms(gradient.subarray(from, from + size)) + 1e-12;
    const eta = rule.stepSize[group] ?? 0;
    const keep = 1 - (rule.priorPull[group] ?? 0);
    for (let i = from; i < from + size; i++) {
      const origin = prior[i] ?? 0;
      next[i] = origin + keep * ((z[i] ?? 0) - origin) - (eta * (gradient[i] ?? 0)) / length;
    }
  }
  return next.every(Number.isFinite) ? next : undefined;
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
 */
export function kullbackLeibler(
  mu: Float32Array,
  prior: Float32Array,
  priorDeviation: readonly number[],
  posteriorDeviation: readonly number[],
): number {
  const size = mu.length / priorDeviation.length;
  let total = 0;
  priorDeviation.forEach((sigmaP, group) => {
    const ratio = ((posteriorDeviation[group] ?? sigmaP) / sigmaP) ** 2;
    let distance = 0;
    for (let i = group * size; i < (group + 1) * size; i++) distance += ((mu[i] ?? 0) - (prior[i] ?? 0)) ** 2;
    total += 0.5 * (distance / sigmaP ** 2 + size * (ratio - 1 - Math.log(ratio)));
  });
  return total;
}

/** Mean of chunk gradients over all their tokens, each chunk with its weight: Σ_c w_c g_c / Σ_c w_c N_c. */
export function meanGradient(
  chunks: readonly { gradient: Float32Array; tokens: number; weight?: number }[],
  length: number,
) {
  const mean = new Float32Array(length);
  const tokens = chunks.reduce((sum, { tokens, weight = 1 }) => sum + weight * tokens, 0);
  for (const { gradient, weight = 1 } of chunks) {
    for (let i = 0; i < length; i++) mean[i] = (mean[i] ?? 0) + (weight * (gradient[i] ?? 0)) / tokens;
  }
  return mean;
}
