import type { Series } from '../../src/plot/plot';
import { sheet } from '../../src/plot/sheet';
import type { Interval } from './bootstrap';
import type { Row, Summary } from './summary';
import { STEPS_ALONE, WITH_MEMORY } from './variants';

/** What is drawn with the context's thought, where it was measured: name in the legend, variant, class of its colour. */
const LEVELS = [
  ['thought of another repository', 'other repository', 'other'],
  ['thought of another file of the same one', 'other file', 'file'],
  ['thought of the other open files', 'workspace', 'workspace'],
  ['plain decoder, no thought', 'plain', 'plain'],
] as const;

/**
 * Quality over thinking steps as an SVG picture, readable on light and dark ground: likelihood against no thinking, each
 * variant against itself, and exact rests of lines. Bars are 95 % intervals.
 */
export function picture({ rows, items, repositories }: Summary): string {
  const steps = rows.flatMap(({ variant }) => /^T=(\d+)$/.exec(variant)?.[1] ?? []);
  const row = (variant: string) => rows.find((one) => one.variant === variant);
  const over = (
    name: string,
    style: string,
    variants: readonly string[],
    figure: (of: Row) => Interval | undefined,
  ): Series => {
    const intervals = variants.map((variant) => (row(variant) ? figure(row(variant) as Row) : undefined));
    return {
      name,
      style,
      values: intervals.map((interval) => interval?.mean ?? NaN),
      ranges: intervals.map((interval) => interval && ([interval.low, interval.high] as const)),
    };
  };
  // What has no steps of its own is a level line with its interval at the end.
  const level = (
    [name, variant, style]: (typeof LEVELS)[number],
    figure: (of: Row) => Interval | undefined,
  ): Series => {
    const { values, ranges } = over(name, style, [variant], figure);
    const last = steps.length - 1;
    return {
      name,
      style,
      values: steps.map((_, i) => (i === 0 || i === last ? (values[0] ?? NaN) : NaN)),
      ranges: steps.map((_, i) => (i === last ? ranges?.[0] : undefined)),
    };
  };
  const own = "the file's thought";
  const thoughts = [
    { name: own, style: 'own', ending: '', shift: 0 },
    { name: 'its steps, without what was read', style: 'steps', ending: STEPS_ALONE, shift: -4 },
    { name: `${own}, with lookup memory`, style: 'memory', ending: WITH_MEMORY, shift: 4 },
  ].filter(({ ending }) => rows.some(({ variant }) => /^T=\d+/.test(variant) && variant.endsWith(ending)));
  const curves = (figure: (of: Row) => Interval | undefined) =>
    thoughts.map(({ name, style, ending, shift }) => {
      // Without a step there is nothing but z_0, whatever is read.
      const variants = steps.map((count) => `T=${count}${count === '0' && ending === STEPS_ALONE ? '' : ending}`);
      return { ...over(name, style, variants, figure), shift };
    });
  const change = ({ change: of }: Row) => inPercent(of);
  const tails = ({ exactTail }: Row) => inPercent(exactTail);
  const known = LEVELS.filter(([, variant]) => row(variant));
  const panels = [
    {
      series: [...curves(change), ...known.map((one) => level(one, change))],
      yTitle: 'negative log-likelihood against no thinking, %',
    },
    {
      series: [...curves(tails), ...known.filter(([, variant]) => variant === 'plain').map((one) => level(one, tails))],
      yTitle: 'rests of lines written exactly, %',
    },
  ];
  return sheet(
    panels.map((panel) => ({ ...panel, labels: steps, xTitle: 'thinking steps' })),
    [...thoughts, ...known.map(([name, , style]) => ({ name, style }))],
    `${items} texts of ${repositories} repositories; bars: 95 % intervals by repository`,
  );
}

function inPercent(interval: Interval | undefined): Interval | undefined {
  return interval && { mean: 100 * interval.mean, low: 100 * interval.low, high: 100 * interval.high };
}
