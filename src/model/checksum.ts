import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from './errors';
import type { BundleFile } from './manifest';

/**
 * Makes sure that a bundle's file is the one its manifest describes, before anything reads it.
 * @returns the file's absolute path
 * @throws UserError if it is missing, leads out of the folder, has another size or another SHA-256
 */
export async function verifiedPath(directory: string, file: BundleFile): Promise<string> {
  const path = join(directory, file.path);
  const found = await fileWithin(directory, path);
  if (found.size !== file.bytes) {
    throw new UserError(`${path}: ${found.size} bytes instead of ${file.bytes}; install the model again`);
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 21 }), hash);
  if (hash.digest('hex') !== file.sha256) {
    throw new UserError(`${path}: SHA-256 differs from the manifest's: the file is damaged; install the model again`);
  }
  return path;
}

/**
 * A file of a bundle: there, a file, and not by a link somewhere else.
 * @throws UserError otherwise
 */
export async function fileWithin(directory: string, path: string): Promise<{ size: number }> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new UserError(`${path}: file is missing; install the model again`);
  const [real, folder] = await Promise.all([realpath(path), realpath(directory)]);
  if (!real.startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
    throw new UserError(`${path}: it is a link that leads out of the model's folder; put the file itself there`);
  }
  return found;
}
