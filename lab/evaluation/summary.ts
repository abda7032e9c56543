import { extname } from 'node:path';
import { median } from '../../src/numbers';
import { calibrationError } from '../confidenceFit';
import { bootstrap, relativeNll, type Interval, type Part } from './bootstrap';
import { KINDS, CUT_KINDS, type Kind, type CutKind } from './items';
import type { Measured, Outcome } from './measure';
import { WITH_MEMORY, type Variant } from './variants';

/** Columns of the table; a figure is a mean over items, by repository. */
export interface Row {
  readonly variant: string;
  readonly items: number;
  readonly bitsPerByte: Interval | undefined;
  /** Bits per byte minus those of z_0 on the same items. */
  readonly minusPrior: Interval | undefined;
  /** NLL relative to that without thinking, with the memory where the variant has it: −0.04 is four per cent less. */
  readonly change: Interval | undefined;
  readonly exactTail: Interval | undefined;
  readonly exactRandomTail: Interval | undefined;
  readonly exactLine: Interval | undefined;
  /** Tails and lines of which one of the first three texts is exact. */
  readonly within: Interval | undefined;
  /** Expected calibration error: how far the probabilities of the texts are from the share that is exact. */
  readonly calibration: number | undefined;
  readonly similarityBlock: Interval | undefined;
  readonly identifierF1: Interval | undefined;
  /** Of the suggestions that were made and can be judged. */
  readonly parses: Interval | undefined;
  /** Median time of completing, behind a window that has been read, and of the steps of thought before. */
  readonly milliseconds: number | undefined;
  readonly thinking: number | undefined;
  /** Median of what is kept in memory for a place in addition to the model's weights, in MB. */
  readonly megabytes: number | undefined;
  readonly kinds: readonly KindRow[];
}

/** One variant on the items of one kind, cut out at one sort of place. */
export interface KindRow {
  readonly kind: Kind;
  readonly place: CutKind;
  readonly items: number;
  readonly bitsPerByte: Interval | undefined;
  readonly exact: Interval | undefined;
  readonly similarity: Interval | undefined;
  readonly identifierF1: Interval | undefined;
}

/** One variant against another, on the items that both have. */
export interface Contrast {
  readonly variant: string;
  readonly against: string;
  readonly items: number;
  /** Difference of the NLL, relative to the other variant's: −0.04 is four per cent less. */
  readonly nll: Interval | undefined;
  /** Difference of the share of exact tails, in the same unit as the shares. */
  readonly exactTail: Interval | undefined;
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
  readonly contrasts: readonly Contrast[];
  /** The gain of T = 4 over z_0 in bits per byte, by quartile of the NLL under z_0 (the last is the most unfamiliar). */
  readonly quartiles: readonly Slice[];
  readonly languages: readonly Slice[];
}

/** Names of the variants that others are compared with: without thinking, and with the default steps. */
export interface References {
  readonly prior: string;
  readonly defaultSteps: string;
}

/** Ways that no option of a model makes. */
const BASELINES = ['n-gram cache', 'closing bracket'];

/** Pairs whose difference is the claim: what thinking gives, and that it is this context that gives it. */
const CONTRASTS = [
  ['T=4', 'T=0'],
  ['T=4, steps alone', 'T=0'],
  ['T=4, reading alone', 'T=0'],
  ['T=4', 'other repository'],
  ['T=4', 'other file'],
  ['T=4', 'workspace'],
  ['T=4', 'plain'],
  ['T=4', 'T=1'],
  ['T=8', 'T=4'],
  ['T=16', 'T=4'],
  ['T=4, steps alone', 'T=1, steps alone'],
  ['T=8, steps alone', 'T=4, steps alone'],
  ['T=4 + memory', 'T=0 + memory'],
  ['T=4 + memory', 'T=1 + memory'],
  ['T=8 + memory', 'T=4 + memory'],
  ['T=4 + memory', 'plain + memory'],
] as const;

export function summarise(items: readonly Measured[], variants: readonly Variant[], references: References): Summary {
  const repositories = new Set(items.map(({ repository }) => repository)).size;
  // A single repository is no sample of repositories: then the interval is over its files.
  const measured = repositories > 1 ? items : items.map((item) => ({ ...item, repository: item.path }));
  return {
    items: measured.length,
    repositories,
    coverage: measured.reduce((sum, { coverage }) => sum + coverage, 0) / Math.max(1, measured.length),
    targetsParse: meanOf(measured, ({ parses }) => parses),
    rows: [...variants.map(({ name }) => name), ...BASELINES]
      .filter((variant) => measured.some(({ outcomes }) => outcomes[variant]))
      .map((variant) => rowOf(variant, measured, references.prior)),
    contrasts: CONTRASTS.map(([variant, against]) => contrastOf(variant, against, measured)).filter(
      ({ items: n }) => n > 0,
    ),
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

function rowOf(variant: string, measured: readonly Measured[], prior: string): Row {
  const mine = measured.flatMap((item) => {
    const outcome = item.outcomes[variant];
    return outcome ? [{ item, outcome }] : [];
  });
  const mean = (
    value: (outcome: Outcome) => number | boolean | undefined,
    among: (item: Measured) => boolean = () => true,
  ): Interval | undefined =>
    meanOf(measured.filter(among), ({ outcomes }) => outcomes[variant] && value(outcomes[variant]));
  const exact = (outcome: Outcome) => outcome.exact;
  const of = (sort: { kind: Kind; place: CutKind }) => (item: Measured) =>
    item.kind === sort.kind && item.place === sort.place;
  return {
    variant,
    items: mine.length,
    bitsPerByte: bootstrap(mine.flatMap(({ item, outcome }) => bits(item, outcome.nats))),
    minusPrior: variant === prior ? undefined : bootstrap(mine.flatMap(({ item }) => difference(item, variant, prior))),
    change: changeOf(pairsOf(variant, variant.endsWith(WITH_MEMORY) ? `${prior}${WITH_MEMORY}` : prior, measured)),
    exactTail: mean(exact, ({ kind }) => kind === 'tail'),
    exactRandomTail: mean(exact, ({ kind, place }) => kind === 'tail' && place === 'random'),
    exactLine: mean(exact, ({ kind }) => kind === 'line'),
    within: mean(
      ({ within }) => within,
      ({ kind }) => kind !== 'block',
    ),
    calibration: calibrationOf(mine.map(({ outcome }) => outcome)),
    similarityBlock: mean(
      ({ similarity }) => similarity,
      ({ kind }) => kind === 'block',
    ),
    identifierF1: mean(({ f1 }) => f1),
    parses: mean(({ parses }) => parses),
    milliseconds: median(mine.flatMap(({ outcome }) => outcome.milliseconds ?? [])),
    thinking: median(mine.flatMap(({ outcome }) => outcome.thinking ?? [])),
    megabytes: median(mine.flatMap(({ outcome }) => outcome.megabytes ?? [])),
    kinds: KINDS.flatMap((kind) => CUT_KINDS.map((place) => ({ kind, place })))
      .map((sort) => ({
        ...sort,
        items: mine.filter(({ item }) => of(sort)(item)).length,
        bitsPerByte: bootstrap(
          mine.filter(({ item }) => of(sort)(item)).flatMap(({ item, outcome }) => bits(item, outcome.nats)),
        ),
        exact: mean(exact, of(sort)),
        similarity: mean(({ similarity }) => similarity, of(sort)),
        identifierF1: mean(({ f1 }) => f1, of(sort)),
      }))
      .filter(({ items }) => items > 0),
  };
}

interface Pair {
  readonly item: Measured;
  readonly one: Outcome;
  readonly other: Outcome;
}

function pairsOf(variant: string, against: string, measured: readonly Measured[]): Pair[] {
  return measured.flatMap((item) => {
    const [one, other] = [item.outcomes[variant], item.outcomes[against]];
    return one && other ? [{ item, one, other }] : [];
  });
}

function changeOf(pairs: readonly Pair[]): Interval | undefined {
  return relativeNll(
    pairs.flatMap(({ item: { repository: owner }, one: { nats }, other: { nats: before } }) =>
      nats === undefined || before === undefined ? [] : [{ owner, nats, before }],
    ),
  );
}

function contrastOf(variant: string, against: string, measured: readonly Measured[]): Contrast {
  const pairs = pairsOf(variant, against, measured);
  return {
    variant,
    against,
    items: pairs.length,
    nll: changeOf(pairs),
    exactTail: bootstrap(
      pairs
        .filter(({ item: { kind } }) => kind === 'tail')
        .map(({ item: { repository }, one, other }) => ({
          cluster: repository,
          value: Number(one.exact) - Number(other.exact),
          weight: 1,
        })),
    ),
  };
}

function calibrationOf(outcomes: readonly Outcome[]): number | undefined {
  const shown = outcomes.flatMap(({ logprob, exact }) =>
    logprob === undefined ? [] : [{ confidence: Math.exp(logprob), right: exact }],
  );
  return shown.length === 0 ? undefined : calibrationError(shown);
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

function difference(item: Measured, variant: string, prior: string): Part[] {
  const [nats, before] = [item.outcomes[variant]?.nats, item.outcomes[prior]?.nats];
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

function sliceOf(name: string, items: readonly Measured[], { prior, defaultSteps }: References): Slice {
  return {
    name,
    items: items.length,
    prior: bootstrap(items.flatMap((item) => bits(item, item.outcomes[prior]?.nats))),
    minusPrior: bootstrap(items.flatMap((item) => difference(item, defaultSteps, prior))),
  };
}

/** The rows with their means by the short names that readers of the JSON know them by. */
export function families({ rows }: Summary) {
  return rows.map((row) => ({
    ...row,
    name: row.variant,
    em_tail: row.exactTail?.mean,
    em_line: row.exactLine?.mean,
    em_within_3: row.within?.mean,
    ece: row.calibration,
    es_block: row.similarityBlock?.mean,
    bits_per_byte: row.bitsPerByte?.mean,
    identifier_f1: row.identifierF1?.mean,
    parses: row.parses?.mean,
    parsesInterval: row.parses,
    ms: row.milliseconds,
    memory_mb: row.megabytes,
  }));
}
