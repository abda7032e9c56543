import type { Kind } from '../../src/edits/candidate';
import { editConfidence, editFeatures, type EditWeights } from '../../src/edits/confidence';
import type { Walk } from './walk';

/** What became of a commit's edits. */
export interface Outcome {
  readonly owner: string;
  /** Edits that followed another one. */
  readonly following: number;
  readonly offered: number;
  readonly right: number;
  /** Following edits that were offered. */
  readonly recalled: number;
}

export interface Policy {
  readonly weights: EditWeights;
  /** Kinds of edits that are offered. */
  readonly kinds: readonly Kind[];
}

/**
 * What is offered on the way through a commit: after each edit the surest candidate, and the next one as soon as that is
 * accepted, until one is wrong. That edit is dismissed, and nothing like it comes back. What was accepted need not be
 * edited by hand any more.
 */
export function outcomeOf({ owner, edits, moments }: Walk, { weights, kinds }: Policy): Outcome {
  const made = new Set<string>();
  const dismissed = new Set<string>();
  let [offered, right] = [0, 0];
  let recalled = 0;
  for (const { edit, observations } of moments) {
    if (made.has(edit)) continue;
    const sure = observations
      .filter(({ candidate }) => kinds.includes(candidate.kind))
      .map((one) => {
        const fitted = weights[one.candidate.kind];
        return { ...one, fitted, confidence: editConfidence(editFeatures(one.candidate.facts), fitted) };
      })
      .filter(({ confidence, fitted }) => confidence >= fitted.threshold)
      .sort((a, b) => b.confidence - a.confidence);
    for (const { candidate, makes } of sure) {
      const pattern = JSON.stringify([candidate.source.oldText, candidate.source.newText]);
      if (dismissed.has(pattern) || (makes && makes.length > 0 && makes.every((one) => made.has(one)))) continue;
      offered++;
      if (!makes) {
        dismissed.add(pattern);
        break;
      }
      right++;
      recalled += makes.filter((one) => !made.has(one)).length;
      for (const one of makes) made.add(one);
    }
    made.add(edit);
  }
  return { owner, following: edits - 1, offered, right, recalled };
}

/** The least threshold for a kind with which at least a share of what is offered is right; 1 where there is none. */
export function thresholdFor(walks: readonly Walk[], policy: Policy, kind: Kind, precision: number): number {
  for (let threshold = 0.3; threshold < 1; threshold += 0.01) {
    const weights = { ...policy.weights, [kind]: { ...policy.weights[kind], threshold } };
    const outcomes = walks.map((one) => outcomeOf(one, { ...policy, weights, kinds: [kind] }));
    const offered = outcomes.reduce((sum, one) => sum + one.offered, 0);
    const right = outcomes.reduce((sum, one) => sum + one.right, 0);
    if (offered > 0 && right >= precision * offered) return Number(threshold.toFixed(2));
  }
  return 1;
}
