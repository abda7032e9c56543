/** How far a long piece of work is: `share` from 0 to 1, and in words for people. */
export type OnProgress = (share: number, what: string) => void;

/** Progress is told no more often than this, in milliseconds. */
const BETWEEN = 200;
/** The speed is that of so many milliseconds. */
const WINDOW = 10_000;

/** Says how fast bytes come in, and when the last is expected. */
export class Pace {
  readonly #samples: { at: number; done: number }[] = [];
  #told = -Infinity;

  constructor(
    readonly total: number,
    readonly what: string,
    readonly onProgress: OnProgress | undefined,
    readonly now: () => number = () => performance.now(),
  ) {}

  /** @param done bytes that are there, of `total` */
  update(done: number): void {
    const at = this.now();
    if (at - this.#told < BETWEEN && done < this.total) return;
    this.#told = at;
    this.#samples.push({ at, done });
    while (this.#samples.length > 2 && at - this.#samples[0]!.at > WINDOW) this.#samples.shift();
    const { at: from, done: before } = this.#samples[0]!;
    const speed = at > from && done > before ? (1000 * (done - before)) / (at - from) : 0;
    this.onProgress?.(Math.min(1, done / this.total), `${this.what}: ${describe(done, this.total, speed)}`);
  }
}

/** @param speed bytes a second; 0 where it is not known */
export function describe(done: number, total: number, speed: number): string {
  const parts = [`${mega(done)} of ${mega(total)} MB`];
  if (speed > 0 && done < total) {
    const seconds = Math.ceil((total - done) / speed);
    parts.push(`${(speed / 1e6).toFixed(1)} MB/s`, `${clock(seconds)} left`);
  }
  return parts.join(', ');
}

function mega(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

/** `M:SS`. */
function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
