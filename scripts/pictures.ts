/**
 * Takes the README's pictures from a real VS Code with the extension as it is now.
 *   node --import=tsx scripts/pictures.ts
 * media/ghost-text.png: a suggestion in the editor. media/thought.png: the thought panel.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pack, root, start } from '../test/editor/suite';

const file = 'src/harbour.ts';
/** The suggestion is asked for behind `text`, which is put in front of a line of the example project. */
const place = {
  before: '  /** Nights of a visit so far',
  text: `  /** Moves a visit to another berth. Throws when it has ended. */
  move(id: number, berthId: string): Visit {
    const visit = this.findVisit(id);
    if (`,
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const packed = await pack();
  const settings = { 'editor.stickyScroll.enabled': false, 'breadcrumbs.enabled': false, 'editor.fontSize': 14 };
  let [line, column] = [0, 0];
  const prepare = async (project: string) => {
    const original = await readFile(join(project, file), 'utf8');
    const at = original.indexOf(place.before);
    const head = (original.slice(0, at) + place.text).split('\n');
    [line, column] = [head.length, head.at(-1)!.length + 1];
    await writeFile(join(project, file), `${original.slice(0, at)}${place.text}\n  }\n\n${original.slice(at)}`);
  };
  const work = await start(packed.vsix, { size: { width: 1180, height: 960 }, scale: 2, settings }, prepare);
  try {
    const { page } = work;
    await page.open(file);
    await page.waitForStatus(/ready/);
    await page.command('View: Toggle Primary Side Bar Visibility');
    await page.goto(line, column);
    // Everything that moves has come to rest, and the thought is that of this place.
    await page.waitForStatus(/ready/);
    await page.trigger();
    process.stdout.write(`${await page.waitForGhostText()}\n`);
    await sleep(1500);
    const editor = await page.page.locator('.part.editor').boundingBox();
    const current = await page.page.locator('.current-line').first().boundingBox();
    if (editor === null || current === null) throw new Error('the editor is not on the screen');
    const clip = { x: editor.x, y: current.y - 7 * current.height, width: 820, height: 16 * current.height };
    await page.page.screenshot({ path: join(root, 'media', 'ghost-text.png'), clip });
    await page.press('Escape');
    await page.command('Thoughtline: Show Thought');
    await page.thought.locator('svg').waitFor();
    await page.waitForStatus(/ready/);
    await sleep(1500);
    await page.page.screenshot({ path: join(root, 'media', 'thought.png') });
  } finally {
    await work.close();
    await packed.remove();
  }
}
