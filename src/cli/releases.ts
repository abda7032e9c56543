import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { UserError } from '../model/errors';
import { normaliseNewlines } from '../model/lines';
import { compare } from './replay';

/** One release of a package: where its sources lie, and their paths with forward slashes, sorted. */
export interface Release {
  readonly version: string;
  readonly folder: string;
  readonly paths: readonly string[];
}

export interface ReleasedPackage {
  readonly name: string;
  /** Oldest first, two or more. */
  readonly releases: readonly Release[];
}

/** Larger files are generated ones. */
const MOST_BYTES = 1_000_000;

/**
 * Lists DIR/PACKAGE/VERSION/…; folders that are no versions and packages with a single release are left out.
 * @throws UserError in one line if there is nothing to replay
 */
export async function listPackages(directory: string): Promise<ReleasedPackage[]> {
  const folder = await stat(directory).catch(() => undefined);
  if (!folder?.isDirectory()) {
    throw new UserError(
      `${directory}: no such folder; give one that holds PACKAGE/VERSION/…, as \`corpus releases\` makes`,
    );
  }
  const packages: ReleasedPackage[] = [];
  for (const name of await foldersIn(directory)) {
    const versions = (await foldersIn(join(directory, name))).filter(isVersion).sort(compareVersions);
    if (versions.length < 2) continue;
    const releases = [];
    for (const version of versions) {
      const place = join(directory, name, version);
      releases.push({ version, folder: place, paths: await filesIn(place) });
    }
    packages.push({ name, releases });
  }
  if (packages.length === 0) {
    throw new UserError(
      `${directory}: no package with two releases; it must hold PACKAGE/VERSION/…, two versions or more`,
    );
  }
  return packages;
}

/** A source text with "\n" newlines; undefined if it is not there, too large, or no text. */
export async function readSource(release: Release, path: string): Promise<string | undefined> {
  const file = join(release.folder, path);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile() || found.size > MOST_BYTES) return undefined;
  const text = await readFile(file, 'utf8');
  return text.includes('\0') ? undefined : normaliseNewlines(text);
}

/** Runs of successive releases that hold a path, at least two each. */
export function runsOf(releases: readonly Release[], path: string): Release[][] {
  const runs: Release[][] = [];
  let run: Release[] = [];
  for (const release of releases) {
    if (release.paths.includes(path)) run.push(release);
    else {
      runs.push(run);
      run = [];
    }
  }
  return [...runs, run].filter(({ length }) => length >= 2);
}

/** The files next to a path: those of its own folder first, the nearest by name first. */
export function siblingsOf(paths: readonly string[], path: string, count: number): string[] {
  const at = paths.indexOf(path);
  const ranked = paths.map((other, index) => ({
    other,
    elsewhere: Number(folderOf(other) !== folderOf(path)),
    distance: Math.abs(index - at),
  }));
  return ranked
    .filter(({ distance }) => distance > 0)
    .sort((a, b) => a.elsewhere - b.elsewhere || a.distance - b.distance || compare(a.other, b.other))
    .slice(0, count)
    .map(({ other }) => other);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

export function isVersion(name: string): boolean {
  return /^\d+\.\d+\.\d+([-+].+)?$/.test(name);
}

/** Order of semantic versions; a pre-release comes before its release. */
export function compareVersions(a: string, b: string): number {
  const [coreA = '', preA] = a.split(/[-+](.*)/s);
  const [coreB = '', preB] = b.split(/[-+](.*)/s);
  if (coreA !== coreB) return compareDotted(coreA, coreB);
  if (preA === undefined || preB === undefined) return Number(preA === undefined) - Number(preB === undefined);
  return compareDotted(preA, preB);
}

/** Numbers by value, words by letters, the longer one last. */
function compareDotted(a: string, b: string): number {
  const [partsA, partsB] = [a.split('.'), b.split('.')];
  for (const [i, part] of partsA.entries()) {
    const other = partsB[i];
    if (other === undefined) break;
    const numbers = /^\d+$/.test(part) && /^\d+$/.test(other);
    const order = numbers ? Number(part) - Number(other) : compare(part, other);
    if (order !== 0) return order;
  }
  return partsA.length - partsB.length;
}

async function foldersIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort(compare);
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort(compare);
}
