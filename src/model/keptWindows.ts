import { freemem } from 'node:os';
import type { WindowParts } from './suffixReuse';

/** A window that is to be read: its tokens, and where the suffix stands among them if it stands behind the prefix. */
export interface WantedWindow {
  readonly tokens: readonly number[];
  readonly parts?: WindowParts | undefined;
}

/** What has been read of one window. */
export interface WindowCache<Self> {
  /** Tokens that have been read. */
  readonly length: number;
  readonly bytes: number;
  /** Tokens of a window that need not be read for it; texts are compared, token by token. */
  overlap(window: WantedWindow, maxStale: number): number;
  /** Another one that has read the same. */
  copy(): Self;
}

export interface KeptWindowsOptions<Cache> {
  readonly make: () => Cache;
  /** Bytes of one window that has been read to its end. */
  readonly windowBytes: number;
  /** How many of those are kept, in bytes. */
  readonly budget: number;
  /** Memory that the machine has left, in bytes. */
  readonly available?: () => number;
  readonly now?: () => number;
}

interface Kept<Cache> {
  readonly key: string;
  readonly cache: Cache;
  /** Whether it was prefetched, and nobody has asked for it yet. */
  readonly prefetched: boolean;
}

/** Where the machine has less memory than this left, in bytes, less is kept. */
export const LITTLE_MEMORY = 2 ** 29;

/** The machine is asked for its memory after so many milliseconds again. */
const LOOK_MS = 5000;

/**
 * Windows that have been read, of the files in which somebody works, those used last. A file has several where somebody goes
 * back and forth between places of it. All of them together stay within a budget, and nothing of one is used for a text
 * that is not the same.
 */
export class KeptWindows<Cache extends WindowCache<Cache>> {
  readonly #options: KeptWindowsOptions<Cache>;
  /** Those used longest ago first. */
  #windows: Kept<Cache>[] = [];
  #budget: number;
  #looked = -Infinity;

  constructor(options: KeptWindowsOptions<Cache>) {
    this.#options = options;
    this.#budget = options.budget;
  }

  /** How many are kept. */
  get size(): number {
    return this.#windows.length;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#windows.reduce((sum, { cache }) => sum + cache.bytes, 0);
  }

  /**
   * Where a window is to be read: in what has been read of the file, if most of that serves, else next to it.
   * @param key of the file
   * @param maxStale as `Decoder.arrange` has it
   * @param prefetch whether nobody has asked for the window yet: then it is read next to all others, and forgotten when another
   * one is prefetched
   */
  of(key: string, window: WantedWindow, maxStale: number, prefetch = false): Cache {
    if (prefetch) this.#windows = this.#windows.filter((one) => !one.prefetched);
    const best = this.#best(key, window, maxStale);
    if (!best) return this.#use({ key, cache: this.#options.make(), prefetched: prefetch });
    // What it holds beyond the window is lost; where that is much, it is worth another one.
    const lost = best.cache.length - best.overlap;
    if (!prefetch && lost <= best.overlap) return this.#use({ key, cache: best.cache, prefetched: false });
    return this.#use({ key, cache: best.cache.copy(), prefetched: prefetch });
  }

  /** Tokens of a window that need not be read for it. */
  overlap(key: string, window: WantedWindow, maxStale: number): number {
    return this.#best(key, window, maxStale)?.overlap ?? 0;
  }

  /** What has been read of a file that serves a window best; among equals what was used last. */
  #best(key: string, window: WantedWindow, maxStale: number): { cache: Cache; overlap: number } | undefined {
    const own = this.#windows.filter((one) => one.key === key).reverse();
    const rated = own.map(({ cache }) => ({ cache, overlap: cache.overlap(window, maxStale) }));
    return rated.sort((a, b) => b.overlap - a.overlap)[0];
  }

  #use(used: Kept<Cache>): Cache {
    const { cache } = used;
    this.#windows = [...this.#windows.filter((one) => one.cache !== cache), used];
    this.#look();
    // This one will be read to its end.
    let total = this.bytes + Math.max(0, this.#options.windowBytes - cache.bytes);
    while (total > this.#budget && this.#windows.length > 1) total -= this.#windows.shift()?.cache.bytes ?? 0;
    return cache;
  }

  #look(): void {
    const { budget, windowBytes, available = availableMemory, now = () => performance.now() } = this.#options;
    if (now() - this.#looked < LOOK_MS) return;
    this.#looked = now();
    this.#budget = nextBudget(this.#budget, { max: budget, min: windowBytes, available: available() });
  }
}

/**
 * What may be kept, in bytes: half as much as before where the machine has little memory left, and all again once it has
 * clearly more.
 */
export function nextBudget(
  budget: number,
  { max, min, available }: { readonly max: number; readonly min: number; readonly available: number },
): number {
  if (available < LITTLE_MEMORY) return Math.max(min, budget / 2);
  return available < 2 * LITTLE_MEMORY ? budget : max;
}

/** What programs can still get, in bytes; of Node's versions the newer ones know what a container may have. */
function availableMemory(): number {
  const { availableMemory: asked } = process as { availableMemory?: () => number };
  return asked?.call(process) ?? freemem();
}
