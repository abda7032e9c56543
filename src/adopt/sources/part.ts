import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, statfs, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../../model/errors';
import type { Wanted } from './find';
import { megabytes } from './place';

/**
 * A file on its way: what has come so far lies in `PATH.part` and is summed as it comes. It becomes `PATH` when its size
 * and its sum are those that are wanted, and goes on where it was when it is opened again.
 */
export class PartFile {
  #hash: Hash = createHash('sha256');
  #length = 0;
  #resumed = false;

  private constructor(
    readonly path: string,
    readonly wanted: Wanted,
    readonly file: FileHandle,
  ) {}

  /** @throws UserError if there is no room for the rest of it */
  static async open(path: string, wanted: Wanted, signal?: AbortSignal): Promise<PartFile> {
    const file = await open(`${path}.part`, 'a+').catch(explain(path));
    const part = new PartFile(path, wanted, file);
    try {
      const { size } = await file.stat();
      if (size > wanted.bytes) await part.restart();
      else if (size > 0) await part.#resume(size, signal);
      await ensureRoom(path, wanted.bytes - part.length);
      return part;
    } catch (error) {
      await part.close();
      throw error;
    }
  }

  /** Bytes that are there. */
  get length(): number {
    return this.#length;
  }

  /** Whether some of it was there when it was opened. */
  get resumed(): boolean {
    return this.#resumed;
  }

  /** @throws UserError where the disk is full, or more comes than is wanted */
  async append(chunk: Uint8Array): Promise<void> {
    if (this.#length + chunk.length > this.wanted.bytes) {
      throw new UserError(`${this.path}: more came than the ${this.wanted.bytes} bytes that it has`);
    }
    this.#hash.update(chunk);
    await this.file.appendFile(chunk).catch(explain(this.path));
    this.#length += chunk.length;
  }

  /** Begins again. */
  async restart(): Promise<void> {
    await this.file.truncate(0);
    this.#hash = createHash('sha256');
    this.#length = 0;
    this.#resumed = false;
  }

  /**
   * Puts the file in its place, if it is the one that is wanted; else nothing of it is left.
   * @returns the sum that it has instead of the one wanted; undefined if all is well
   */
  async finish(): Promise<string | undefined> {
    const sum = this.#hash.digest('hex');
    if (sum !== this.wanted.sha256) {
      await this.restart();
      return sum;
    }
    await this.file.sync();
    await this.file.close();
    await rename(`${this.path}.part`, this.path);
    return undefined;
  }

  /** Keeps what there is for another time; nothing where there is nothing. Does nothing more after `finish`. */
  async close(): Promise<void> {
    await this.file.close().catch(() => undefined);
    if (this.#length === 0) await rm(`${this.path}.part`, { force: true });
  }

  async #resume(size: number, signal: AbortSignal | undefined): Promise<void> {
    for await (const chunk of createReadStream(`${this.path}.part`, {
      highWaterMark: 1 << 20,
      end: size - 1,
      signal,
    })) {
      this.#hash.update(chunk as Buffer);
    }
    this.#length = size;
    this.#resumed = true;
  }
}

/** @throws UserError if the disk of a file has less room than so many bytes */
export async function ensureRoom(path: string, bytes: number): Promise<void> {
  const folder = dirname(path);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes) throw new UserError(noRoom(folder, bytes));
}

function noRoom(folder: string, bytes?: number): string {
  const need = bytes === undefined ? '' : ` (${megabytes(bytes)} are needed)`;
  return `${folder}: the disk is full${need}; free some room, or name another folder in THOUGHTLINE_CACHE`;
}

/** Turns what the file system says into one line with a remedy. */
export function explain(path: string) {
  return (error: NodeJS.ErrnoException): never => {
    const { code } = error;
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') throw new UserError(noRoom(dirname(path)));
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new UserError(`${dirname(path)}: may not be written; name another folder in THOUGHTLINE_CACHE`);
    }
    throw error;
  };
}
