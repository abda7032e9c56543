import { setImmediate as nextTurn } from 'node:timers/promises';
import { now } from './messages';

/** Lanes by priority: a suggestion the user waits for, one that may be wanted next, thinking, what a panel shows, the workspace. */
export const lanes = ['decode', 'prefetch', 'refine', 'inspect', 'index'] as const;
export type Lane = (typeof lanes)[number];

/** A piece of work made of short runs. */
export interface Work {
  readonly lane: Lane;
  /** What the work is about (a document): newer work of the same lane and key supersedes older. */
  readonly key: string;
  /** Does one run and says whether more are to do. A decoding is one run. */
  advance(): Promise<boolean>;
  /** Called once when the work leaves the queue unfinished: superseded, dropped, or its run threw `error`. */
  dropped(error?: unknown): void;
}

/**
 * One worker, one run at a time, the most urgent next: decoding before refinement, then the newest first.
 *
 * Runs block the event loop, so between two of them the loop turns once: messages that arrived meanwhile are heard
 * (new work, cancellation) before the next run is chosen. A decoding therefore waits for at most the one run that was
 * going on when it came.
 */
export class WorkQueue {
  #waiting: Work[] = [];
  #running: Promise<void> | undefined;
  /** Until when (`now`) nothing of a lane is begun. */
  readonly #held = new Map<Lane, number>();
  /** Ends the wait for a lane that is held. */
  #wake: () => void = () => undefined;

  get size(): number {
    return this.#waiting.length;
  }

  /** Adds work; unfinished work of the same lane and key is dropped (a run going on is let end). */
  push(work: Work): void {
    this.drop(work.lane, work.key);
    this.#waiting.push(work);
    this.#wake();
    this.#running ??= this.#run();
  }

  /** Begins nothing of a lane for so many milliseconds from now; 0: what was held is held no longer. */
  hold(lane: Lane, milliseconds: number): void {
    this.#held.set(lane, now() + milliseconds);
    this.#wake();
  }

  /** Drops the work of a lane about `key`, if there is any. */
  drop(lane: Lane, key: string): void {
    const at = this.#waiting.findIndex((work) => work.lane === lane && work.key === key);
    if (at < 0) return;
    this.#waiting.splice(at, 1)[0]?.dropped();
    this.#wake();
  }

  /** Resolves when nothing is left to do. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const time = now();
      const work = choose(this.#waiting.filter(({ lane }) => (this.#held.get(lane) ?? 0) <= time));
      if (work) await this.#advance(work);
      else await this.#heldNoLonger(time);
    }
    this.#running = undefined;
  }

  async #advance(work: Work): Promise<void> {
    let more = false;
    try {
      more = await work.advance();
    } catch (error) {
      if (this.#remove(work)) work.dropped(error);
    }
    if (!more) this.#remove(work);
    await nextTurn();
  }

  /** Resolves when the first lane is held no longer, or when something has changed before. */
  async #heldNoLonger(time: number): Promise<void> {
    const until = Math.min(...this.#waiting.map(({ lane }) => this.#held.get(lane) ?? time));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, until - time);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #remove(work: Work): boolean {
    const at = this.#waiting.indexOf(work);
    if (at >= 0) this.#waiting.splice(at, 1);
    return at >= 0;
  }
}

/** The work to do next: the most urgent lane's, of those the newest. `waiting` is in order of arrival. */
export function choose(waiting: readonly Work[]): Work | undefined {
  for (const lane of lanes) {
    const work = waiting.findLast((candidate) => candidate.lane === lane);
    if (work) return work;
  }
  return undefined;
}
