/**
 * How long to wait after a keystroke before the model is asked. Pure decisions on the user's own typing intervals and on
 * what a run was measured to take.
 */
import { median } from '../numbers';

/** Fewer intervals than this say nothing about a user. */
const MIN_INTERVALS = 8;

/** The share of runs that may be overtaken by the next keystroke, among those begun after a wait. */
const OVERTAKEN = 0.5;

/**
 * The shortest wait after which a run has an even chance to end before the next keystroke: of the intervals in which no
 * key came during the wait, at most half are shorter than wait and run together. Where the model is faster than the
 * fingers that is no wait at all; where it is slower, runs that would be thrown away are not begun.
 *
 * @param intervals between keystrokes of this user, in milliseconds, pauses included
 * @param latency what a run takes, in milliseconds
 * @param max milliseconds that are waited at most
 */
export function debounce(intervals: readonly number[], latency: number, max: number): number {
  if (intervals.length < MIN_INTERVALS || !(latency > 0)) return 0;
  const waits = [0, ...intervals.filter((interval) => interval > 0 && interval < max)];
  const enough = (wait: number) => {
    const still = intervals.filter((interval) => interval > wait);
    const overtaken = still.filter((interval) => interval < wait + latency).length;
    return overtaken <= OVERTAKEN * still.length;
  };
  return waits.toSorted((a, b) => a - b).find(enough) ?? max;
}

/** Changes closer to each other than this are one action: a bracket that the editor closes, a line it indents. */
const SAME_ACTION_MS = 8;

/** Milliseconds that the model is not asked after a keystroke, at most. */
const MAX_WAIT_MS = 40;

/** Keystrokes and runs that are remembered. */
const KEPT_INTERVALS = 64;
const KEPT_LATENCIES = 15;

/** The user's typing and the model's speed, as far as they have been seen. */
export class TypingCadence {
  readonly #intervals: number[] = [];
  readonly #latencies: number[] = [];
  #last = -Infinity;

  /** Something was typed. @param now milliseconds on a steady clock */
  typed(now: number): void {
    const interval = now - this.#last;
    if (interval < SAME_ACTION_MS) return;
    this.#last = now;
    if (Number.isFinite(interval)) keep(this.#intervals, interval, KEPT_INTERVALS);
  }

  /** A run came to its end. */
  ran(milliseconds: number): void {
    keep(this.#latencies, milliseconds, KEPT_LATENCIES);
  }

  /** What the last runs took, in milliseconds. */
  get latencies(): readonly number[] {
    return this.#latencies;
  }

  /** What a run takes, in milliseconds: the median of the last ones; 0 before the first. */
  get latency(): number {
    return median(this.#latencies) ?? 0;
  }

  /** Milliseconds to wait from now on before the model is asked. */
  wait(now: number): number {
    return Math.max(0, this.#last + debounce(this.#intervals, this.latency, MAX_WAIT_MS) - now);
  }
}

function keep(values: number[], value: number, max: number): void {
  values.push(value);
  if (values.length > max) values.shift();
}
