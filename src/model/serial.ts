/** Runs tasks one after the other, in the order in which they were given. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  run<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Waits for its turn and keeps it until what it gives is called. */
  hold(): Promise<() => void> {
    return new Promise((begun) => {
      void this.run(() => new Promise<void>((release) => begun(release)));
    });
  }
}
