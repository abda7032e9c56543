/**
 * Writes l10n/bundle.l10n.json: every text of the extension's sources that people read, in English.
 *   node --import=tsx scripts/extract-l10n.ts
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The first arguments of all calls of `t`, sorted. */
export function texts(): string[] {
  const folder = join(root, 'src', 'extension');
  const found = new Set<string>();
  for (const name of readdirSync(folder)) {
    const source = readFileSync(join(folder, name), 'utf8');
    for (const [, quoted] of source.matchAll(/\bt\(\s*('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")/g)) {
      const inner = quoted!.slice(1, -1).replace(/\\'/g, "'");
      found.add(JSON.parse(`"${inner.replace(/(?<!\\)"/g, '\\"')}"`) as string);
    }
  }
  return [...found].sort();
}

export function bundle(): string {
  return `${JSON.stringify(Object.fromEntries(texts().map((text) => [text, text])), null, 2)}\n`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  mkdirSync(join(root, 'l10n'), { recursive: true });
  writeFileSync(join(root, 'l10n', 'bundle.l10n.json'), bundle());
}
