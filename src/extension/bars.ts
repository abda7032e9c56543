import { escapeHtml } from '../plot/html';
import { ticks } from '../plot/plot';

export interface BarOptions {
  /** One below each bar. */
  readonly labels: readonly string[];
  /** Stacked, the first at the bottom; `style` is a CSS class. */
  readonly series: readonly { readonly name: string; readonly style: string; readonly values: readonly number[] }[];
  readonly xTitle: string;
  readonly yTitle: string;
  /** In SVG user units. */
  readonly width: number;
  readonly height: number;
}

const margin = { top: 12, right: 16, bottom: 44, left: 60 };

/** The widest that a bar gets, in SVG user units. */
const widest = 48;

/** Stacked bars of counts as an SVG element; colours come from CSS classes, the numbers also stand in `<title>`s. */
export function bars({ labels, series, xTitle, yTitle, width, height }: BarOptions): string {
  const sums = labels.map((_, i) => series.reduce((sum, { values }) => sum + (values[i] ?? 0), 0));
  const yTicks = ticks(0, Math.max(1, ...sums), 4).filter(Number.isInteger);
  const top = Math.max(...yTicks, ...sums);
  const floor = height - margin.bottom;
  const y = (value: number) => floor - (floor - margin.top) * (value / top);
  const step = (width - margin.left - margin.right) / Math.max(1, labels.length);
  const bar = Math.min(widest, step * 0.7);
  const centre = (i: number) => margin.left + step * (i + 0.5);
  const pieces = labels.map((label, i) => {
    let base = 0;
    return series.map(({ name, style, values }) => {
      const value = values[i] ?? 0;
      const [from, to] = [y(base), y((base += value))];
      if (value === 0) return '';
      const title = `<title>${escapeHtml(`${label}: ${value} ${name}`)}</title>`;
      return `<rect class="${style}" x="${round(centre(i) - bar / 2)}" y="${round(to)}" width="${round(bar)}" height="${round(from - to)}">${title}</rect>`;
    });
  });
  const parts = [
    ...yTicks.map(
      (tick) =>
        `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${round(y(tick))}" y2="${round(y(tick))}"/>` +
        `<text class="tick" x="${margin.left - 8}" y="${round(y(tick))}" text-anchor="end" dominant-baseline="middle">${tick}</text>`,
    ),
    ...pieces.flat(),
    ...labels.map(
      (label, i) =>
        `<text class="tick" x="${round(centre(i))}" y="${floor + 18}" text-anchor="middle">${escapeHtml(label)}</text>`,
    ),
    `<text class="title" x="${round((margin.left + width - margin.right) / 2)}" y="${height - 4}" text-anchor="middle">${escapeHtml(xTitle)}</text>`,
    `<text class="title" transform="rotate(-90)" x="${-round((margin.top + floor) / 2)}" y="14" text-anchor="middle">${escapeHtml(yTitle)}</text>`,
  ];
  const spoken = series.map(({ name, values }) => `${name}: ${values.reduce((a, b) => a + b, 0)}`).join('; ');
  return `<svg role="img" aria-label="${escapeHtml(spoken)}" viewBox="0 0 ${width} ${height}">${parts.join('')}</svg>`;
}

function round(position: number): number {
  return Math.round(position * 10) / 10;
}
