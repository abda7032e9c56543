import type { Series } from '../../plot/plot';
import { sheet } from '../../plot/sheet';
import type { Interval } from './bootstrap';
import type { Row, Summary } from './summary';

/** What is drawn beside the context's thought, where it was measured: name in the legend, way, class of its colour. */
const LEVELS = [
  ['thought of another repository', 'other repository', 'other'],
  ['thought of another file of the same one', 'other file', 'file'],
  ['thought of the open files beside it', 'workspace', 'workspace'],
  ['plain decoder, no thought', 'plain', 'plain'],
] as const;

/**
 * Quality over thinking steps as an SVG picture, readable on light and dark ground: bits per byte against no thinking, and
 * exact rests of lines. Bars are 95 % intervals.
 */
export function picture({ rows, items, repositories }: Summary): string {
  const steps = rows.flatMap(({ way }) => /^T=(\d+)$/.exec(way)?.[1] ?? []);
  const row = (way: string) => rows.find((one) => one.way === way);
  const over = (
    name: string,
    style: string,
    ways: readonly string[],
    figure: (of: Row) => Interval | undefined,
  ): Series => {
    const intervals = ways.map((way) => (row(way) ? figure(row(way) as Row) : undefined));
    return {
      name,
      style,
      values: intervals.map((interval) => interval?.mean ?? NaN),
      ranges: intervals.map((interval) => interval && ([interval.low, interval.high] as const)),
    };
  };
  // What has no steps of its own is a level line with its interval at the end.
  const level = ([name, way, style]: (typeof LEVELS)[number], figure: (of: Row) => Interval | undefined): Series => {
    const { values, ranges } = over(name, style, [way], figure);
    const last = steps.length - 1;
    return {
      name,
      style,
      values: steps.map((_, i) => (i === 0 || i === last ? (values[0] ?? NaN) : NaN)),
      ranges: steps.map((_, i) => (i === last ? ranges?.[0] : undefined)),
    };
  };
  const own = "the file's thought";
  const ways = steps.map((count) => `T=${count}`);
  const bits = ({ way, minusPrior }: Row) => (way === 'T=0' ? { mean: 0, low: 0, high: 0 } : minusPrior);
  const tails = ({ exactTail }: Row) =>
    exactTail && { mean: 100 * exactTail.mean, low: 100 * exactTail.low, high: 100 * exactTail.high };
  const known = LEVELS.filter(([, way]) => row(way));
  const remembered = over(
    `${own}, with lookup memory`,
    'memory',
    ways.map((way) => `${way} + memory`),
    tails,
  );
  const panels = [
    {
      series: [over(own, 'own', ways, bits), ...known.map((one) => level(one, bits))],
      yTitle: `bits per byte against no thinking (${row('T=0')?.bitsPerByte?.mean.toFixed(3) ?? '–'})`,
    },
    {
      series: [
        over(own, 'own', ways, tails),
        remembered,
        ...known.filter(([, way]) => way === 'plain').map((one) => level(one, tails)),
      ],
      yTitle: 'rests of lines written exactly, %',
    },
  ];
  return sheet(
    panels.map((panel) => ({ ...panel, labels: steps, xTitle: 'thinking steps' })),
    [{ name: own, style: 'own' }, remembered, ...known.map(([name, , style]) => ({ name, style }))],
    `${items} texts of ${repositories} repositories; bars: 95 % intervals by repository`,
  );
}
