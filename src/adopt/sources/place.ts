/** Where a model that was got lies. Knows nothing else, so that the extension can know it before it loads anything. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Changes when the same file becomes another bundle. */
export const ADOPTION_VERSION = 9;

/** What a bundle is known by. */
export interface Named {
  readonly name: string;
  /** Of the file that it was made of. */
  readonly sha256: string;
}

/** Begins the names of a model's bundles, of whatever version. */
export function bundlePrefix({ name, sha256 }: Named): string {
  return `${name}-${sha256.slice(0, 12)}-`;
}

/** The folder in which a model's bundle lies, or will. */
export function bundleIn(cache: string, model: Named, adoptionVersion = ADOPTION_VERSION): string {
  return join(cache, 'bundles', `${bundlePrefix(model)}${adoptionVersion}`);
}

/** Whether a model is there. */
export function isObtained(cache: string, model: Named, adoptionVersion = ADOPTION_VERSION): boolean {
  return existsSync(join(bundleIn(cache, model, adoptionVersion), 'manifest.json'));
}

/** Megabytes for people. */
export function megabytes(count: number): string {
  return `${Math.round(count / 1e6)} MB`;
}
