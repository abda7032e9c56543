import type { ConfidenceWeights } from '../src/model/manifest';
import { confidence, logOdds, FEATURES, type Features } from '../src/completion/confidence';
import { fitLogistic } from './logistic';

/** A candidate for one place, and whether it is what stood there. */
export interface Example {
  /** The place; candidates of one place compete. */
  readonly place: string;
  readonly features: Features;
  readonly right: boolean;
}

/** Logistic regression with a ridge penalty: `fitLogistic`. */
export function fitConfidence(examples: readonly Example[]): Pick<ConfidenceWeights, 'bias' | 'weights'> {
  const rows = examples.map(({ features }) => FEATURES.map((name) => features[name]));
  const { bias, weights } = fitLogistic(
    rows,
    examples.map(({ right }) => right),
  );
  return { bias, weights: Object.fromEntries(FEATURES.map((name, i) => [name, weights[i]])) as Features };
}

/** What would be shown at a place, how sure the model is of it, and whether it is right. */
export interface Shown {
  readonly confidence: number;
  readonly right: boolean;
}

/**
 * Expected calibration error (Naeini et al. 2015): mean distance between confidence and accuracy over ten bins of equal
 * width, weighted by their counts.
 */
export function calibrationError(shown: readonly Shown[], bins = 10): number {
  let error = 0;
  for (let bin = 0; bin < bins; bin++) {
    const inside = shown.filter(({ confidence }) => Math.min(bins - 1, Math.floor(confidence * bins)) === bin);
    const gap = inside.reduce((sum, { confidence, right }) => sum + confidence - Number(right), 0);
    error += Math.abs(gap);
  }
  return error / Math.max(1, shown.length);
}

/** The candidate of highest confidence of each place. */
export function bestOfEach(examples: readonly Example[], model: Pick<ConfidenceWeights, 'bias' | 'weights'>): Shown[] {
  const best = new Map<string, { logOdds: number; right: boolean }>();
  for (const { place, features, right } of examples) {
    const own = logOdds(features, model);
    const before = best.get(place);
    if (!before || own > before.logOdds) best.set(place, { logOdds: own, right });
  }
  return [...best.values()].map((one) => ({ confidence: confidence(one.logOdds), right: one.right }));
}
