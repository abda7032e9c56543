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

/** Order of words by their code units, the same on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
