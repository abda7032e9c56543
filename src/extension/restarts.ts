/** Ends of the server process further back than this do not count, in milliseconds. */
export const restartWindow = 3 * 60_000;

/** So many ends within the window, and the server is not started again by itself. */
export const restartLimit = 5;

/**
 * Decides what follows when the server process ended by itself.
 * @param ends times of its ends so far, this one included, in milliseconds, oldest first
 * @returns how long to wait before the next start, or null to give up
 */
export function restartDelay(ends: readonly number[]): number | null {
  const now = ends.at(-1) ?? 0;
  const recent = ends.filter((end) => now - end < restartWindow).length;
  if (recent >= restartLimit) return null;
  // At once the first time, then 1, 2, 4 s: a server that dies on every start must not keep a core busy.
  return recent <= 1 ? 100 : 500 * 2 ** (recent - 1);
}
