import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a file that nobody else may read: whole, or not at all. Its folder is made if need be, those above are not.
 * @throws what the file system says, in which case nothing is left behind
 */
export async function writeWhole(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  await mkdir(dirname(path), { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(Buffer.concat(pieces));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

export interface StoredFileOptions {
  /** Milliseconds between a change and the writing to disk, in which more may change. */
  readonly quietMs: number;
  readonly log: (line: string) => void;
}

/**
 * A file in which something is kept between sessions. What goes wrong with it is told in one line and thrown nowhere: what
 * cannot be read is made again, what cannot be written stays in memory.
 */
export class StoredFile {
  readonly #options: StoredFileOptions;
  #timer: NodeJS.Timeout | undefined;
  #writable = true;

  constructor(
    readonly path: string,
    options: StoredFileOptions,
  ) {
    this.#options = options;
  }

  /** What a session before has kept, if anything can be read. */
  async read(): Promise<Buffer | undefined> {
    const data = await readFile(this.path).catch((error: NodeJS.ErrnoException) => error);
    if (!(data instanceof Error)) return data;
    if (data.code !== 'ENOENT') this.#options.log(`${this.path} cannot be read (${data.code}); it is made again`);
    return undefined;
  }

  /** What was read cannot be used. */
  drop(why: string): void {
    this.#options.log(`${this.path} is dropped: ${why}; it is made again`);
  }

  /** Calls `save` when nothing more has changed for a while; what waits already waits no longer than it would have. */
  later(save: () => Promise<void>): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void save();
    }, this.#options.quietMs).unref();
  }

  /** What waits to be saved is not. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Writes what `make` gives; where that is nothing, there is no file. */
  async save(make: () => Promise<readonly Uint8Array[] | undefined>): Promise<void> {
    if (!this.#writable) return;
    try {
      const pieces = await make();
      if (pieces) await writeWhole(this.path, pieces);
      else await rm(this.path, { force: true });
    } catch (error) {
      this.#options.log(`it cannot be kept on disk and stays in memory (${(error as Error).message})`);
      // Where nothing can be written now, trying again after each change would only say so again.
      this.#writable = false;
    }
  }
}
