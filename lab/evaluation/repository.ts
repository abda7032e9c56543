import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join, relative, resolve, sep } from 'node:path';
import type { SourceText } from '../../src/completion/engine';
import { UserError } from '../../src/model/errors';
import { normaliseNewlines } from '../../src/text';
import { endingsOf } from '../../src/languages';
import { UsageError } from '../../src/cli/command';
import { compare } from '../siblings';

/** A folder of source code. */
export interface Repository {
  readonly name: string;
  /** Sorted by path; paths are relative to the folder, with forward slashes. */
  readonly files: readonly SourceText[];
}

/** Languages of texts, pages and styles, not of programs. */
const NO_PROGRAMS = new Set(['css', 'graphql', 'html', 'less', 'markdown', 'proto3', 'scss', 'sql']);

const ENDINGS = new Set(endingsOf((language) => !NO_PROGRAMS.has(language)).map((ending) => `.${ending}`));

/** Folders that hold what others wrote, or what a program wrote. */
const FOREIGN = /^(node_modules|bower_components|vendor|third_party|dist|build|out|coverage|\..+)$/;

/** Bytes of a file: smaller ones have nothing outside a window, larger ones are generated. */
const MIN_BYTES = 400;
const MAX_BYTES = 200_000;

/**
 * The hand-written source files below a folder.
 * @throws UserError if there is no such folder, or no source file in it
 */
export async function readRepository(folder: string): Promise<Repository> {
  const repository = await sourcesBelow(folder);
  if (repository.files.length > 0) return repository;
  throw new UserError(`${folder}: no source file of ${MIN_BYTES} to ${MAX_BYTES} bytes (${[...ENDINGS].join(' ')})`);
}

async function sourcesBelow(folder: string): Promise<Repository> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new UserError(`${folder}: no such folder; give a folder of source code`);
  const files: SourceText[] = [];
  for (const path of await sourcesIn(folder)) {
    const text = normaliseNewlines(await readFile(path, 'utf8'));
    if (isHandWritten(text)) files.push({ path: relative(folder, path).split(sep).join('/'), text });
  }
  return { name: basename(resolve(folder)), files: files.sort((a, b) => compare(a.path, b.path)) };
}

/**
 * Several of them.
 * @param each a folder of which every folder that holds sources is one, too
 * @throws UserError if one cannot be read, UsageError if two have one name
 */
export async function readRepositories(folders: readonly string[], each?: string): Promise<Repository[]> {
  const repositories: Repository[] = [];
  for (const folder of folders) repositories.push(await readRepository(folder));
  for (const folder of each === undefined ? [] : await foldersOf(each)) {
    const repository = await sourcesBelow(folder);
    if (repository.files.length > 0) repositories.push(repository);
  }
  if (repositories.length === 0) throw new UserError(`${each}: no folder in it holds source code; give another`);
  const names = new Set(repositories.map(({ name }) => name));
  if (names.size < repositories.length) throw new UsageError('two of the folders have the same name; rename one');
  return repositories;
}

/** The folders in a folder, hidden ones left out. */
async function foldersOf(directory: string): Promise<string[]> {
  const found = await stat(directory).catch(() => undefined);
  if (!found?.isDirectory()) throw new UserError(`${directory}: no such folder; give one that holds repositories`);
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => join(directory, entry.name))
    .sort(compare);
}

async function sourcesIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  // Symbolic links are not followed: what they point to is read where it lies, if it lies here.
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !FOREIGN.test(entry.name)) paths.push(...(await sourcesIn(path)));
    if (!entry.isFile() || !ENDINGS.has(extname(entry.name)) || /\.(d\.[mc]?ts|min\.js)$/.test(entry.name)) continue;
    const { size } = await stat(path);
    if (size >= MIN_BYTES && size <= MAX_BYTES) paths.push(path);
  }
  return paths;
}

/** Whether a text looks like code that somebody typed: no NUL, no long lines. */
export function isHandWritten(text: string): boolean {
  const lines = text.split('\n');
  return !text.includes('\0') && text.length / lines.length <= 100 && lines.every((line) => line.length <= 1000);
}
