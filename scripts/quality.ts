// Draws quality over thinking steps from what `thoughtline evaluate … --json` printed:
//   node --import=tsx scripts/quality.ts docs/evaluation.json media/quality.svg
import { readFileSync, writeFileSync } from 'node:fs';
import type { Summary } from '../src/cli/evaluation/summary';
import { plot, type Series } from '../src/extension/plot';

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined)
  throw new Error('give the JSON of `thoughtline evaluate` and an SVG to write');
const { rows } = JSON.parse(readFileSync(from, 'utf8')) as Summary;

const bits = (way: string) => rows.find((row) => row.way === way)?.bitsPerByte?.mean;
const steps = rows.flatMap(({ way }) => /^T=(\d+)$/.exec(way)?.[1] ?? []).map(Number);
const last = Math.max(...steps);
const overSteps = Array.from({ length: last + 1 }, (_, step) => bits(`T=${step}`) ?? NaN);
// What has no steps of its own is a level line.
const level = (name: string, way: string, style: string): Series[] => {
  const value = bits(way);
  if (value === undefined) return [];
  return [{ name, style, values: overSteps.map((_, step) => (step === 0 || step === last ? value : NaN)) }];
};
const series: Series[] = [
  { name: "the context's thought", style: 'own', values: overSteps },
  ...level('the thought of another repository', 'other repository', 'other'),
  ...level('a plain decoder of the same training cost', 'plain', 'plain'),
];

const size = { width: 640, height: 320 };
const colours: Record<string, string> = { own: '#2563eb', other: '#b45309', plain: '#6b7280' };
const style = `
  .grid { stroke: #d4d4d8; stroke-width: 1 }
  text { font: 12px system-ui, sans-serif; fill: #52525b }
  polyline { fill: none; stroke-width: 2 }
  ${Object.entries(colours)
    .map(([name, colour]) => `polyline.${name} { stroke: ${colour} } circle.${name} { fill: ${colour} }`)
    .join('\n  ')}
  .legend { font-size: 12px }`;
const legend = series
  .map(({ name, style: of }, i) => {
    const y = size.height + 14 + i * 18;
    return `<circle class="${of}" cx="70" cy="${y - 4}" r="4"/><text class="legend" x="80" y="${y}">${name}</text>`;
  })
  .join('');
const drawn = plot({ series, marked: -1, xTitle: 'thinking steps T', yTitle: 'bits per byte of unseen code', ...size });
const height = size.height + 12 + series.length * 18;
writeFileSync(
  to,
  drawn
    .replace(
      /^<svg ([^>]*)viewBox="[^"]*">/,
      `<svg xmlns="http://www.w3.org/2000/svg" $1viewBox="0 0 ${size.width} ${height}"><style>${style}</style><rect width="100%" height="100%" fill="#ffffff"/>`,
    )
    .replace('</svg>', `${legend}</svg>\n`),
);
