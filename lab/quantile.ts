/** How long something took; `cut` if it was given up after that time without having ended. */
export interface Duration {
  readonly ms: number;
  readonly cut?: boolean;
}

/**
 * A quantile of durations some of which were cut short (Kaplan and Meier's estimate): one that was cut counts as lasting
 * longer than it was seen to. Without cuts it is the usual quantile.
 *
 * @param share 0 to 1
 * @returns milliseconds; undefined if so many were cut that the durations do not tell
 */
export function quantile(durations: readonly Duration[], share: number): number | undefined {
  // Of equal times, ends come before cuts.
  const sorted = durations.toSorted((a, b) => a.ms - b.ms || Number(a.cut ?? false) - Number(b.cut ?? false));
  let surviving = 1;
  for (const [index, { ms, cut }] of sorted.entries()) {
    if (!cut) surviving *= 1 - 1 / (sorted.length - index);
    // Rounding must not decide.
    if (surviving <= 1 - share + 1e-12) return ms;
  }
  return undefined;
}
