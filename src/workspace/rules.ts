import ignore, { type Ignore } from 'ignore';
import * as z from 'zod';
import { isSecretFile, isSecretFolder } from './secrets';

/** A larger file is data, or made by a program, in bytes. */
export const MAX_BYTES = 512 << 10;

/** A line longer than this is made by a program, in UTF-16 units. */
const MAX_LINE = 5_000;

/** Folders that hold what was installed or built. */
const FOREIGN = new Set(
  'node_modules bower_components vendor third_party site-packages __pycache__ venv dist build out target coverage obj'.split(
    ' ',
  ),
);

/** Names of files that a program has made. */
const MADE = /\.min\.|[-.]bundle\.|\.generated\.|_pb2?\.|\.pb\./i;

/** Whether a folder may hold sources of the workspace, by its name. */
export function mayHoldSources(folder: string): boolean {
  return !folder.startsWith('.') && !FOREIGN.has(folder.toLowerCase()) && !isSecretFolder(folder);
}

/** Whether a file may be read, by its name. */
export function isSourceName(name: string, endings: ReadonlySet<string>): boolean {
  const ending = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase();
  if (ending === undefined || !endings.has(ending)) return false;
  return !name.startsWith('.') && !isSecretFile(name) && !MADE.test(name);
}

/**
 * Whether a change of something within a workspace folder may change what is known of its sources: of a source, by its name;
 * of `.gitignore`; and where something was deleted, of what may have been a folder.
 * @param inside its path within the folder, with slashes
 */
export function mayMatter(inside: string, deleted: boolean, endings: ReadonlySet<string>): boolean {
  const folders = inside.split('/');
  const name = folders.pop() ?? '';
  if (!folders.every(mayHoldSources)) return false;
  return name === '.gitignore' || isSourceName(name, endings) || (deleted && mayHoldSources(name));
}

/** Why a text is not taken for source code. */
export function strangeness(text: string): string | undefined {
  if (text.includes('\0')) return 'binary';
  let start = 0;
  for (let end = text.indexOf('\n'); end !== -1; start = end + 1, end = text.indexOf('\n', start)) {
    if (end - start > MAX_LINE) return 'minified';
  }
  return text.length - start > MAX_LINE ? 'minified' : undefined;
}

/** Patterns of one `.gitignore`, or in its syntax, and the folder that they are relative to. */
export interface Patterns {
  /** With a slash at its end unless it is empty: the folder of the file, from the root of all. */
  readonly base: string;
  readonly matcher: Ignore;
}

export function patternsOf(base: string, text: string): Patterns {
  return { base, matcher: ignore({ allowRelativePaths: true }).add(text) };
}

/**
 * Whether a path is ignored: the nearest file that says something decides, and there the last pattern. Git does not look
 * into an ignored folder, so neither may the caller.
 * @param path from the root of all, with slashes; a folder's ends with one
 * @param patterns the farthest first
 */
export function isIgnored(path: string, patterns: readonly Patterns[]): boolean {
  for (const { base, matcher } of patterns.toReversed()) {
    const { ignored, unignored } = matcher.test(path.slice(base.length));
    if (ignored || unignored) return ignored;
  }
  return false;
}

/** What VS Code's `files.exclude` hides: always, or where a certain sibling exists. */
export interface Excluded {
  readonly always: Ignore;
  readonly withSibling: readonly { readonly matcher: Ignore; readonly sibling: string }[];
}

const excludedSchema = z
  .record(
    z.string(),
    z
      .union([z.boolean(), z.object({ when: z.string() })])
      .optional()
      .catch(undefined),
  )
  .catch({});

/**
 * Reads `files.exclude`: globs from the folder's root with `true`, `false` or `{ when: "$(basename).ts" }`. What is
 * neither is left out.
 */
export function readExcluded(given: unknown): Excluded {
  const entries = Object.entries(excludedSchema.parse(given));
  const matching = (glob: string) => ignore({ ignorecase: false }).add(expandBraces(glob).map((each) => `/${each}`));
  return {
    always: ignore({ ignorecase: false }).add(
      entries.flatMap(([glob, value]) => (value === true ? expandBraces(glob).map((each) => `/${each}`) : [])),
    ),
    withSibling: entries.flatMap(([glob, value]) =>
      typeof value === 'object' ? [{ matcher: matching(glob), sibling: value.when }] : [],
    ),
  };
}

/** @param siblings names of the files in the same folder */
export function isExcluded(path: string, { always, withSibling }: Excluded, siblings: ReadonlySet<string>): boolean {
  if (always.ignores(path)) return true;
  const name = path.replace(/\/$/, '').split('/').at(-1) ?? '';
  const basename = name.replace(/\.[^.]*$/, '');
  return withSibling.some(
    ({ matcher, sibling }) => matcher.ignores(path) && siblings.has(sibling.replaceAll('$(basename)', basename)),
  );
}

/** `a.{b,c}` → `a.b`, `a.c`; the patterns of `.gitignore` know no braces. */
export function expandBraces(glob: string): string[] {
  const match = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(glob);
  if (!match) return [glob];
  const [, before = '', choices = '', after = ''] = match;
  return choices.split(',').flatMap((choice) => expandBraces(before + choice + after));
}
