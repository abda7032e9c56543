import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../src/model/manifest';

/** Puts what was fitted to a model into its manifest, and leaves the rest as it is. */
export async function writeIntoManifest(
  directory: string,
  fitted: Partial<Pick<Manifest, 'memory' | 'states' | 'energy'>>,
): Promise<void> {
  const path = join(directory, 'manifest.json');
  const { training, files, ...manifest } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFile(path, `${JSON.stringify({ ...manifest, ...fitted, training, files }, null, 1)}\n`);
}
