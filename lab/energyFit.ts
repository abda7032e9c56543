import type { EnergyWeights } from '../src/model/manifest';
import { confidence, energy, FEATURES, type Features } from '../src/completion/energy';
import { fitLogistic } from './logistic';

/** A candidate for one place, and whether it is what stood there. */
export interface Example {
  /** The place; candidates of one place compete. */
  readonly place: string;
  readonly features: Features;
  readonly right: boolean;
}

/** Logistic regression with a ridge penalty: `fitLogistic`. */
export function fitEnergy(examples: readonly Example[]): Pick<EnergyWeights, 'bias' | 'weights'> {
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

/** The candidate of lowest energy of each place. */
export function bestOfEach(examples: readonly Example[], model: Pick<EnergyWeights, 'bias' | 'weights'>): Shown[] {
  const best = new Map<string, { energy: number; right: boolean }>();
  for (const { place, features, right } of examples) {
    const own = energy(features, model);
    const before = best.get(place);
    if (!before || own < before.energy) best.set(place, { energy: own, right });
  }
  return [...best.values()].map((one) => ({ confidence: confidence(one.energy), right: one.right }));
}
