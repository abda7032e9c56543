import { sigmoid } from '../numbers';
import type { EditCandidate, Facts, Kind } from './candidate';
import { MAX_TOKENS } from './candidate';
import fitted from './weights.json';

/** The features of the confidence, in the order of their weights' names. All are of the size of one. */
export const EDIT_FEATURES = [
  'left',
  'right',
  'both',
  'sameLine',
  'again',
  'oldLength',
  'newLength',
  'places',
  'skipped',
  'inserts',
  'deletes',
  'wordless',
  'distance',
  'otherFile',
  'names',
  'orphaned',
  'declared',
  'gain',
] as const;
export type EditFeatures = Record<(typeof EDIT_FEATURES)[number], number>;

/** A fitted logistic model, and how sure it must be of what is shown. */
export interface KindWeights {
  readonly bias: number;
  readonly weights: EditFeatures;
  /** The least confidence with which edits are shown: of each four that are, at least three are right. */
  readonly threshold: number;
}

/** One for each kind of edits: what speaks for a repetition says little of a renamed name. */
export type EditWeights = Readonly<Record<Kind, KindWeights>>;

/** What is fitted: how sure each model is, by its name, and how sure one can be without any ("found"). */
export const EDIT_WEIGHTS: Readonly<Record<string, EditWeights>> = fitted;

/** More nats than this say no more. */
const MAX_NATS = 30;

/** @param gain log p(new) − log p(old) at the place in nats, by a model; undefined where none was asked */
export function editFeatures(facts: Facts, gain: number | undefined): EditFeatures {
  return {
    left: facts.left / MAX_TOKENS,
    right: facts.right / MAX_TOKENS,
    both: Math.min(facts.left, facts.right) / MAX_TOKENS,
    sameLine: Number(facts.sameLine),
    again: Number(facts.made > 1),
    oldLength: Math.log1p(facts.oldLength) / 4,
    newLength: Math.log1p(facts.newLength) / 4,
    places: Math.log1p(facts.places) / 4,
    skipped: Math.log1p(facts.skipped) / 4,
    inserts: Number(facts.inserts),
    deletes: Number(facts.deletes),
    wordless: Number(facts.wordless),
    distance: Math.log1p(facts.lines) / 4,
    otherFile: Number(facts.otherFile),
    names: Number(facts.names),
    orphaned: Number(facts.orphaned),
    declared: Number(facts.declared),
    gain: gain === undefined ? 0 : Math.max(-MAX_NATS, Math.min(MAX_NATS, gain)) / 10,
  };
}

/** Probability that an edit is the user's next one, or one of the next. */
export function editConfidence(features: EditFeatures, { bias, weights }: Omit<KindWeights, 'threshold'>): number {
  const logOdds = EDIT_FEATURES.reduce((sum, name) => sum + weights[name] * features[name], bias);
  return sigmoid(logOdds);
}

/** A candidate, and how sure it is. */
export interface Rated {
  readonly candidate: EditCandidate;
  readonly confidence: number;
  /** Whether it is sure enough to be shown. */
  readonly sure: boolean;
}

/** Candidates by their confidence, the surest first. @param gains what a model says of each, where one was asked */
export function rated(
  candidates: readonly EditCandidate[],
  weights: EditWeights,
  gains: readonly (number | undefined)[] = [],
): Rated[] {
  return candidates
    .map((candidate, i) => {
      const fitted = weights[candidate.kind];
      const confidence = editConfidence(editFeatures(candidate.facts, gains[i]), fitted);
      return { candidate, confidence, sure: confidence >= fitted.threshold };
    })
    .sort((a, b) => b.confidence - a.confidence);
}
