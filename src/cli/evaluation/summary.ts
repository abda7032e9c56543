import { extname } from 'node:path';
import { bootstrap, type Interval, type Part } from './bootstrap';
import type { Measured, Outcome } from './measure';
import type { Way } from './ways';

/** Columns of the table; a figure is a mean over items, by repository. */
export interface Row {
  readonly way: string;
  readonly items: number;
  readonly bitsPerByte: Interval | undefined;
  /** Bits per byte minus those of z_0 on the same items. */
  readonly minusPrior: Interval | undefined;
  readonly exactTail: Interval | undefined;
  readonly exactRandomTail: Interval | undefined;
  readonly exactLine: Interval | undefined;
  readonly similarityBlock: Interval | undefined;
  readonly identifierF1: Interval | undefined;
  /** Of the suggestions that were made and can be judged. */
  readonly parses: Interval | undefined;
  readonly milliseconds: number | undefined;
}

export interface Slice {
  readonly name: string;
  readonly items: number;
  readonly prior: Interval | undefined;
  readonly minusPrior: Interval | undefined;
}

export interface Summary {
  readonly items: number;
  readonly repositories: number;
  readonly coverage: number;
  /** Share of the targets with which the file parses: what the parser says of the truth. */
  readonly targetsParse: Interval | undefined;
  readonly rows: readonly Row[];
  /** The gain of T = 4 over z_0 in bits per byte, by quartile of the NLL under z_0 (the last is the most unfamiliar). */
  readonly quartiles: readonly Slice[];
  readonly languages: readonly Slice[];
}

/** Names of the ways that others are compared with: without thinking, and with the usual steps. */
export interface References {
  readonly prior: string;
  readonly usual: string;
}

/** Ways that no option of a model makes. */
const BASELINES = ['n-gram cache', 'closing bracket'];

export function summarise(items: readonly Measured[], ways: readonly Way[], references: References): Summary {
  const repositories = new Set(items.map(({ repository }) => repository)).size;
  // A single repository is no sample of repositories: then the interval is over its files.
  const measured = repositories > 1 ? items : items.map((item) => ({ ...item, repository: item.path }));
  return {
    items: measured.length,
    repositories,
    coverage: measured.reduce((sum, { coverage }) => sum + coverage, 0) / Math.max(1, measured.length),
    targetsParse: meanOf(measured, ({ parses }) => parses),
    rows: [...ways.map(({ name }) => name), ...BASELINES]
      .filter((way) => measured.some(({ outcomes }) => outcomes[way]))
      .map((way) => rowOf(way, measured, references.prior)),
    quartiles: quartilesOf(measured, references),
    languages: [...new Set(measured.map(({ path }) => extname(path)))].sort().map((extension) =>
      sliceOf(
        extension,
        measured.filter(({ path }) => extname(path) === extension),
        references,
      ),
    ),
  };
}

function rowOf(way: string, measured: readonly Measured[], prior: string): Row {
  const mine = measured.flatMap((item) => {
    const outcome = item.outcomes[way];
    return outcome ? [{ item, outcome }] : [];
  });
  const mean = (
    value: (outcome: Outcome) => number | boolean | undefined,
    among: (item: Measured) => boolean = () => true,
  ): Interval | undefined => meanOf(measured.filter(among), ({ outcomes }) => outcomes[way] && value(outcomes[way]));
  const exact = (outcome: Outcome) => outcome.exact;
  const times = mine.flatMap(({ outcome }) => outcome.milliseconds ?? []).sort((a, b) => a - b);
  return {
    way,
    items: mine.length,
    bitsPerByte: bootstrap(mine.flatMap(({ item, outcome }) => bits(item, outcome.nats))),
    minusPrior: way === prior ? undefined : bootstrap(mine.flatMap(({ item }) => difference(item, way, prior))),
    exactTail: mean(exact, ({ kind }) => kind === 'tail'),
    exactRandomTail: mean(exact, ({ kind, place }) => kind === 'tail' && place === 'random'),
    exactLine: mean(exact, ({ kind }) => kind === 'line'),
    similarityBlock: mean(
      ({ similarity }) => similarity,
      ({ kind }) => kind === 'block',
    ),
    identifierF1: mean(({ f1 }) => f1),
    parses: mean(({ parses }) => parses),
    milliseconds: times[Math.floor(times.length / 2)],
  };
}

function meanOf(
  items: readonly Measured[],
  value: (item: Measured) => number | boolean | undefined,
): Interval | undefined {
  return bootstrap(
    items.flatMap((item): Part[] => {
      const figure = value(item);
      return figure === undefined ? [] : [{ cluster: item.repository, value: Number(figure), weight: 1 }];
    }),
  );
}

function bits({ repository, bytes }: Measured, nats: number | undefined): Part[] {
  return nats === undefined ? [] : [{ cluster: repository, value: nats / Math.LN2, weight: bytes }];
}

function difference(item: Measured, way: string, prior: string): Part[] {
  const [nats, before] = [item.outcomes[way]?.nats, item.outcomes[prior]?.nats];
  return nats === undefined || before === undefined ? [] : bits(item, nats - before);
}

function quartilesOf(measured: readonly Measured[], references: References): Slice[] {
  const { prior } = references;
  const level = ({ outcomes, bytes }: Measured) => (outcomes[prior]?.nats ?? 0) / bytes;
  const sorted = measured
    .filter(({ outcomes }) => outcomes[prior]?.nats !== undefined)
    .sort((a, b) => level(a) - level(b));
  return [0, 1, 2, 3].map((quarter) => {
    const from = Math.floor((sorted.length * quarter) / 4);
    const slice = sorted.slice(from, Math.floor((sorted.length * (quarter + 1)) / 4));
    return sliceOf(`quartile ${quarter + 1}`, slice, references);
  });
}

function sliceOf(name: string, items: readonly Measured[], { prior, usual }: References): Slice {
  return {
    name,
    items: items.length,
    prior: bootstrap(items.flatMap((item) => bits(item, item.outcomes[prior]?.nats))),
    minusPrior: bootstrap(items.flatMap((item) => difference(item, usual, prior))),
  };
}

/** The rows with their means by the short names that readers of the JSON know them by. */
export function families({ rows }: Summary) {
  return rows.map((row) => ({
    ...row,
    name: row.way,
    em_tail: row.exactTail?.mean,
    em_line: row.exactLine?.mean,
    es_block: row.similarityBlock?.mean,
    bits_per_byte: row.bitsPerByte?.mean,
    parses: row.parses?.mean,
    parsesInterval: row.parses,
    ms: row.milliseconds,
  }));
}

/** The summary as a Markdown table; intervals are 95 %. */
export function markdown(summary: Summary): string {
  const share = (interval: Interval | undefined) =>
    interval === undefined ? '–' : `${percent(interval.mean)} (${percent(interval.low)}–${percent(interval.high)})`;
  const lines = [
    `${summary.items} items, ${summary.repositories} ${summary.repositories === 1 ? 'repository' : 'repositories'}; the thought rests on ${percent(summary.coverage)} % of the text outside the window.`,
    `The parser finds no fault with ${summary.targetsParse ? percent(summary.targetsParse.mean) : '–'} % of the targets themselves.`,
    `In brackets: 95 % bootstrap intervals by ${summary.repositories > 1 ? 'repository' : 'file'}. Shares in per cent.`,
    '',
    '| way | bits per byte | minus z_0 | exact tails | exact random tails | exact lines | similarity of blocks | identifier F1 | parses | ms |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...summary.rows.map((row) =>
      [
        '',
        row.way,
        row.bitsPerByte?.mean.toFixed(3) ?? '–',
        signed(row.minusPrior),
        share(row.exactTail),
        share(row.exactRandomTail),
        share(row.exactLine),
        share(row.similarityBlock),
        share(row.identifierF1),
        share(row.parses),
        row.milliseconds?.toFixed(0) ?? '–',
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    '',
    '| items | how many | bits per byte under z_0 | thinking minus z_0 |',
    '| --- | --- | --- | --- |',
    ...[...summary.quartiles, ...summary.languages].map(
      (slice) =>
        `| ${slice.name} | ${slice.items} | ${slice.prior?.mean.toFixed(3) ?? '–'} | ${signed(slice.minusPrior)} |`,
    ),
  ];
  return lines.join('\n');
}

function percent(value: number): string {
  return (value * 100).toFixed(1);
}

function signed(interval: Interval | undefined): string {
  if (!interval) return '–';
  const text = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
  return `${text(interval.mean)} (${text(interval.low)} to ${text(interval.high)})`;
}
