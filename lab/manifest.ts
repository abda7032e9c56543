import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { storedWeights, type STORED_PARTS } from '../src/model/manifest';

/** Puts what was fitted to a model into its manifest, and leaves the rest as it is. */
export async function writeIntoManifest(
  directory: string,
  fitted: { readonly [Part in (typeof STORED_PARTS)[number]]?: unknown },
): Promise<void> {
  const path = join(directory, 'manifest.json');
  const stored = Object.fromEntries(Object.entries(fitted).map(([part, weights]) => [part, storedWeights(weights)]));
  const { training, files, ...manifest } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFile(path, `${JSON.stringify({ ...manifest, ...stored, training, files }, null, 1)}\n`);
}
