/** What every layer knows of numbers. It imports nothing. */

/** Log-odds → probability. */
export function sigmoid(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}

/** The middle one of some values, of two the larger; undefined where there are none. */
export function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** A share as users read it: `0.5` is "50 %", and a dash stands for what is not known. */
export function percent(share: number | undefined): string {
  return share !== undefined && Number.isFinite(share) ? `${Math.round(100 * share)} %` : '–';
}

/** A time as users read it; a dash stands for what is not known. */
export function milliseconds(value: number | undefined): string {
  return value === undefined ? '–' : `${Math.round(value)} ms`;
}
