import { execFileSync } from 'node:child_process';
import { readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../src/model/errors';
import { normaliseNewlines } from '../../src/text';
import { languageIdOfPath, languageOf } from '../../src/languages';
import { compare } from '../siblings';

/** A file before and after a commit. */
export interface ChangedFile {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** What one commit changed in source files. */
export interface Commit {
  readonly owner: string;
  readonly hash: string;
  readonly files: readonly ChangedFile[];
}

/** Languages of texts and pages, in which nobody renames. */
const NO_PROGRAMS = new Set(['markdown', 'html', 'xml', 'latex', 'json']);

/** A commit of more files is a move, a formatter, or a new version of everything. */
const MAX_FILES = 12;
const MAX_CHARACTERS = 100_000;

/**
 * Commits of the git directories in a folder.
 * @param folder holds `OWNER+NAME/repo`, bare git directories
 * @param count commits of each, the newest first, that changed source files, but few
 */
export function readHistories(folder: string, count: number): Commit[] {
  return repositoriesIn(folder).flatMap(({ directory, owner }) => commitsOf(directory, owner, count));
}

/** One file as it became what it is. */
export interface FileHistory {
  readonly owner: string;
  readonly path: string;
  /** Each version was made of the one before by one commit. */
  readonly versions: readonly string[];
}

/** Commits that are looked through for the file that was changed most often. */
const LOOKED_THROUGH = 3_000;

/** A smaller file fits a window; UTF-16 units. */
const LEAST_CHARACTERS = 8_000;

/**
 * Of each git directory in a folder, as `readHistories` has them, the source file that most commits changed.
 * @param count versions at most, the newest
 */
export function readFileHistories(folder: string, count: number): FileHistory[] {
  return repositoriesIn(folder).flatMap(({ directory, owner }) => {
    const changes = new Map<string, { from: string; to: string }[]>();
    for (const { path, ...blobs } of changesOf(directory, LOOKED_THROUGH).flatMap(({ files }) => files)) {
      const known = changes.get(path) ?? [];
      // Where the file was changed in between, by a merge or a move, its way ends.
      if (known.length === 0 || known.at(-1)?.from === blobs.to) changes.set(path, [...known, blobs]);
    }
    for (const [path, known] of [...changes].sort(([, a], [, b]) => b.length - a.length).slice(0, 10)) {
      const names = [...known.slice(0, count - 1).map(({ to }) => to), known.slice(0, count - 1).at(-1)!.from];
      const texts = readBlobs(directory, names);
      const versions = names.flatMap((name) => texts.get(name) ?? []).reverse();
      const fits = versions.length === names.length && versions.every(({ length }) => length >= LEAST_CHARACTERS);
      if (fits) return [{ owner, path, versions }];
    }
    return [];
  });
}

function repositoriesIn(folder: string): { directory: string; owner: string }[] {
  if (!existsSync(folder)) throw new UserError(`${folder}: no such folder; give one with git directories in it`);
  return readdirSync(folder)
    .sort(compare)
    .map((name) => ({ directory: join(folder, name, 'repo'), owner: name.split('+')[0] ?? name }))
    .filter(({ directory }) => existsSync(join(directory, 'HEAD')));
}

/** What the newest commits changed in source files that were there before. */
function changesOf(directory: string, commits: number) {
  const words = ['log', '--no-merges', '--no-renames', '--diff-filter=M', '--raw', '--abbrev=40', '--format=%x00%H'];
  const log = git(directory, [...words, '-n', String(commits)]).toString('utf8');
  return log.split('\0').map((entry) => {
    const [hash = '', ...lines] = entry.trim().split('\n');
    return { hash, files: lines.flatMap(changedFile) };
  });
}

function commitsOf(directory: string, owner: string, count: number): Commit[] {
  const changes = changesOf(directory, 8 * count);
  const listed = changes.filter(({ files }) => files.length > 0 && files.length <= MAX_FILES);
  const chosen = listed.slice(0, count);
  const blobs = readBlobs(
    directory,
    chosen.flatMap(({ files }) => files.flatMap(({ from, to }) => [from, to])),
  );
  return chosen.flatMap(({ hash, files }) => {
    const read = files.flatMap(({ path, from, to }) => {
      const [before, after] = [blobs.get(from), blobs.get(to)];
      return before !== undefined && after !== undefined ? [{ path, before, after }] : [];
    });
    return read.length > 0 ? [{ owner, hash, files: read }] : [];
  });
}

/** A line of `git log --raw`: `:mode mode blob blob M<tab>path`. */
function changedFile(line: string): { path: string; from: string; to: string }[] {
  const [, from, to, path] = /^:\d+ 100\d+ ([0-9a-f]{40}) ([0-9a-f]{40}) M\t(.+)$/.exec(line) ?? [];
  if (from === undefined || to === undefined || path === undefined) return [];
  const id = languageIdOfPath(path);
  const isProgram = id !== undefined && !NO_PROGRAMS.has(id) && languageOf(id)?.data !== true;
  return isProgram && !/(^|\/)(dist|build|vendor|node_modules|third_party)\/|\.min\./.test(path)
    ? [{ path, from, to }]
    : [];
}

/** Texts of blobs; binary and large ones are left out. */
function readBlobs(directory: string, names: readonly string[]): Map<string, string> {
  const wanted = [...new Set(names)];
  const out = wanted.length === 0 ? Buffer.alloc(0) : git(directory, ['cat-file', '--batch'], `${wanted.join('\n')}\n`);
  const texts = new Map<string, string>();
  for (let at = 0; at < out.length;) {
    const end = out.indexOf(10, at);
    const [name = '', type, size] = out.toString('utf8', at, end).split(' ');
    at = end + 1;
    if (type !== 'blob') continue;
    const text = out.toString('utf8', at, at + Number(size));
    at += Number(size) + 1;
    if (text.length <= MAX_CHARACTERS && !text.includes('\0')) texts.set(name, normaliseNewlines(text));
  }
  return texts;
}

function git(directory: string, words: readonly string[], input?: string): Buffer {
  return execFileSync('git', ['--git-dir', directory, ...words], {
    maxBuffer: 1 << 30,
    ...(input !== undefined && { input }),
  });
}
