import type { Kind } from '../../src/edits/candidate';
import {
  EDIT_FEATURES,
  editFeatures,
  type EditFeatures,
  type EditWeights,
  type KindWeights,
} from '../../src/edits/confidence';
import { fitLogistic } from '../logistic';
import { thresholdFor } from './policy';
import type { Observation, Walk } from './walk';

/**
 * Weights with the least thresholds that are right often enough on the walks they are fitted to.
 * @param precision share of offers that have to be right
 */
export function fitEdits(from: readonly Walk[], precision: number): EditWeights {
  const weights = { rename: fitWeights(from, 'rename'), repeat: fitWeights(from, 'repeat') };
  const policy = { weights, kinds: ['rename', 'repeat'] as const };
  const least = (kind: Kind) => ({ ...weights[kind], threshold: thresholdFor(from, policy, kind, precision) });
  return { rename: least('rename'), repeat: least('repeat') };
}

export function isRight({ makes }: Observation): boolean {
  return makes !== undefined;
}

function observed(walks: readonly Walk[]): Observation[] {
  return walks.flatMap(({ moments }) => moments.flatMap(({ observations }) => observations));
}

function fitWeights(from: readonly Walk[], kind: Kind): KindWeights {
  const observations = observed(from).filter(({ candidate }) => candidate.kind === kind);
  const rows = observations.map(({ candidate }) => {
    const features = editFeatures(candidate.facts);
    return EDIT_FEATURES.map((name) => features[name]);
  });
  const { bias, weights } = fitLogistic(rows, observations.map(isRight));
  const named = Object.fromEntries(EDIT_FEATURES.map((name, i) => [name, weights[i] ?? 0])) as EditFeatures;
  return { bias, weights: named, threshold: 1 };
}
