import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from './errors';
import type { BundleFile } from './manifest';

/**
 * Makes sure that a bundle's file is the one its manifest describes, before anything reads it.
 * @returns the file's absolute path
 * @throws UserError if it is missing, has another size or another SHA-256
 */
export async function verifiedPath(directory: string, file: BundleFile): Promise<string> {
  const path = join(directory, file.path);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new UserError(`${path}: file is missing; install the model again`);
  if (found.size !== file.bytes) {
    throw new UserError(`${path}: ${found.size} bytes instead of ${file.bytes}; install the model again`);
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  if (hash.digest('hex') !== file.sha256) {
    throw new UserError(`${path}: SHA-256 differs from the manifest's: the file is damaged; install the model again`);
  }
  return path;
}
