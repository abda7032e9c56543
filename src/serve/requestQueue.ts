import { overloaded } from './apiError';

/** One request at a time, in the order in which they came; what waits is bounded, and may be given up. */
export class RequestQueue {
  readonly #capacity: number;
  readonly #waiting: (() => void)[] = [];
  #resting: (() => void)[] = [];
  #busy = false;

  /** @param capacity how many may wait */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many wait, the one whose turn it is included. */
  get length(): number {
    return this.#waiting.length + (this.#busy ? 1 : 0);
  }

  /**
   * Resolves when it is one's turn, to what ends it.
   * @throws ApiError where too many wait already; what the signal says when it is given up
   */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#busy) {
      if (this.#waiting.length >= this.#capacity)
        throw overloaded(`${this.#capacity} requests wait already; try again`);
      await this.#turn(signal);
    }
    this.#busy = true;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#next();
    };
  }

  /** Resolves when nobody has or wants a turn. */
  async idle(): Promise<void> {
    while (this.#busy) await new Promise<void>((resolve) => this.#resting.push(resolve));
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(start);
    });
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next) return next();
    this.#busy = false;
    const resting = this.#resting;
    this.#resting = [];
    for (const resolve of resting) resolve();
  }
}
