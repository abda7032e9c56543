import type { DecodeOptions } from './decodeOptions';

/** For so long something is written, so that a window that was long to read is not followed by nothing. */
const MIN_WRITING_MS = 60;

/** A budget of time, begun before the window is read. */
export class Deadline {
  readonly #budget: number;
  readonly #now: () => number;
  readonly #begun: number;
  #end = Infinity;

  constructor({ timeBudget = Infinity, now = () => performance.now() }: Pick<DecodeOptions, 'timeBudget' | 'now'>) {
    this.#budget = timeBudget;
    this.#now = now;
    this.#begun = now();
  }

  /** The window has been read: the writing begins. */
  start(): void {
    this.#end = Math.max(this.#begun + this.#budget, this.#now() + Math.min(this.#budget, MIN_WRITING_MS));
  }

  get passed(): boolean {
    return this.#budget !== Infinity && this.#now() > this.#end;
  }
}
