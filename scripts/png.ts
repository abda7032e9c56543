/**
 * Draws an SVG picture as a PNG of twice its size, beside it, for places that show no SVG; on light ground, or dark.
 *   node --import=tsx scripts/png.ts media/quality.svg [dark]
 */
import { readFile } from 'node:fs/promises';
import { installCodeServer } from '../test/editor/code-server/install';
import { launchBrowser } from '../test/editor/launch';

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const [from, ground = 'light'] = process.argv.slice(2);
  if (from === undefined || !from.endsWith('.svg') || (ground !== 'light' && ground !== 'dark')) {
    throw new Error('give an SVG, and `dark` if it is to be that');
  }
  const browser = await launchBrowser(await installCodeServer((line) => process.stderr.write(`${line}\n`)));
  try {
    const page = await browser.newPage({ deviceScaleFactor: 2, colorScheme: ground });
    await page.setContent(`<body style="margin:0">${await readFile(from, 'utf8')}</body>`);
    const path = from.replace(/\.svg$/, ground === 'dark' ? '-dark.png' : '.png');
    await page.locator('svg').first().screenshot({ path });
    process.stdout.write(`${path}\n`);
  } finally {
    await browser.close();
  }
}
