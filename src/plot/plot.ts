import { escapeHtml } from './html';

export interface Series {
  name: string;
  /** CSS class of its line and points. */
  style: string;
  /** One value per refinement step, from step 0; not-a-number leaves a gap. */
  values: readonly number[];
  /** From where to where each value may lie: drawn as a bar. */
  ranges?: readonly (readonly [low: number, high: number] | undefined)[];
  /** How far to the right it is drawn, in user units: bars at one step do not hide each other. */
  shift?: number;
}

export interface PlotOptions {
  series: readonly Series[];
  /** What each position is called; by default its number. */
  labels?: readonly string[];
  /** Where on the axis each value lies; by default at its index. */
  positions?: readonly number[];
  /** Step whose thought is in use: marked by a vertical line. */
  marked: number;
  /** What the axes say. */
  xTitle: string;
  yTitle: string;
  /** In SVG user units. */
  width: number;
  height: number;
}

const margin = { top: 12, right: 16, bottom: 40, left: 60 };

/** Round numbers from at or below `low` to at or above `high`, about `count` of them. */
export function ticks(low: number, high: number, count: number): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  // Multiples of the step, rounded to its own digits: no 2.4000000000000004.
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toFixed(digits)));
}

/** A line plot as an SVG element; colours come from CSS classes, the numbers also stand in `<title>`s of the points. */
export function plot(options: PlotOptions): string {
  const { series, width, height, marked } = options;
  const values = series.flatMap(({ values: own, ranges }) =>
    [...own, ...(ranges ?? []).flatMap((range) => range ?? [])].filter(Number.isFinite),
  );
  const position = (index: number) => options.positions?.[index] ?? index;
  const lastStep = Math.max(0, ...series.map((one) => position(one.values.length - 1)));
  if (values.length === 0) return '';
  const low = Math.min(...values);
  const high = Math.max(...values);
  const padding = high > low ? 0 : Math.max(0.05, Math.abs(high) * 0.05);
  const yTicks = ticks(low - padding, high + padding, 4);
  const bottom = yTicks[0] ?? low;
  const top = yTicks.at(-1) ?? high;
  const x = (step: number) =>
    margin.left + (width - margin.left - margin.right) * (lastStep === 0 ? 0.5 : step / lastStep);
  const y = (value: number) =>
    margin.top + (height - margin.top - margin.bottom) * (1 - (value - bottom) / (top - bottom || 1));
  const digits = Math.max(0, ...yTicks.map((tick) => (String(tick).split('.')[1] ?? '').length));
  const numbers = ticks(0, lastStep, 8).filter((tick) => Number.isInteger(tick) && tick <= lastStep);
  const stepTicks =
    options.labels?.map((label, step) => ({ label, step: position(step) })) ??
    numbers.map((step) => ({ label: String(step), step }));

  const parts = [
    ...yTicks.map(
      (tick) =>
        `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${at(y(tick))}" y2="${at(y(tick))}"/>` +
        `<text class="tick" x="${margin.left - 8}" y="${at(y(tick))}" text-anchor="end" dominant-baseline="middle">${tick.toFixed(digits)}</text>`,
    ),
    ...stepTicks.map(
      ({ label, step }) =>
        `<text class="tick" x="${at(x(step))}" y="${height - margin.bottom + 18}" text-anchor="middle">${escapeHtml(label)}</text>`,
    ),
    `<text class="title" x="${at((margin.left + width - margin.right) / 2)}" y="${height - 4}" text-anchor="middle">${escapeHtml(options.xTitle)}</text>`,
    `<text class="title" transform="rotate(-90)" x="${-at((margin.top + height - margin.bottom) / 2)}" y="14" text-anchor="middle">${escapeHtml(options.yTitle)}</text>`,
    marked >= 0 && marked <= lastStep
      ? `<line class="marked" x1="${at(x(marked))}" x2="${at(x(marked))}" y1="${margin.top}" y2="${height - margin.bottom}"/>`
      : '',
    ...series.map((one) => {
      const across = (step: number) => at(x(position(step)) + (one.shift ?? 0));
      const points = one.values.map((value, step) => ({ value, step })).filter(({ value }) => Number.isFinite(value));
      const path = points.map(({ value, step }) => `${across(step)},${at(y(value))}`).join(' ');
      const dots = points.map(
        ({ value, step }) =>
          `<circle class="${one.style}" cx="${across(step)}" cy="${at(y(value))}" r="3.5"><title>${escapeHtml(one.name)}, step ${options.labels?.[step] ?? position(step)}: ${value.toFixed(3)}</title></circle>`,
      );
      const bars = (one.ranges ?? []).map((range, step) =>
        range
          ? `<line class="range ${one.style}" x1="${across(step)}" x2="${across(step)}" y1="${at(y(range[0]))}" y2="${at(y(range[1]))}"/>`
          : '',
      );
      return `<polyline class="${one.style}" points="${path}"/>${bars.join('')}${dots.join('')}`;
    }),
  ];
  const names = options.labels ?? options.positions?.map(String);
  const label = series.map((one) => summary(one, names)).join('; ');
  return `<svg role="img" aria-label="${escapeHtml(label)}" viewBox="0 0 ${width} ${height}">${parts.join('')}</svg>`;
}

function summary({ name, values }: Series, labels?: readonly string[]): string {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return `${name}: no values`;
  return `${name}: ${known[0]!.toFixed(3)} at step ${labels?.[0] ?? 0}, ${known.at(-1)!.toFixed(3)} at step ${labels?.at(-1) ?? values.length - 1}`;
}

function at(position: number): number {
  return Math.round(position * 10) / 10;
}
