import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Summary } from './summary';
import { markdown } from './table';

/**
 * Puts what was measured into a bundle's card, in the place of what stood there under the same title, and the card's
 * checksum into the manifest.
 * @param what the texts, as the section's title names them
 */
export async function writeIntoCard(directory: string, what: string, summary: Summary, command: string): Promise<void> {
  const body = `\`${command}\` (\`train/README.md\` says where the folders come from).\n\n${markdown(summary)}`;
  const card = withSection(await readFile(join(directory, 'README.md'), 'utf8'), `Suggestions: ${what}`, body);
  const path = join(directory, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as { files: Record<string, unknown> };
  const sha256 = createHash('sha256').update(card).digest('hex');
  manifest.files.card = { path: 'README.md', bytes: Buffer.byteLength(card), sha256 };
  await writeFile(join(directory, 'README.md'), card);
  await writeFile(path, `${JSON.stringify(manifest, null, 1)}\n`);
}

/** A card with a section, before `Limits`, which ends it; one of the same title gives way. */
export function withSection(card: string, title: string, body: string): string {
  const sections = card.split(/^(?=## )/m).filter((section) => !section.startsWith(`## ${title}\n`));
  const end = sections.findIndex((section) => section.startsWith('## Limits'));
  sections.splice(end === -1 ? sections.length : end, 0, `## ${title}\n\n${body.trim()}\n\n`);
  return `${sections.join('').trimEnd()}\n`;
}
