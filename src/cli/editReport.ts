import { pairedMean, type PairedMean } from './paired';
import type { Following } from '../thought/store';
import { BUCKETS, bucketOf } from './replay';

export const THOUGHTS = ['z_0', 'frozen', 'warm', 'cold'] as const;
export type ThoughtName = (typeof THOUGHTS)[number];

/** NLL of the text that one edit writes. */
export interface EditScore {
  readonly package: string;
  readonly path: string;
  /** The release that is being edited. */
  readonly release: string;
  /** The how-manieth edit of its session, from 1 on. */
  readonly edit: number;
  readonly tokens: number;
  readonly bytes: number;
  readonly nats: Readonly<Record<ThoughtName, number>>;
  /** How the warm thought followed: not at all, by warm steps, or anew because most chunks were new. */
  readonly followed: Following;
  /** Edits that it has followed since it was last made anew. */
  readonly sinceAnew: number;
  readonly milliseconds: { readonly warm: number; readonly cold: number };
}

/** a − b; below zero: a foretells better. */
const DIFFERENCES: readonly (readonly [ThoughtName, ThoughtName])[] = [
  ['warm', 'frozen'],
  ['cold', 'frozen'],
  ['warm', 'cold'],
  ['frozen', 'z_0'],
  ['warm', 'z_0'],
  ['cold', 'z_0'],
];

interface Difference {
  /** e.g. "warm − frozen". */
  readonly name: string;
  /** Clustered by file. */
  readonly natsPerToken: PairedMean;
  readonly bitsPerByte: PairedMean;
  readonly byPackage: { readonly natsPerToken: PairedMean; readonly bitsPerByte: PairedMean };
}

interface Group {
  /** Which edits of their sessions. */
  readonly edits: string;
  readonly count: number;
  readonly files: number;
  readonly packages: number;
  readonly tokens: number;
  readonly bytes: number;
  readonly levels: Readonly<Record<ThoughtName, { readonly natsPerToken: number; readonly bitsPerByte: number }>>;
  readonly differences: readonly Difference[];
  /** How the warm thought followed these edits. */
  readonly followed: Readonly<Record<Following, number>>;
  /** Mean number of edits followed since the warm thought was last made anew. */
  readonly sinceAnew: number;
}

export interface EditSummary {
  readonly groups: readonly Group[];
  /** Mean cost of a thought before a scored edit. */
  readonly millisecondsPerEdit: { readonly warm: number; readonly cold: number };
}

/** All edits, then those of each bucket that has any. */
export function summarise(scores: readonly EditScore[]): EditSummary {
  const buckets = BUCKETS.map(({ name }, bucket) =>
    group(
      name,
      scores.filter(({ edit }) => bucketOf(edit) === bucket),
    ),
  );
  const mean = (of: (score: EditScore) => number) => sum(scores, of) / Math.max(1, scores.length);
  return {
    groups: [group('all', scores), ...buckets].filter(({ count }) => count > 0),
    millisecondsPerEdit: {
      warm: mean(({ milliseconds }) => milliseconds.warm),
      cold: mean(({ milliseconds }) => milliseconds.cold),
    },
  };
}

function group(edits: string, scores: readonly EditScore[]): Group {
  const tokens = sum(scores, (score) => score.tokens);
  const bytes = sum(scores, (score) => score.bytes);
  const followed = { keep: 0, warm: 0, cold: 0 };
  for (const score of scores) followed[score.followed]++;
  const level = (name: ThoughtName) => {
    const nats = sum(scores, (score) => score.nats[name]);
    return [name, { natsPerToken: nats / tokens, bitsPerByte: nats / Math.LN2 / bytes }];
  };
  return {
    edits,
    count: scores.length,
    files: new Set(scores.map(fileOf)).size,
    packages: new Set(scores.map((score) => score.package)).size,
    tokens,
    bytes,
    levels: Object.fromEntries(THOUGHTS.map(level)) as Group['levels'],
    differences: scores.length === 0 ? [] : DIFFERENCES.map((pair) => difference(scores, pair)),
    followed,
    sinceAnew: sum(scores, (score) => score.sinceAnew) / Math.max(1, scores.length),
  };
}

function difference(scores: readonly EditScore[], [a, b]: readonly [ThoughtName, ThoughtName]): Difference {
  const mean = (cluster: (score: EditScore) => string, unit: 'tokens' | 'bytes') =>
    pairedMean(
      scores.map((score) => ({
        difference: (score.nats[a] - score.nats[b]) / (unit === 'bytes' ? Math.LN2 : 1),
        size: score[unit],
        cluster: cluster(score),
      })),
    ) as PairedMean;
  const packageOf = (score: EditScore) => score.package;
  return {
    name: `${a} − ${b}`,
    natsPerToken: mean(fileOf, 'tokens'),
    bitsPerByte: mean(fileOf, 'bytes'),
    byPackage: { natsPerToken: mean(packageOf, 'tokens'), bitsPerByte: mean(packageOf, 'bytes') },
  };
}

function fileOf(score: EditScore): string {
  return `${score.package}\n${score.path}`;
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** The summary for people. */
export function table(report: EditSummary & { sessions: number; steps: number; chunkTokens: number }): string {
  const { millisecondsPerEdit: cost } = report;
  const lines = report.groups.flatMap((one) => [
    `edits ${one.edits}: ${one.count} edits of ${one.files} files of ${one.packages} packages, ${one.tokens} tokens`,
    `  followed warm before ${one.followed.warm}, anew before ${one.followed.cold}, nothing to follow before ${one.followed.keep}; ` +
      `${one.sinceAnew.toFixed(1)} edits since anew`,
    '',
    `  ${''.padEnd(14)}${'nats per token'.padStart(22)}${'by package'.padStart(13)}${'bits per byte'.padStart(24)}`,
    ...THOUGHTS.map((name) => levelLine(name, one.levels[name])),
    ...one.differences.map(differenceLine),
    '',
  ]);
  return [
    ...lines,
    `${report.sessions} sessions; ${cost.warm.toFixed(0)} ms an edit to follow, ${cost.cold.toFixed(0)} ms to think anew (T = ${report.steps}, chunks of ${report.chunkTokens} tokens)`,
  ].join('\n');
}

function levelLine(name: string, level: { natsPerToken: number; bitsPerByte: number }): string {
  const pad = ' '.repeat(9);
  return `  ${name.padEnd(14)}${level.natsPerToken.toFixed(4).padStart(13)}${pad}${' '.repeat(13)}${level.bitsPerByte.toFixed(4).padStart(15)}`;
}

function differenceLine({ name, natsPerToken, bitsPerByte, byPackage }: Difference): string {
  const byPackageError = byPackage.natsPerToken.error;
  return (
    `  ${name.padEnd(14)}${signed(natsPerToken.mean).padStart(13)}${errorOf(natsPerToken.error).padEnd(9)}` +
    `${errorOf(byPackageError).padStart(13)}${signed(bitsPerByte.mean).padStart(15)}${errorOf(bitsPerByte.error)}`
  );
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
}

function errorOf(error: number | undefined): string {
  return error === undefined ? '' : ` ± ${error.toFixed(4)}`;
}
