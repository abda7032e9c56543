import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Folders below a cache's that are looked into: Hugging Face needs three (model, snapshots, revision). */
const DEPTH = 4;
/** Entries that are looked at in one folder and all below it: a cache has hundreds. */
const MAX_ENTRIES = 20_000;

/** What a file must be. */
export interface Wanted {
  readonly bytes: number;
  readonly sha256: string;
}

export interface FindOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hears of every file that has the right size, before it is read. */
  readonly onCandidate?: ((path: string) => void) | undefined;
}

/**
 * A file with the size and the sum that are wanted: by size first, so that few are read.
 * @param places files and folders; those that do not exist, or may not be read, are passed over
 */
export async function findFile(places: readonly string[], wanted: Wanted, options: FindOptions = {}) {
  const refused = new Set<string>();
  for (const place of places) {
    for await (const path of filesOfSize(resolve(place), wanted.bytes, options.signal)) {
      if (refused.has(path)) continue;
      options.onCandidate?.(path);
      if ((await sumOf(path, options.signal).catch(noSum(options.signal))) === wanted.sha256) return path;
      refused.add(path);
    }
  }
  return undefined;
}

/** SHA-256 of a file, in lower-case hexadecimal digits. @throws what the file system says, or that it was cancelled */
export async function sumOf(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function* filesOfSize(place: string, bytes: number, signal?: AbortSignal): AsyncGenerator<string> {
  let entries = 0;
  const queue = [{ path: place, depth: 0 }];
  for (let next = queue.shift(); next !== undefined && entries < MAX_ENTRIES; next = queue.shift()) {
    signal?.throwIfAborted();
    // Links are followed: Hugging Face's snapshots are links to its blobs.
    const found = await stat(next.path).catch(() => undefined);
    entries++;
    if (found?.isFile() && found.size === bytes) yield next.path;
    if (!found?.isDirectory() || next.depth > DEPTH) continue;
    const names = await namesIn(next.path);
    for (const name of names) queue.push({ path: join(next.path, name), depth: next.depth + 1 });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(folder)) {
      if (names.push(name) >= MAX_ENTRIES) break;
    }
  } catch {
    // A folder that may not be read holds nothing for us.
  }
  return names.sort();
}

/** A file that cannot be read has no sum; a cancelled search is over. */
function noSum(signal: AbortSignal | undefined) {
  return (): undefined => {
    signal?.throwIfAborted();
  };
}
