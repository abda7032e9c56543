import type { Kind } from '../../src/edits/candidate';
import { editConfidence, editFeatures } from '../../src/edits/confidence';
import { bootstrap, type Interval } from '../evaluation/bootstrap';
import { percent, share } from '../evaluation/table';
import { quantile } from '../quantile';
import { isRight } from './fit';
import type { Variant } from './judge';
import { outcomeOf, type Outcome, type Policy } from './policy';
import type { Observation, Walk } from './walk';

/** One line of the table: which edits, by which policy. */
export interface Row {
  readonly judge: string;
  readonly edits: string;
  readonly policy: Policy;
}

/** Rows of the table where no model judges. */
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
    '| judged by | owners | edits | commits | following edits | offered | right: precision | following edits offered: recall | NLL of a candidate, nats |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const [set, walks] of sets) {
    const owners = new Set(walks.map(({ owner }) => owner)).size;
    for (const { judge, edits, policy } of rows) {
      const outcomes = walks.map((one) => outcomeOf(one, policy));
      const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((total, one) => total + pick(one), 0);
      const [following, offered] = [sum((one) => one.following), sum((one) => one.offered)];
      const precision = ratio(outcomes, ({ right: value, offered: weight }) => ({ value, weight }));
      const recall = ratio(outcomes, ({ recalled: value, following: weight }) => ({ value, weight }));
      const cells = [judge, `${owners} ${set}`, edits, walks.length, following, offered];
      lines.push(`| ${[...cells, share(precision), share(recall), nats(candidateNll(walks, policy))].join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

/** −log p of what became of each candidate, right or wrong: how well a policy knows, whatever its thresholds. */
export function candidateNll(walks: readonly Walk[], { weights, kinds, judge }: Policy): Interval | undefined {
  const counts = ({ candidate, gains }: Observation) =>
    kinds.includes(candidate.kind) && (!judge || gains[judge] !== undefined);
  const parts = walks.flatMap(({ owner, moments }) =>
    moments.flatMap(({ observations }) =>
      observations.filter(counts).map((one) => {
        const features = editFeatures(one.candidate.facts, judge && one.gains[judge]);
        const confidence = editConfidence(features, weights[one.candidate.kind]);
        return { cluster: owner, value: -Math.log(isRight(one) ? confidence : 1 - confidence), weight: 1 };
      }),
    ),
  );
  return bootstrap(parts);
}

/** From how many nats on a judge is asked whether another one agrees. */
const LIMITS = [0, 2, 5, 10];

/**
 * How often two judges say the same of the same candidates: whether the new text is likelier than the old one.
 * @param walks judged by the one; @param others the same walks, judged by the other
 */
export function agreement(walks: readonly Walk[], others: readonly Walk[], judge: Variant): string {
  const byCommit = new Map(others.map((one) => [keyOf(one), one]));
  const pairs = walks.flatMap((walk) => {
    const { owner } = walk;
    const other = byCommit.get(keyOf(walk));
    return walk.moments.flatMap(({ observations }, moment) =>
      observations.flatMap((one, i) => {
        const [a, b] = [one.gains[judge], other?.moments[moment]?.observations[i]?.gains[judge]];
        return a === undefined || b === undefined ? [] : [{ owner, a, b, right: isRight(one) }];
      }),
    );
  });
  const rows = LIMITS.map((limit) => {
    const sure = pairs.filter(({ a }) => Math.abs(a) >= limit);
    const same = sure.map(({ owner, a, b }) => ({ cluster: owner, value: Number(a > 0 === b > 0), weight: 1 }));
    return `| ${limit} | ${sure.length} | ${share(bootstrap(same))} |`;
  });
  const positive = (pick: 'a' | 'b') => percent(pairs.filter((pair) => pair[pick] > 0).length / pairs.length);
  const known = (pick: 'a' | 'b') =>
    rankedRight(pairs.map((pair) => ({ said: pair[pick], right: pair.right }))).toFixed(3);
  return [
    `right above wrong, of all pairs of candidates (area under the curve): ${known('a')} by this one, ${known('b')} by the other`,
    `${pairs.length} candidates judged by both; likelier than the old text: ${positive('a')} % by this one, ${positive('b')} % by the other`,
    '',
    '| nats from 0, at least | candidates | the other says the same, % |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** How often what is right is placed above what is wrong, of all pairs of the two; a half by chance, and without any pair. */
export function rankedRight(candidates: readonly { said: number; right: boolean }[]): number {
  const wrongs = candidates.filter(({ right }) => !right);
  const rights = candidates.filter(({ right }) => right);
  if (wrongs.length === 0 || rights.length === 0) return 0.5;
  const above = rights.map(({ said }) => wrongs.reduce((sum, one) => sum + (1 + Math.sign(said - one.said)) / 2, 0));
  return above.reduce((sum, one) => sum + one, 0) / (rights.length * wrongs.length);
}

/** How long finding took, a question to the model, and all questions after one edit. */
export function timeLines(walks: readonly Walk[]): string {
  const moments = walks.flatMap((one) => one.moments);
  const asked = moments.map(({ judging }) => judging).filter((times) => times.length > 0);
  return [
    timeLine(
      'finding',
      moments.map(({ finding }) => finding),
    ),
    timeLine('a question to the model', asked.flat()),
    timeLine(
      'all questions after an edit',
      asked.map((times) => times.reduce((sum, ms) => sum + ms, 0)),
    ),
  ].join('\n');
}

function timeLine(what: string, times: readonly number[]): string {
  const durations = times.map((ms) => ({ ms }));
  const [median, most] = [quantile(durations, 0.5), quantile(durations, 0.99)];
  return `${what}: ${times.length} times, median ${median?.toFixed(1) ?? '–'} ms, 99 %: ${most?.toFixed(1) ?? '–'} ms`;
}

function ratio(outcomes: readonly Outcome[], of: (outcome: Outcome) => { value: number; weight: number }) {
  return bootstrap(outcomes.map((one) => ({ cluster: one.owner, ...of(one) })));
}

function nats(interval: Interval | undefined): string {
  return interval ? `${interval.mean.toFixed(3)} (${interval.low.toFixed(3)}–${interval.high.toFixed(3)})` : '–';
}

function keyOf({ owner, hash }: Walk): string {
  return `${owner} ${hash}`;
}
