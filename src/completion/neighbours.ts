/**
 * The files of a workspace that are likely to say something about one: of the same kind, those of its own folder first,
 * then by the steps between the folders; among equals in the order of their names, so that the choice stays.
 * @param paths of the workspace's files, with forward slashes
 * @param excluded paths that are not wanted, the file's own apart
 */
export function nearestFiles(
  path: string,
  paths: readonly string[],
  excluded: ReadonlySet<string>,
  count: number,
): string[] {
  const ending = endingOf(path);
  const folders = foldersOf(path);
  return paths
    .filter((other) => other !== path && endingOf(other) === ending && !excluded.has(other))
    .map((other) => ({ other, steps: stepsBetween(folders, foldersOf(other)) }))
    .sort((a, b) => a.steps - b.steps || (a.other < b.other ? -1 : 1))
    .slice(0, count)
    .map(({ other }) => other);
}

function endingOf(path: string): string {
  return /\.[^./]*$/.exec(path)?.[0].toLowerCase() ?? '';
}

function foldersOf(path: string): string[] {
  return path.split('/').slice(0, -1);
}

/** Folders to leave and to enter on the way from one to the other. */
function stepsBetween(a: readonly string[], b: readonly string[]): number {
  let shared = 0;
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared++;
  return a.length + b.length - 2 * shared;
}
