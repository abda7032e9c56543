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
  if (!existsSync(folder)) throw new UserError(`${folder}: no such folder; give one with git directories in it`);
  return readdirSync(folder)
    .sort(compare)
    .flatMap((name) => {
      const directory = join(folder, name, 'repo');
      return existsSync(join(directory, 'HEAD')) ? commitsOf(directory, name.split('+')[0] ?? name, count) : [];
    });
}

/** Commits of several sets, the repositories taking turns: wherever one stops, of each set as large a share has been seen. */
export function inTurn(sets: readonly (readonly Commit[])[]): { set: number; commit: Commit }[] {
  const placed = sets.flatMap((commits, set) => {
    const seen = new Map<string, number>();
    const ranked = commits.map((commit) => {
      const rank = seen.get(commit.owner) ?? 0;
      seen.set(commit.owner, rank + 1);
      return { commit, rank };
    });
    ranked.sort((a, b) => a.rank - b.rank);
    return ranked.map(({ commit }, i) => ({ set, commit, share: i / ranked.length }));
  });
  return placed.sort((a, b) => a.share - b.share).map(({ set, commit }) => ({ set, commit }));
}

function commitsOf(directory: string, owner: string, count: number): Commit[] {
  const words = ['log', '--no-merges', '--no-renames', '--diff-filter=M', '--raw', '--abbrev=40', '--format=%x00%H'];
  const log = git(directory, [...words, '-n', String(8 * count)]).toString('utf8');
  const listed = log.split('\0').flatMap((entry) => {
    const [hash = '', ...lines] = entry.trim().split('\n');
    const files = lines.flatMap(changedFile);
    return files.length > 0 && files.length <= MAX_FILES ? [{ hash, files }] : [];
  });
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
