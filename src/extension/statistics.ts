/**
 * What became of suggestions, counted on this machine and kept on this machine. Pure: events go in, totals by day come
 * out. VS Code's stable interface does not tell an extension what is shown or accepted in part, so `shown`, `partly` and
 * `dismissed` are inferred (`offers.ts`); `accepted` is told.
 */
import { isRecord } from '../json';

/** When accepted text is looked at again, in seconds. */
export const retention = [30, 120, 600] as const;
export type Retention = (typeof retention)[number];

export type StatisticsEvent =
  /** A request was answered with a suggestion. */
  | { readonly type: 'answered'; readonly milliseconds: number }
  | { readonly type: 'shown' | 'dismissed' }
  /** A next edit was shown, or what became of it. */
  | { readonly type: 'nextEdit'; readonly how: 'shown' | 'accepted' | 'dismissed' }
  /** `characters` were written by one key. `first`: the first part of its suggestion. */
  | { readonly type: 'accepted'; readonly characters: number }
  | { readonly type: 'partly'; readonly characters: number; readonly first: boolean }
  /** Accepted text was looked at again. */
  | { readonly type: 'checked'; readonly after: Retention; readonly kept: boolean };

export interface Day {
  /** Year-month-day where the user is. */
  readonly day: string;
  readonly shown: number;
  readonly accepted: number;
  readonly partly: number;
  readonly dismissed: number;
  readonly keystrokesSaved: number;
  /** By seconds: looked at, and still there. */
  readonly checked: Readonly<Record<string, number>>;
  readonly kept: Readonly<Record<string, number>>;
  /** How many answers took how long: by index of a logarithmic scale. */
  readonly latencies: Readonly<Record<string, number>>;
  /** Next edits: shown, accepted, dismissed. */
  readonly nextEdits?: Readonly<Record<string, number>>;
}

export interface Statistics {
  readonly format: 1;
  /** Oldest first, one for each day on which something was counted. */
  readonly days: readonly Day[];
}

/** Older days are forgotten. */
const KEPT_DAYS = 60;

export const noStatistics: Statistics = { format: 1, days: [] };

/**
 * What was stored, as far as it can be read; `dropped` says in one line what could not be. Read without a schema: the
 * library for schemas is several times as large as what VS Code loads at its start.
 */
export function readStatistics(stored: unknown): { readonly statistics: Statistics; readonly dropped?: string } {
  if (stored === undefined) return { statistics: noStatistics };
  const nothing = (why: string) => ({ statistics: noStatistics, dropped: `stored statistics are dropped: ${why}` });
  if (!isRecord(stored)) return nothing('they are no object');
  const { format, days } = stored;
  if (format !== 1) return nothing(`their format is ${show(format)}, and this version reads 1`);
  if (!Array.isArray(days)) return nothing('they hold no days');
  const good = days.filter(isDay).slice(-KEPT_DAYS);
  const bad = days.filter((day) => !isDay(day)).length;
  return {
    statistics: { format: 1, days: good },
    ...(bad > 0 && { dropped: `stored statistics: ${bad} of ${days.length} days are dropped, which cannot be read` }),
  };
}

const counted = ['shown', 'accepted', 'partly', 'dismissed', 'keystrokesSaved'] as const;
const tables = ['checked', 'kept', 'latencies'] as const;

function isDay(value: unknown): value is Day {
  return (
    isRecord(value) &&
    typeof value['day'] === 'string' &&
    counted.every((name) => isCount(value[name])) &&
    tables.every((name) => isTable(value[name])) &&
    // Versions before 0.4 counted none.
    (value['nextEdits'] === undefined || isTable(value['nextEdits']))
  );
}

function isTable(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every(isCount);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function show(value: unknown): string {
  return typeof value === 'number' || typeof value === 'string' ? JSON.stringify(value).slice(0, 20) : 'missing';
}

export function count(statistics: Statistics, event: StatisticsEvent, day: string): Statistics {
  const last = statistics.days.at(-1);
  const today = last?.day === day ? last : emptyDay(day);
  const before = last?.day === day ? statistics.days.slice(0, -1) : statistics.days;
  return { format: 1, days: [...before, add(today, event)].slice(-KEPT_DAYS) };
}

function emptyDay(day: string): Day {
  const counts = { shown: 0, accepted: 0, partly: 0, dismissed: 0, keystrokesSaved: 0 };
  return { day, ...counts, checked: {}, kept: {}, latencies: {} };
}

function add(day: Day, event: StatisticsEvent): Day {
  switch (event.type) {
    case 'answered':
      return { ...day, latencies: increment(day.latencies, latencyIndex(event.milliseconds)) };
    case 'nextEdit':
      return { ...day, nextEdits: increment(day.nextEdits ?? {}, event.how) };
    case 'shown':
      return { ...day, shown: day.shown + 1 };
    case 'dismissed':
      return { ...day, dismissed: day.dismissed + 1 };
    case 'accepted':
      return { ...day, accepted: day.accepted + 1, keystrokesSaved: day.keystrokesSaved + saved(event.characters) };
    case 'partly': {
      const keystrokesSaved = day.keystrokesSaved + saved(event.characters);
      return { ...day, partly: day.partly + (event.first ? 1 : 0), keystrokesSaved };
    }
    case 'checked': {
      const checked = increment(day.checked, event.after);
      return { ...day, checked, kept: event.kept ? increment(day.kept, event.after) : day.kept };
    }
  }
}

/** Accepting costs a key itself. */
function saved(characters: number): number {
  return Math.max(0, characters - 1);
}

function increment(counts: Readonly<Record<string, number>>, key: string | number): Record<string, number> {
  return { ...counts, [key]: (counts[key] ?? 0) + 1 };
}

/** A step of the scale of latencies: two neighbours differ by a tenth. */
const STEP = 1.1;

function latencyIndex(milliseconds: number): number {
  return Math.round(Math.log(Math.max(1, milliseconds)) / Math.log(STEP));
}

/** The latency that an index of the scale stands for, in milliseconds. */
export function latencyAt(index: number): number {
  return STEP ** index;
}

/** Everything of all days together. */
export interface Totals extends Required<Omit<Day, 'day'>> {
  readonly days: number;
}

export function totals({ days }: Statistics): Totals {
  const sum = (pick: (day: Day) => number) => days.reduce((all, day) => all + pick(day), 0);
  const join = (pick: (day: Day) => Readonly<Record<string, number>>) => {
    const all: Record<string, number> = {};
    for (const day of days) for (const [key, n] of Object.entries(pick(day))) all[key] = (all[key] ?? 0) + n;
    return all;
  };
  return {
    days: days.length,
    shown: sum((day) => day.shown),
    accepted: sum((day) => day.accepted),
    partly: sum((day) => day.partly),
    dismissed: sum((day) => day.dismissed),
    keystrokesSaved: sum((day) => day.keystrokesSaved),
    checked: join((day) => day.checked),
    kept: join((day) => day.kept),
    latencies: join((day) => day.latencies),
    nextEdits: join((day) => day.nextEdits ?? {}),
  };
}

/** The latency that a share of the answers did not exceed, in milliseconds; undefined where there are none. */
export function latencyQuantile(latencies: Readonly<Record<string, number>>, share: number): number | undefined {
  const counts = Object.entries(latencies)
    .map(([index, n]) => [Number(index), n] as const)
    .sort(([a], [b]) => a - b);
  const all = counts.reduce((sum, [, n]) => sum + n, 0);
  let seen = 0;
  for (const [index, n] of counts) {
    seen += n;
    if (seen >= share * all) return latencyAt(index);
  }
  return undefined;
}
