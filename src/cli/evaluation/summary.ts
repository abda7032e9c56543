import { extname } from 'node:path';
import { bootstrap, type Interval, type Part } from './bootstrap';
import { CONTROLS, WITH_MEMORY, type Measured, type Outcome } from './measure';

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
  readonly rows: readonly Row[];
  /** The gain of T = 4 over z_0 in bits per byte, by quartile of the NLL under z_0 (the last is the most unfamiliar). */
  readonly quartiles: readonly Slice[];
  readonly languages: readonly Slice[];
}

const PRIOR = 'T=0';
const USUAL = 'T=4';

export function summarise(items: readonly Measured[]): Summary {
  const repositories = new Set(items.map(({ repository }) => repository)).size;
  // A single repository is no sample of repositories: then the interval is over its files.
  const measured = repositories > 1 ? items : items.map((item) => ({ ...item, repository: item.path }));
  return {
    items: measured.length,
    repositories,
    coverage: measured.reduce((sum, { coverage }) => sum + coverage, 0) / Math.max(1, measured.length),
    rows: waysOf(measured).map((way) => rowOf(way, measured)),
    quartiles: quartilesOf(measured),
    languages: [...new Set(measured.map(({ path }) => extname(path)))].sort().map((extension) =>
      sliceOf(
        extension,
        measured.filter(({ path }) => extname(path) === extension),
      ),
    ),
  };
}

/** Numbers of steps first, then the controls, then the rest. */
function waysOf(measured: readonly Measured[]): string[] {
  const ways = [...new Set(measured.flatMap(({ outcomes }) => Object.keys(outcomes)))];
  const controls: readonly string[] = CONTROLS;
  const rank = (way: string) => {
    if (way.startsWith('T=')) return Number.parseInt(way.slice(2)) + (way.endsWith(WITH_MEMORY) ? 100 : 0);
    return controls.includes(way) ? 200 : 300;
  };
  return ways.sort((a, b) => rank(a) - rank(b) || controls.indexOf(a) - controls.indexOf(b));
}

function rowOf(way: string, measured: readonly Measured[]): Row {
  const mine = measured.flatMap((item) => {
    const outcome = item.outcomes[way];
    return outcome ? [{ item, outcome }] : [];
  });
  const mean = (
    value: (outcome: Outcome) => number | undefined,
    among: (item: Measured) => boolean = () => true,
  ): Interval | undefined =>
    bootstrap(
      mine.flatMap(({ item, outcome }): Part[] => {
        const figure = among(item) ? value(outcome) : undefined;
        return figure === undefined ? [] : [{ cluster: item.repository, value: figure, weight: 1 }];
      }),
    );
  const exact = (outcome: Outcome) => Number(outcome.exact);
  const times = mine.flatMap(({ outcome }) => outcome.milliseconds ?? []).sort((a, b) => a - b);
  return {
    way,
    items: mine.length,
    bitsPerByte: bootstrap(mine.flatMap(({ item, outcome }) => bits(item, outcome.nats))),
    minusPrior: way === PRIOR ? undefined : bootstrap(mine.flatMap(({ item }) => difference(item, way))),
    exactTail: mean(exact, ({ kind }) => kind === 'tail'),
    exactRandomTail: mean(exact, ({ kind, place }) => kind === 'tail' && place === 'random'),
    exactLine: mean(exact, ({ kind }) => kind === 'line'),
    similarityBlock: mean(
      ({ similarity }) => similarity,
      ({ kind }) => kind === 'block',
    ),
    identifierF1: mean(({ f1 }) => f1),
    milliseconds: times[Math.floor(times.length / 2)],
  };
}

function bits({ repository, bytes }: Measured, nats: number | undefined): Part[] {
  return nats === undefined ? [] : [{ cluster: repository, value: nats / Math.LN2, weight: bytes }];
}

function difference(item: Measured, way: string): Part[] {
  const [nats, prior] = [item.outcomes[way]?.nats, item.outcomes[PRIOR]?.nats];
  return nats === undefined || prior === undefined ? [] : bits(item, nats - prior);
}

function quartilesOf(measured: readonly Measured[]): Slice[] {
  const level = ({ outcomes, bytes }: Measured) => (outcomes[PRIOR]?.nats ?? 0) / bytes;
  const sorted = measured
    .filter(({ outcomes }) => outcomes[PRIOR]?.nats !== undefined)
    .sort((a, b) => level(a) - level(b));
  return [0, 1, 2, 3].map((quarter) => {
    const from = Math.floor((sorted.length * quarter) / 4);
    return sliceOf(`quartile ${quarter + 1}`, sorted.slice(from, Math.floor((sorted.length * (quarter + 1)) / 4)));
  });
}

function sliceOf(name: string, items: readonly Measured[]): Slice {
  return {
    name,
    items: items.length,
    prior: bootstrap(items.flatMap((item) => bits(item, item.outcomes[PRIOR]?.nats))),
    minusPrior: bootstrap(items.flatMap((item) => difference(item, USUAL))),
  };
}

/** The summary as a Markdown table; intervals are 95 %. */
export function markdown(summary: Summary): string {
  const share = (interval: Interval | undefined) =>
    interval === undefined ? '–' : `${percent(interval.mean)} (${percent(interval.low)}–${percent(interval.high)})`;
  const lines = [
    `${summary.items} items, ${summary.repositories} ${summary.repositories === 1 ? 'repository' : 'repositories'}; the thought rests on ${percent(summary.coverage)} % of the text outside the window.`,
    `In brackets: 95 % bootstrap intervals by ${summary.repositories > 1 ? 'repository' : 'file'}. Shares in per cent.`,
    '',
    '| way | bits per byte | minus z_0 | exact tails | exact random tails | exact lines | similarity of blocks | identifier F1 | ms |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
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
        row.milliseconds?.toFixed(0) ?? '–',
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    '',
    '| items | how many | bits per byte under z_0 | T=4 minus z_0 |',
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
