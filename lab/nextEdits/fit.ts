import type { Kind } from '../../src/edits/candidate';
import {
  EDIT_FEATURES,
  EDIT_WEIGHTS,
  editConfidence,
  editFeatures,
  type EditFeatures,
  type EditWeights,
  type KindWeights,
} from '../../src/edits/confidence';
import { UserError } from '../../src/model/errors';
import { fitLogistic } from '../logistic';
import type { Variant } from './judge';
import { thresholdFor } from './policy';
import type { Observation, Walk } from './walk';

/** The name of the weights for what is found without a model. */
export const FOUND = 'found';

/**
 * Weights with the least thresholds that are right often enough on the walks they are fitted to.
 * @param judge whose judgement counts beside what is found; undefined: nobody's
 * @param precision share of offers that have to be right
 */
export function fitEdits(from: readonly Walk[], judge: Variant | undefined, precision: number): EditWeights {
  const weightsOf = judge ? fitGain(from, judge) : (kind: Kind) => fitWeights(from, kind);
  const weights = { rename: weightsOf('rename'), repeat: weightsOf('repeat') };
  const policy = { weights, kinds: ['rename', 'repeat'] as const, judge };
  const least = (kind: Kind) => ({ ...weights[kind], threshold: thresholdFor(from, policy, kind, precision) });
  return { rename: least('rename'), repeat: least('repeat') };
}

/** The weights for what is found without a model, as they ship. */
export function foundWeights(): EditWeights {
  const weights = EDIT_WEIGHTS[FOUND];
  if (!weights)
    throw new UserError('src/edits/weights.json: no weights for what is found; fit them first, without --judge');
  return weights;
}

/** Candidates with what a model says of them. */
export function judged(walks: readonly Walk[], judge: Variant): Observation[] {
  return observed(walks).filter(({ gains }) => gains[judge] !== undefined);
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
    const features = editFeatures(candidate.facts, undefined);
    return EDIT_FEATURES.map((name) => features[name]);
  });
  const { bias, weights } = fitLogistic(rows, observations.map(isRight));
  const named = Object.fromEntries(EDIT_FEATURES.map((name, i) => [name, weights[i] ?? 0])) as EditFeatures;
  return { bias, weights: named, threshold: 1 };
}

/** What can be said without a model as one feature, and what the model says as the other: there are few judgements. */
function fitGain(from: readonly Walk[], judge: Variant): (kind: Kind) => KindWeights {
  const plain = foundWeights();
  const observations = judged(from, judge);
  const rows = observations.map(({ candidate, gains }) => {
    const confidence = editConfidence(editFeatures(candidate.facts, undefined), plain[candidate.kind]);
    return [Math.log(confidence / (1 - confidence)), editFeatures(candidate.facts, gains[judge]).gain];
  });
  const { bias, weights } = fitLogistic(rows, observations.map(isRight));
  const [scale = 1, gain = 0] = weights;
  return (kind) => {
    const scaled = EDIT_FEATURES.map((name) => [name, scale * plain[kind].weights[name]]);
    const all = { ...(Object.fromEntries(scaled) as EditFeatures), gain };
    return { bias: bias + scale * plain[kind].bias, weights: all, threshold: 1 };
  };
}
