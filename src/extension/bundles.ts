/** What there is to choose from: bundles on this machine, as their folders say it. Knows nothing of VS Code. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { megabytes } from '../adopt/sources/place';
import { isRecord, parseJson } from '../json';
import { t } from './l10n';

export interface BundleFacts {
  readonly folder: string;
  /** As the manifest has it. */
  readonly name: string;
  readonly version: string;
  readonly bytes: number;
  /** As its card has it, where that says one. */
  readonly licence?: string;
  /** What a suggestion takes on this machine, where that was measured. */
  readonly milliseconds?: number;
}

/** Begins the names of folders of bundles that the user made of files of theirs. */
export const OWN = 'own-';

/** What a bundle's folder says; undefined where it is none. @param models folder in which speeds are kept */
export function bundleFacts(folder: string, models: string): BundleFacts | undefined {
  const manifest = readJson(join(folder, 'manifest.json'));
  const { name, version } = manifest ?? {};
  if (typeof name !== 'string' || typeof version !== 'string') return undefined;
  const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  const licence = licenceOf(folder);
  const milliseconds = speedOf(basename(folder), readJson(join(models, 'speeds.json')) ?? {});
  return {
    folder,
    name,
    version,
    bytes,
    ...(licence !== undefined && { licence }),
    ...(milliseconds !== undefined && { milliseconds }),
  };
}

/** Folders of the bundles that the user made. */
export function ownBundles(models: string): string[] {
  const folder = join(models, 'bundles');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(OWN) && existsSync(join(folder, name, 'manifest.json')))
    .map((name) => join(folder, name));
}

/** Size, licence and expected time, for people. */
export function describeBundle({
  bytes,
  licence,
  milliseconds,
}: Omit<BundleFacts, 'folder' | 'name' | 'version'>): string {
  return [
    megabytes(bytes),
    ...(licence === undefined ? [] : [t('licence {0}', licence)]),
    milliseconds === undefined ? t('not measured here yet') : t('{0} ms for a suggestion here', milliseconds),
  ].join(', ');
}

/** What was measured last of a bundle: `server/models.ts` writes it. */
function speedOf(bundle: string, speeds: Readonly<Record<string, unknown>>): number | undefined {
  const last = Object.entries(speeds).findLast(([key]) => key.startsWith(`${bundle}, `))?.[1];
  return typeof last === 'number' ? last : undefined;
}

/** `license` of the front matter of a card. */
function licenceOf(folder: string): string | undefined {
  const path = join(folder, 'README.md');
  if (!existsSync(path)) return undefined;
  const [, matter = ''] = /^---\n([^]*?)\n---/.exec(readFileSync(path, 'utf8')) ?? [];
  return /^license:\s*"?([\w.+-]+)"?\s*$/m.exec(matter)?.[1];
}

function readJson(path: string): Record<string, unknown> | undefined {
  try {
    const read = parseJson(readFileSync(path, 'utf8'));
    return isRecord(read) ? read : undefined;
  } catch {
    return undefined;
  }
}
