const WIDTH = 24;

/** A progress bar on standard error; nothing where that is not a terminal. */
export class ProgressBar {
  readonly #start = performance.now();
  readonly #shown = process.stderr.isTTY === true;

  constructor(
    readonly label: string,
    readonly total: number,
  ) {}

  update(done: number, note?: string): void {
    if (!this.#shown) return;
    const share = this.total === 0 ? 1 : done / this.total;
    const bar = '━'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, ' ');
    process.stderr.write(`\r\x1b[2K${this.label} ${bar} ${note ?? `${done}/${this.total}${this.#remaining(share)}`}`);
  }

  /** Takes the bar off the terminal, so that something else can be written. */
  clear(): void {
    if (this.#shown) process.stderr.write('\r\x1b[2K');
  }

  #remaining(share: number): string {
    if (share <= 0) return '';
    const seconds = ((performance.now() - this.#start) / 1000) * (1 / share - 1);
    const minutes = Math.floor(seconds / 60);
    return `, ${minutes}:${String(Math.floor(seconds % 60)).padStart(2, '0')} left`;
  }
}
