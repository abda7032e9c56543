/** Suggestions put off for a while, as a pure state machine. Times are milliseconds since the epoch. */
import { t } from './l10n';

export type Snooze =
  | { readonly state: 'awake' }
  /** `until` is left out where it lasts until the window is opened again. */
  | { readonly state: 'snoozed'; readonly until?: number };

export type SnoozeEvent =
  /** Minutes left out: until restart. */
  | { readonly type: 'snooze'; readonly minutes?: number; readonly now: number }
  | { readonly type: 'end' }
  | { readonly type: 'tick'; readonly now: number };

export const awake: Snooze = { state: 'awake' };

/** Minutes that are offered. */
export const snoozeMinutes = [5, 15, 60] as const;

const minute = 60_000;

export function nextSnooze(from: Snooze, event: SnoozeEvent): Snooze {
  switch (event.type) {
    case 'snooze':
      return event.minutes === undefined
        ? { state: 'snoozed' }
        : { state: 'snoozed', until: event.now + event.minutes * minute };
    case 'end':
      return awake;
    case 'tick':
      return from.state === 'snoozed' && from.until !== undefined && event.now >= from.until ? awake : from;
  }
}

/** Minutes that are left, rounded up; undefined while awake and where there is no end. */
export function minutesLeft(snooze: Snooze, now: number): number | undefined {
  if (snooze.state === 'awake' || snooze.until === undefined) return undefined;
  return Math.max(0, Math.ceil((snooze.until - now) / minute));
}

/** Milliseconds until what is shown changes; undefined where it does not. */
export function untilChange(snooze: Snooze, now: number): number | undefined {
  if (snooze.state === 'awake' || snooze.until === undefined) return undefined;
  const left = Math.max(0, snooze.until - now);
  return left % minute || Math.min(left, minute);
}

/** How long it lasts, in words; undefined while awake. */
export function describeSnooze(snooze: Snooze, now: number): string | undefined {
  if (snooze.state === 'awake') return undefined;
  const minutes = minutesLeft(snooze, now);
  if (minutes === undefined) return t('snoozed until restart');
  return minutes === 1 ? t('snoozed for 1 more minute') : t('snoozed for {0} more minutes', minutes);
}
