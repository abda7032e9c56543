import { escapeHtml } from '../../plot/html';
import { plot, type Series } from '../../plot/plot';
import type { Interval } from './bootstrap';
import type { Row, Summary } from './summary';

const WIDTH = 760;
const PANEL = { width: WIDTH / 2, height: 300 };
const LINE = 20;

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
  const drawn = panels.map(({ series, yTitle }, i) =>
    plot({ series, labels: steps, marked: -1, xTitle: 'thinking steps', yTitle, ...PANEL }).replace(
      '<svg ',
      `<svg x="${i * PANEL.width}" width="${PANEL.width}" height="${PANEL.height}" `,
    ),
  );
  const names = [{ name: own, style: 'own' }, remembered, ...known.map(([name, , style]) => ({ name, style }))];
  const legend = names.map(({ name, style }, i) => {
    const [x, y] = [60 + (i % 2) * PANEL.width, PANEL.height + LINE * (1 + Math.floor(i / 2))];
    return `<circle class="${style}" cx="${x}" cy="${y - 4}" r="4"/><text x="${x + 12}" y="${y}">${escapeHtml(name)}</text>`;
  });
  const below = PANEL.height + LINE * (1 + Math.ceil(names.length / 2));
  const note = `${items} texts of ${repositories} repositories; bars: 95 % intervals by repository`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${below + 12}" width="${WIDTH}" height="${below + 12}">` +
    `<style>${STYLE}</style><rect class="ground" width="100%" height="100%"/>${drawn.join('')}${legend.join('')}` +
    `<text class="tick" x="60" y="${below}">${note}</text></svg>\n`
  );
}

/** Colours on light and on dark ground. */
const COLOURS = {
  own: ['#1d4ed8', '#7aa2ff'],
  memory: ['#7c3aed', '#c4a5ff'],
  other: ['#b45309', '#f0a35e'],
  file: ['#0f766e', '#5cc8bd'],
  workspace: ['#be185d', '#f58abf'],
  plain: ['#52525b', '#c4c4cc'],
} as const;

const coloured = (which: 0 | 1) =>
  Object.entries(COLOURS)
    .map(([name, pair]) => `polyline.${name},line.${name}{stroke:${pair[which]}}circle.${name}{fill:${pair[which]}}`)
    .join('');

const STYLE =
  'text{font:12px system-ui,sans-serif;fill:#3f3f46}.tick{font-size:11px;fill:#52525b}.grid{stroke:#d4d4d8}.ground{fill:#fff}' +
  `polyline{fill:none;stroke-width:2}.range{stroke-width:1.2}${coloured(0)}` +
  '@media(prefers-color-scheme:dark){text{fill:#e4e4e7}.tick{fill:#c4c4cc}.grid{stroke:#3f3f46}.ground{fill:#18181b}' +
  `${coloured(1)}}`;
