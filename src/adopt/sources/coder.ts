import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../../model/errors';
import { adopt, type AdoptOptions } from '../adopt';
import type { Origin } from '../card';
import { readDescription, type ModelDescription } from './description';
import { cacheFolder } from './folders';
import { obtain, type ObtainOptions } from './obtain';
import { shipped } from '../shipped';
import { ADOPTION_VERSION, bundleIn, isObtained } from './place';

export interface CoderOptions extends Pick<
  ObtainOptions,
  'fetchers' | 'places' | 'elsewhere' | 'signal' | 'onProgress'
> {
  /** Where weights and bundle are kept (default: the cache for all checkouts). */
  readonly cache?: string;
  /** `models/coder.json` (default: that of this program). */
  readonly description?: string;
}

/** `models/coder.json` in the nearest folder above that has one. */
export function coderDescription(): string {
  return shipped('coder.json');
}

/**
 * Gets the code model from the first source that has it, and adopts it, unless that was done before.
 * @returns the folder of its bundle
 * @throws UserError with the reason in one line why it cannot be had; AbortError if it was cancelled
 */
export async function obtainCoder(options: CoderOptions): Promise<string> {
  const path = options.description ?? coderDescription();
  const description = readDescription(path);
  const origin = await originOf(description, path);
  return obtain({
    ...options,
    description,
    cache: options.cache ?? cacheFolder(),
    adoptionVersion: ADOPTION_VERSION,
    adopt: async (source, directory, how) => {
      await adopt(source, directory, {
        ...how,
        origin,
        importance: importanceBeside(path),
        fitted: description.fitted,
      });
    },
  });
}

/** The folder of the code model's bundle in a cache. @throws UserError if it is not there yet */
export function obtainedCoder(cache = cacheFolder(), path = coderDescription()): string {
  const description = readDescription(path);
  if (isObtained(cache, description)) return bundleIn(cache, description);
  throw new UserError('coder: the code model is not here yet; get it with `thoughtline adopt coder`');
}

/**
 * What another file is adopted with: how the code model mixes in its lookup memory, which hardly depends on the decoder, and
 * importances, which are used if it is the same model in another format.
 */
export function sharedWithOthers(path = coderDescription()): Pick<AdoptOptions, 'importance' | 'fitted'> {
  const { memory } = readDescription(path).fitted ?? {};
  return { importance: importanceBeside(path), ...(memory && { fitted: { memory } }) };
}

/** What was measured of the code model's inputs; adoption uses it for the model that it was measured on. */
function importanceBeside(description: string): string {
  return join(dirname(description), 'coder-channel-importance.bin');
}

/** Whose the weights are, as the card and the licence of the bundle say it. */
export async function originOf(
  { title, base, licence, page, measured }: ModelDescription,
  path: string,
): Promise<Origin> {
  const read = async (name: string, what: string) => {
    const file = join(dirname(path), name);
    return readFile(file, 'utf8').catch(() => {
      throw new UserError(`${file}: ${what} is missing; install Thoughtline again`);
    });
  };
  return {
    ...{ title, base, licence: licence.spdx, copyright: licence.copyright, page, notice: licence.notice },
    text: await read(licence.text, 'the licence’s text'),
    measured: measured === undefined ? undefined : (await read(measured, 'what was measured')).trimEnd(),
  };
}
