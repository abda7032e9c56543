import type { Kind } from '../../src/edits/candidate';
import { editConfidence, editFeatures } from '../../src/edits/confidence';
import { bootstrap, type Interval } from '../evaluation/bootstrap';
import { share } from '../evaluation/table';
import { quantile } from '../quantile';
import { isRight } from './fit';
import { outcomeOf, type Outcome, type Policy } from './policy';
import type { Observation, Walk } from './walk';

/** One line of the table: which edits, by which policy. */
export interface Row {
  readonly weights: string;
  readonly edits: string;
  readonly policy: Policy;
}

/** Rows of the table. */
export const KINDS: readonly { name: string; kinds: readonly Kind[] }[] = [
  { name: 'renames', kinds: ['rename'] },
  { name: 'repeats', kinds: ['repeat'] },
  { name: 'both', kinds: ['rename', 'repeat'] },
];

/** What is offered on the walks of each set by each policy. */
export function table(sets: readonly (readonly [string, readonly Walk[]])[], rows: readonly Row[]): string {
  const lines = [
    'In brackets 95 % intervals by owner, shares in per cent.',
    '',
    '| weights | owners | edits | commits | following edits | offered | right: precision | following edits offered: recall | NLL of a candidate, nats |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const [set, walks] of sets) {
    const owners = new Set(walks.map(({ owner }) => owner)).size;
    for (const { weights, edits, policy } of rows) {
      const outcomes = walks.map((one) => outcomeOf(one, policy));
      const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((total, one) => total + pick(one), 0);
      const [following, offered] = [sum((one) => one.following), sum((one) => one.offered)];
      const precision = ratio(outcomes, ({ right: value, offered: weight }) => ({ value, weight }));
      const recall = ratio(outcomes, ({ recalled: value, following: weight }) => ({ value, weight }));
      const cells = [weights, `${owners} ${set}`, edits, walks.length, following, offered];
      lines.push(`| ${[...cells, share(precision), share(recall), nats(candidateNll(walks, policy))].join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

/** −log p of what became of each candidate, right or wrong: how well a policy knows, whatever its thresholds. */
export function candidateNll(walks: readonly Walk[], { weights, kinds }: Policy): Interval | undefined {
  const counts = ({ candidate }: Observation) => kinds.includes(candidate.kind);
  const parts = walks.flatMap(({ owner, moments }) =>
    moments.flatMap(({ observations }) =>
      observations.filter(counts).map((one) => {
        const features = editFeatures(one.candidate.facts);
        const confidence = editConfidence(features, weights[one.candidate.kind]);
        return { cluster: owner, value: -Math.log(isRight(one) ? confidence : 1 - confidence), weight: 1 };
      }),
    ),
  );
  return bootstrap(parts);
}

/** How long finding took. */
export function timeLine(walks: readonly Walk[]): string {
  const durations = walks.flatMap(({ moments }) => moments.map(({ finding: ms }) => ({ ms })));
  const [median, most] = [quantile(durations, 0.5), quantile(durations, 0.99)];
  return `finding: ${durations.length} times, median ${median?.toFixed(1) ?? '–'} ms, 99 %: ${most?.toFixed(1) ?? '–'} ms`;
}

function ratio(outcomes: readonly Outcome[], of: (outcome: Outcome) => { value: number; weight: number }) {
  return bootstrap(outcomes.map((one) => ({ cluster: one.owner, ...of(one) })));
}

function nats(interval: Interval | undefined): string {
  return interval ? `${interval.mean.toFixed(3)} (${interval.low.toFixed(3)}–${interval.high.toFixed(3)})` : '–';
}
