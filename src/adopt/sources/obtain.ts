import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UserError } from '../../model/errors';
import type { ModelDescription, ModelSource } from './description';
import { findFile } from './find';
import { modelFolders } from './folders';
import { takeLock } from './lock';
import type { OnProgress } from './pace';
import { bundleIn, bundlePrefix, isObtained, megabytes } from './place';

/** Makes a bundle of a GGUF file: whole, or not at all. */
export type Adopt = (
  source: string,
  directory: string,
  options: { signal?: AbortSignal; onProgress?: OnProgress; name?: string },
) => Promise<void>;

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** How a kind of source is fetched into a place. What a program is not given it cannot use. */
export type Fetchers = {
  readonly [K in Exclude<ModelSource['kind'], 'disk'>]?: (
    source: Extract<ModelSource, { kind: K }>,
    path: string,
    wanted: ModelDescription,
    options: FetchOptions,
  ) => Promise<void>;
};

export interface ObtainOptions {
  readonly description: ModelDescription;
  /** Where weights and bundles are kept. */
  readonly cache: string;
  readonly fetchers: Fetchers;
  readonly adopt: Adopt;
  /** Changes when bundles do: those of other versions are made again. */
  readonly adoptionVersion: number;
  /** Files and folders to look for the weights in, before those of other programs. */
  readonly places?: readonly string[];
  /** Folders of other programs. */
  readonly elsewhere?: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Getting the weights is this share of the work, adopting them the rest, where neither is known before. */
const FETCHING = 0.6;

/**
 * Gets a model's weights from the first source that has them, and adopts them, unless that was done before. Processes that
 * want the same one wait for each other.
 * @returns the folder of its bundle
 * @throws UserError with the reason in one line; AbortError if it was cancelled: what has come of the weights is kept
 */
export async function obtain(options: ObtainOptions): Promise<string> {
  const { description, cache, adoptionVersion, signal, onProgress } = options;
  const bundle = bundleIn(cache, description, adoptionVersion);
  const there = () => isObtained(cache, description, adoptionVersion);
  if (there()) return bundle;
  for (const folder of ['bundles', 'weights']) await makeFolder(join(cache, folder));
  const onWait = () => onProgress?.(0, `waiting for another process that gets ${description.name}`);
  const release = await takeLock(`${bundle}.lock`, { signal, onWait });
  try {
    if (there()) return bundle;
    const weights = await findOrFetch(options);
    await options.adopt(weights, bundle, {
      name: description.name,
      ...(signal && { signal }),
      onProgress: (share, what) => onProgress?.(FETCHING + (1 - FETCHING) * share, what),
    });
    return bundle;
  } finally {
    await release();
  }
}

/** Takes a model away again: its bundles of all versions, and the weights that were fetched for it. */
export async function remove(cache: string, model: ModelDescription): Promise<void> {
  const starts = { bundles: bundlePrefix(model), weights: model.file };
  for (const [folder, start] of Object.entries(starts)) {
    const names = await readdir(join(cache, folder)).catch(() => []);
    for (const one of names.filter((found) => found.startsWith(start))) {
      await rm(join(cache, folder, one), { recursive: true, force: true });
    }
  }
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: Error) => {
    throw new UserError(`${folder}: cannot be made (${messageOf(error)}); name another folder in THOUGHTLINE_CACHE`);
  });
}

/** The weights: of this cache, of a place that the user names, of the first source that has them. */
async function findOrFetch(options: ObtainOptions): Promise<string> {
  const { description, cache, fetchers, signal, onProgress } = options;
  const path = join(cache, 'weights', description.file);
  const find = (places: readonly string[]) =>
    findFile(places, description, { signal, onCandidate: (found) => onProgress?.(0, `checking ${found}`) });
  const own = await find([path, ...(options.places ?? [])]);
  if (own !== undefined) return own;
  const reasons: string[] = [];
  const fetching: FetchOptions = { signal, onProgress: (share, what) => onProgress?.(FETCHING * share, what) };
  for (const source of description.sources) {
    try {
      if (source.kind === 'disk') {
        const found = await find(options.elsewhere ?? modelFolders());
        if (found !== undefined) return found;
      } else {
        // The kind decides which of the two is meant, which the compiler cannot see.
        const fetcher = fetchers[source.kind] as ((...words: unknown[]) => Promise<void>) | undefined;
        if (fetcher === undefined) continue;
        await fetcher(source, path, description, fetching);
        return path;
      }
    } catch (error) {
      signal?.throwIfAborted();
      reasons.push(messageOf(error));
    }
  }
  const { name, file, bytes } = description;
  const tried = reasons.length === 0 ? 'no source of it may be used here' : reasons.join('; ');
  throw new UserError(
    `${name} (${megabytes(bytes)}) cannot be had: ${tried}. Any other way to get ${file} will do: thoughtline adopt FILE`,
  );
}
