/** What may be written to the log of what a process says: lines within a time, and characters of a line. */
export const logLimits = { lines: 200, withinMs: 10_000, characters: 500 } as const;

/**
 * Lets so many lines through within a time and says, once, how many were left out: a process that floods its log floods
 * neither the editor's nor our memory.
 */
export class LogLimiter {
  readonly #say: (line: string) => void;
  readonly #now: () => number;
  #since = -Infinity;
  #said = 0;
  #leftOut = 0;

  constructor(say: (line: string) => void, now = () => performance.now()) {
    this.#say = say;
    this.#now = now;
  }

  add(line: string): void {
    const now = this.#now();
    if (now - this.#since >= logLimits.withinMs) {
      this.flush();
      this.#since = now;
      this.#said = 0;
    }
    if (this.#said >= logLimits.lines) {
      this.#leftOut++;
      return;
    }
    this.#said++;
    this.#say(line.length > logLimits.characters ? `${line.slice(0, logLimits.characters)}…` : line);
  }

  /** Says how many lines were left out, if any were. */
  flush(): void {
    if (this.#leftOut > 0) this.#say(`${this.#leftOut} more lines of the inference process were left out`);
    this.#leftOut = 0;
  }
}

/** Cuts a stream into lines. Of a line without end no more is kept than a log line may have. */
export function lineSplitter(line: (text: string) => void): (chunk: string) => void {
  let begun = '';
  return (chunk) => {
    let from = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', from)) {
      const text = (begun + chunk.slice(from, Math.min(end, from + logLimits.characters + 1))).trimEnd();
      if (text !== '') line(text);
      begun = '';
      from = end + 1;
    }
    const remaining = logLimits.characters + 1 - begun.length;
    if (remaining > 0) begun += chunk.slice(from, from + remaining);
  };
}
