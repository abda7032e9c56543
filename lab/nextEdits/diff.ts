/** What takes the place of what: entries `start` to `end`, the latter excluded, of the one list, and what the other has there. */
export interface Hunk<T> {
  readonly start: number;
  readonly end: number;
  readonly replacement: readonly T[];
}

/** Lists that differ in more are not compared: their diff says nothing of how somebody edits. */
const MAX_DIFFERENCES = 400;

/**
 * The shortest way from one list to another by removing and inserting (Myers 1986).
 * @returns hunks in order; undefined where it is too long
 */
export function diff<T>(before: readonly T[], after: readonly T[]): Hunk<T>[] | undefined {
  let front = 0;
  const shortest = Math.min(before.length, after.length);
  while (front < shortest && before[front] === after[front]) front++;
  let back = 0;
  while (back < shortest - front && before.at(-1 - back) === after.at(-1 - back)) back++;
  const [a, b] = [before.slice(front, before.length - back), after.slice(front, after.length - back)];
  const path = shortestPath(a, b);
  return path && hunksOf(path, b, front);
}

/** Entries to remove and to insert; undefined where they are too many. */
export function distance<T>(before: readonly T[], after: readonly T[]): number | undefined {
  const hunks = diff(before, after);
  return hunks?.reduce((sum, { start, end, replacement }) => sum + end - start + replacement.length, 0);
}

/** Pairs of equal entries, in order. */
type Matches = readonly (readonly [number, number])[];

function shortestPath<T>(
  a: readonly T[],
  b: readonly T[],
): { matches: Matches; lengths: [number, number] } | undefined {
  const reach = new Map<number, number>([[1, 0]]);
  const history: Map<number, number>[] = [];
  for (let steps = 0; steps <= Math.min(MAX_DIFFERENCES, a.length + b.length); steps++) {
    history.push(new Map(reach));
    for (let k = -steps; k <= steps; k += 2) {
      const down = k === -steps || (k !== steps && get(reach, k - 1) < get(reach, k + 1));
      let x = down ? get(reach, k + 1) : get(reach, k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) {
        return { matches: trace(history, a, b, steps), lengths: [a.length, b.length] };
      }
    }
  }
  return undefined;
}

function trace<T>(history: readonly Map<number, number>[], a: readonly T[], b: readonly T[], steps: number): Matches {
  const matches: [number, number][] = [];
  let [x, y] = [a.length, b.length];
  for (let step = steps; step >= 0; step--) {
    const reach = history[step]!;
    const k = x - y;
    const down = k === -step || (k !== step && get(reach, k - 1) < get(reach, k + 1));
    const before = down ? k + 1 : k - 1;
    const fromX = step === 0 ? 0 : get(reach, before);
    const fromY = step === 0 ? 0 : fromX - before;
    while (x > fromX && y > fromY && a[x - 1] === b[y - 1]) matches.push([--x, --y]);
    [x, y] = [fromX, fromY];
  }
  return matches.reverse();
}

function get(reach: ReadonlyMap<number, number>, k: number): number {
  return reach.get(k) ?? -1;
}

function hunksOf<T>(
  { matches, lengths }: { matches: Matches; lengths: [number, number] },
  b: readonly T[],
  offset: number,
): Hunk<T>[] {
  const hunks: Hunk<T>[] = [];
  let [x, y] = [0, 0];
  for (const [matchX, matchY] of [...matches, lengths]) {
    if (matchX > x || matchY > y) {
      hunks.push({ start: x + offset, end: matchX + offset, replacement: b.slice(y, matchY) });
    }
    [x, y] = [matchX + 1, matchY + 1];
  }
  return hunks;
}
