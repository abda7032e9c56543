import type { ConfidenceWeights } from '../model/manifest';
import { sigmoid } from '../numbers';

/** What is known of a candidate besides its text. */
export interface CandidateFacts {
  /** −log p under the posterior predictive, in nats. */
  readonly nats: number;
  readonly tokens: number;
  readonly characters: number;
  /** Nats by which it is less probable than the most probable candidate. */
  readonly gapToBest: number;
  /** undefined: it cannot be said. */
  readonly parses: boolean | undefined;
  readonly undeclared: number;
  /** Share of the thoughts that wrote it themselves. */
  readonly agreement: number;
  /** Characters after the cursor that it covers. */
  readonly replaceSuffix: number;
}

/** The features of the confidence model, in the order of their weights' names. All are of the size of one. */
export const FEATURES = [
  'nats',
  'perToken',
  'length',
  'gapToBest',
  'syntaxError',
  'undeclared',
  'agreement',
  'overlapsSuffix',
] as const;
export type Features = Record<(typeof FEATURES)[number], number>;

/** More nats than this say no more. */
const MAX_NATS = 60;

export function featuresOf(facts: CandidateFacts): Features {
  const { nats, tokens, characters, gapToBest, parses, undeclared, agreement, replaceSuffix } = facts;
  return {
    nats: Math.min(nats, MAX_NATS) / 10,
    perToken: Math.min(nats / Math.max(1, tokens), 10),
    length: Math.log1p(characters),
    gapToBest: Math.min(gapToBest, 30) / 10,
    syntaxError: parses === false ? 1 : 0,
    undeclared: undeclared > 0 ? 1 : 0,
    agreement,
    overlapsSuffix: replaceSuffix > 0 ? 1 : 0,
  };
}

/**
 * Log-odds that a candidate is what would have been typed, linear in its features: a logistic confidence model (an energy-based
 * reranker, Deng et al. 2020, with hand-made features and a logistic loss).
 */
export function logOdds(features: Features, { bias, weights }: Pick<ConfidenceWeights, 'bias' | 'weights'>): number {
  return FEATURES.reduce((sum, name) => sum + weights[name] * features[name], bias);
}

/** Probability that a candidate with these log-odds is what would have been typed. */
export function confidence(logOdds: number): number {
  return sigmoid(logOdds);
}

/** Ranges of the features that a single text, which all thoughts agree on, can still come to have. */
const REACHABLE: Readonly<Record<Exclude<keyof Features, 'nats'>, readonly [number, number]>> = {
  perToken: [0, 10],
  length: [0, 10],
  gapToBest: [0, 0],
  syntaxError: [0, 1],
  undeclared: [0, 1],
  agreement: [1, 1],
  overlapsSuffix: [0, 1],
};

/**
 * log p in nats below which no single text can have a confidence, whatever follows: its nats only grow, and everything else
 * is taken at its best. −∞ where the weights set no such bound.
 */
export function minLogprob(wanted: number, { bias, weights }: Pick<ConfidenceWeights, 'bias' | 'weights'>): number {
  if (weights.nats >= 0 || wanted <= 0) return -Infinity;
  let best = bias;
  for (const [name, range] of Object.entries(REACHABLE)) {
    best += Math.max(...range.map((value) => value * weights[name as keyof typeof REACHABLE]));
  }
  const wantedLogOdds = Math.log(wanted / (1 - wanted));
  const nats = (10 * (best - wantedLogOdds)) / -weights.nats;
  return nats > MAX_NATS ? -Infinity : -nats;
}
