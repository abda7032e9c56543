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

/** What `lab next-edits` has fitted. */
export const EDIT_WEIGHTS: EditWeights = fitted;

export function editFeatures(facts: Facts): EditFeatures {
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

/** Candidates by their confidence, the surest first. */
export function rated(candidates: readonly EditCandidate[], weights: EditWeights): Rated[] {
  return candidates
    .map((candidate) => {
      const fitted = weights[candidate.kind];
      const confidence = editConfidence(editFeatures(candidate.facts), fitted);
      return { candidate, confidence, sure: confidence >= fitted.threshold };
    })
    .sort((a, b) => b.confidence - a.confidence);
}
