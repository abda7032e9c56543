import { lstat, readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { normaliseNewlines } from '../text';
import {
  isExcluded,
  isIgnored,
  isSourceName,
  MAX_BYTES,
  mayHoldSources,
  patternsOf,
  strangeness,
  type Excluded,
  type Patterns,
} from './rules';
import { forOthers } from './secrets';

/** A folder of the workspace. */
export interface Folder {
  /** Where it is on disk. */
  readonly directory: string;
  /** What the paths of its files begin with, for those who ask for them; without a slash at its end. */
  readonly name: string;
  readonly excluded: Excluded;
}

/** A source file. It may have changed, or be gone, when it is read. */
export interface SourceFile {
  readonly file: string;
  /** The folder's name, a slash, the path within the folder. */
  readonly path: string;
  readonly mtimeMs: number;
  /** In bytes. */
  readonly size: number;
}

export interface WalkLimits {
  /** Source files found at most. */
  readonly files: number;
  readonly milliseconds: number;
}

export interface WalkOptions {
  /** Endings of source files. */
  readonly endings: ReadonlySet<string>;
  readonly limits: WalkLimits;
  readonly signal?: { readonly aborted: boolean } | undefined;
  readonly now?: () => number;
}

export interface Walked {
  readonly found: SourceFile[];
  /** Why there may be more. */
  readonly stopped?: string;
  /** Folders that cannot be listed. */
  readonly unreadable: string[];
}

/** A folder on the way down, and what ignores its entries. */
interface Level {
  readonly folder: Folder;
  readonly directory: string;
  /** From the workspace folder, with slashes and one at its end; empty for itself. */
  readonly inside: string;
  /** From the root of the repository, in the same way. */
  readonly inRepository: string;
  readonly patterns: readonly Patterns[];
}

/** Files whose state is asked for at a time. */
const AT_ONCE = 64;

/**
 * The source files of folders: what lies near the top first, so that a limit cuts off what lies deep. Symbolic links are
 * not followed, so nothing is found twice or without end. Only what is asked of the disk is waited for.
 */
export async function findSources(folders: readonly Folder[], options: WalkOptions): Promise<Walked> {
  const { limits, signal, now = () => performance.now() } = options;
  const deadline = now() + limits.milliseconds;
  const found: SourceFile[] = [];
  const unreadable: string[] = [];
  const levels: Level[] = [];
  for (const folder of folders) levels.push(await top(folder));
  const upTo = (stopped?: string): Walked => ({
    found: found.slice(0, limits.files),
    ...(stopped !== undefined && { stopped }),
    unreadable,
  });
  // The list grows while it is gone through.
  for (const level of levels) {
    if (signal?.aborted) return upTo();
    if (now() > deadline) return upTo(`more than ${limits.milliseconds / 1000} s of search`);
    const entries = await readdir(level.directory, { withFileTypes: true }).catch(() => undefined);
    if (!entries) {
      unreadable.push(level.directory);
      continue;
    }
    const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    found.push(...(await sourcesIn(level, files, files, options)));
    if (found.length > limits.files) return upTo(`more than ${limits.files} files`);
    for (const entry of entries) {
      const next = entry.isDirectory() ? await enter(level, entry.name) : undefined;
      if (next) levels.push(next);
    }
  }
  return upTo();
}

/**
 * Those of some files, by their paths, that a walk would find. What cannot be a source by its name costs nothing, and what
 * several have in common is asked of the disk once.
 */
export async function findAt(
  folders: readonly Folder[],
  paths: readonly string[],
  options: Pick<WalkOptions, 'endings'>,
): Promise<Map<string, SourceFile>> {
  const levels = new Map<string, Promise<Level | undefined>>();
  const levelOf = (folder: Folder, parts: readonly string[]): Promise<Level | undefined> => {
    const key = [folder.name, ...parts].join('/');
    const level = levels.get(key) ?? (parts.length === 0 ? top(folder) : below(parts.at(-1)!, levelOf(folder, parts.slice(0, -1)))); // prettier-ignore
    levels.set(key, level);
    return level;
  };
  const inFolder = new Map<string, { folder: Folder; parts: string[]; names: string[] }>();
  for (const path of paths) {
    const folder = folders.find(({ name }) => path.startsWith(`${name}/`));
    const parts = folder ? path.slice(folder.name.length + 1).split('/') : [];
    const name = parts.pop();
    if (!folder || name === undefined || !mayBeSource(parts, name, options.endings)) continue;
    const key = [folder.name, ...parts].join('/');
    const group = inFolder.get(key) ?? { folder, parts, names: [] };
    group.names.push(name);
    inFolder.set(key, group);
  }
  const found = new Map<string, SourceFile>();
  for (const { folder, parts, names } of inFolder.values()) {
    const level = await levelOf(folder, parts);
    if (!level) continue;
    // Only rules about siblings need to know these.
    const siblings = folder.excluded.withSibling.length > 0 ? await readdir(level.directory).catch(() => []) : [];
    for (const source of await sourcesIn(level, names, siblings, options)) found.set(source.path, source);
  }
  return found;
}

/** Whether a file may be a source, by its name and those of the folders it lies in. */
function mayBeSource(folders: readonly string[], name: string, endings: ReadonlySet<string>): boolean {
  return isSourceName(name, endings) && folders.every(mayHoldSources);
}

/** A folder within another one, if it is one that a walk would enter. */
async function below(name: string, above: Promise<Level | undefined>): Promise<Level | undefined> {
  const level = await above;
  if (!level) return undefined;
  const state = await lstat(join(level.directory, name)).catch(() => undefined);
  return state?.isDirectory() ? enter(level, name) : undefined;
}

/** A source file's text without what only the file itself may know, its lines ending in "\n"; or why it is none. */
export async function readSource({ file }: Pick<SourceFile, 'file'>): Promise<{ text: string } | { reason: string }> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
  if (typeof bytes === 'string') return { reason: bytes };
  // It may have grown since it was found.
  if (bytes.byteLength > MAX_BYTES) return { reason: 'too large' };
  const text = normaliseNewlines(bytes.toString('utf8').replace(/^\uFEFF/, ''));
  const reason = strangeness(text);
  return reason === undefined ? { text: forOthers(text).text } : { reason };
}

async function sourcesIn(
  level: Level,
  names: readonly string[],
  siblings: readonly string[],
  { endings }: Pick<WalkOptions, 'endings'>,
): Promise<SourceFile[]> {
  const { folder, directory, inside, inRepository, patterns } = level;
  const siblingNames = new Set(siblings);
  const wanted = names.filter(
    (name) =>
      isSourceName(name, endings) &&
      !isIgnored(inRepository + name, patterns) &&
      !isExcluded(inside + name, folder.excluded, siblingNames),
  );
  const found: SourceFile[] = [];
  for (let from = 0; from < wanted.length; from += AT_ONCE) {
    const states = wanted.slice(from, from + AT_ONCE).map(async (name) => {
      const file = join(directory, name);
      const state = await lstat(file).catch(() => undefined);
      if (!state?.isFile() || state.size > MAX_BYTES) return [];
      return [{ file, path: `${folder.name}/${inside}${name}`, mtimeMs: state.mtimeMs, size: state.size }];
    });
    found.push(...(await Promise.all(states)).flat());
  }
  return found;
}

/**
 * A workspace folder with what ignores its entries: its own `.gitignore`, and what stands above it in its repository,
 * unless that ignores the folder itself: who opens it wants it.
 */
async function top(folder: Folder): Promise<Level> {
  const { directory } = folder;
  const above = await repositoryAbove(directory);
  const root = above[0] ?? directory;
  const inRepository = withSlash(relative(root, directory));
  const excludes = await readFile(join(root, '.git', 'info', 'exclude'), 'utf8').catch(() => '');
  let patterns: Patterns[] = excludes === '' ? [] : [patternsOf('', excludes)];
  for (const each of above) patterns.push(...(await gitignore(each, withSlash(relative(root, each)))));
  if (inRepository !== '' && isIgnored(inRepository, patterns)) patterns = [];
  patterns.push(...(await gitignore(directory, inRepository)));
  return { folder, directory, inside: '', inRepository, patterns };
}

async function enter(level: Level, name: string): Promise<Level | undefined> {
  const inside = `${level.inside}${name}/`;
  const inRepository = `${level.inRepository}${name}/`;
  if (!mayHoldSources(name) || isIgnored(inRepository, level.patterns)) return undefined;
  if (isExcluded(inside, level.folder.excluded, new Set())) return undefined;
  const directory = join(level.directory, name);
  const patterns = [...level.patterns, ...(await gitignore(directory, inRepository))];
  return { folder: level.folder, directory, inside, inRepository, patterns };
}

async function gitignore(directory: string, base: string): Promise<Patterns[]> {
  const text = await readFile(join(directory, '.gitignore'), 'utf8').catch(() => undefined);
  return text === undefined ? [] : [patternsOf(base, text)];
}

/** The folders above one in its Git repository, the root first; none if it is the root itself or in no repository. */
async function repositoryAbove(directory: string): Promise<string[]> {
  const above: string[] = [];
  for (let at = directory; ; at = dirname(at)) {
    if (at !== directory) above.unshift(at);
    // A file in a work tree, a folder elsewhere.
    if (await lstat(join(at, '.git')).catch(() => undefined)) return above;
    if (dirname(at) === at) return [];
  }
}

function withSlash(path: string): string {
  return path === '' ? '' : `${path.split(sep).join('/')}/`;
}
