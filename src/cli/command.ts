/** One subcommand of `thoughtline`. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `thoughtline COMMAND --help` prints. */
  readonly usage: string;
  /** @returns the exit code: 0 = done, 1 = something failed, which has been reported */
  run(args: readonly string[]): Promise<number>;
}

/** A command line that cannot be understood; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
