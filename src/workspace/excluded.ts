/** Which files the user keeps out by glob (`thoughtline.exclude`). */
import ignore, { type Ignore } from 'ignore';
import { expandBraces } from './rules';

/** Globs as `files.exclude` has them, each on or off. */
export type Globs = Readonly<Record<string, boolean>>;

const compiled = new WeakMap<Globs, readonly { readonly glob: string; readonly matcher: Ignore }[]>();

/**
 * The first glob that is on and covers a file, by itself or by a folder that it lies in.
 * @param path within the workspace folder, with slashes; of a file outside of all folders its whole path
 */
export function excludedBy(path: string, globs: Globs): string | undefined {
  const inside = path.replace(/^\/+/, '');
  if (inside === '') return undefined;
  let matchers = compiled.get(globs);
  if (!matchers) compiled.set(globs, (matchers = compile(globs)));
  return matchers.find(({ matcher }) => matcher.ignores(inside))?.glob;
}

function compile(globs: Globs) {
  return Object.entries(globs)
    .filter(([, on]) => on)
    .map(([glob]) => {
      const anchored = expandBraces(glob).map((each) => `/${each}`);
      return { glob, matcher: ignore({ ignorecase: false, allowRelativePaths: true }).add(anchored) };
    });
}
