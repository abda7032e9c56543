/**
 * When silence of the inference process means that it hangs. A run blocks it, so silence alone says nothing: what counts
 * is how long it was silent before when it did answer, and how much text it has been given.
 */
export const hangTimeouts = {
  /** While the model loads; a device other than the CPU may prepare its kernels for minutes. */
  loadingMs: 60_000,
  loadingDeviceMs: 300_000,
  /** Before anything is known about the machine. */
  unknownMs: 60_000,
  /** Shorter than this is never a hang … */
  minMs: 5_000,
  /** … and this many times the longest silence that ended well is. */
  times: 20,
  maxMs: 120_000,
  /** For each character that the process has been given: it has to be read, cut and encoded. */
  perCharacterMs: 0.01,
  /** After so much silence nothing more is sent until the process is heard again: what is sent is held in memory. */
  stallMs: 1_000,
} as const;

export type HangTimeouts = { readonly [name in keyof typeof hangTimeouts]: number };

export interface Silence {
  readonly loading: boolean;
  /** `thoughtline.device`. */
  readonly device: string;
  /** The longest silence that ended with an answer recently, in milliseconds; undefined before the first. */
  readonly longestMs: number | undefined;
  /** Of the largest request that is owed an answer. */
  readonly characters: number;
}

/** Milliseconds of silence after which the process is taken for hung. */
export function silenceLimit(
  { loading, device, longestMs, characters }: Silence,
  limits: HangTimeouts = hangTimeouts,
): number {
  if (loading) return device === 'cpu' ? limits.loadingMs : limits.loadingDeviceMs;
  const expected = longestMs === undefined ? limits.unknownMs : longestMs * limits.times;
  return Math.min(limits.maxMs, Math.max(limits.minMs, expected)) + characters * limits.perCharacterMs;
}

/** The longest of the last silences. */
export class SilenceRecord {
  #last: number[] = [];

  constructor(private readonly kept = 64) {}

  get longestMs(): number | undefined {
    return this.#last.length === 0 ? undefined : Math.max(...this.#last);
  }

  add(milliseconds: number): void {
    this.#last = [...this.#last.slice(1 - this.kept), milliseconds];
  }

  clear(): void {
    this.#last = [];
  }
}
