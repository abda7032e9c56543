/**
 * Takes the pictures of the README and of the walkthrough from a real VS Code with the extension as it is now.
 *   node --import=tsx scripts/pictures.ts [FOLDER]
 * media/: ghost-text.png, thought.png, menu.png, statistics.png. media/walkthrough/: STEP-light.png, STEP-dark.png.
 * With a folder, pictures of the settings and of the walkthrough are put there, to be looked at.
 */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EditorPage } from '../test/editor/page';
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
const themes = { dark: 'Default Dark Modern', light: 'Default Light Modern' } as const;
const walkthrough = join(root, 'media', 'walkthrough');

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const look = process.argv[2];
  await mkdir(walkthrough, { recursive: true });
  const packed = await pack();
  try {
    for (const theme of ['dark', 'light'] as const) await takeAll(packed.vsix, theme, look);
  } finally {
    await packed.remove();
  }
  for (const [picture, from] of [
    ['menu.png', 'menu-dark.png'],
    ['statistics.png', 'statistics-dark.png'],
  ] as const) {
    await copyFile(join(walkthrough, from), join(root, 'media', picture));
  }
}

async function takeAll(vsix: string, theme: keyof typeof themes, look: string | undefined): Promise<void> {
  const settings = {
    'editor.stickyScroll.enabled': false,
    'breadcrumbs.enabled': false,
    'editor.fontSize': 14,
    'workbench.colorTheme': themes[theme],
  };
  let [line, column] = [0, 0];
  const prepare = async (project: string) => {
    const original = await readFile(join(project, file), 'utf8');
    const at = original.indexOf(place.before);
    const head = (original.slice(0, at) + place.text).split('\n');
    [line, column] = [head.length, head.at(-1)!.length + 1];
    await writeFile(join(project, file), `${original.slice(0, at)}${place.text}\n  }\n\n${original.slice(at)}`);
  };
  const work = await start(vsix, { size: { width: 1180, height: 960 }, scale: 2, settings }, prepare);
  const { page } = work;
  const window = page.page;
  const picture = (name: string) => join(walkthrough, `${name}-${theme}.png`);
  const half = (clip: { x: number; y: number; width: number; height: number }, path: string) =>
    window.screenshot({ path, clip, scale: 'css' });
  try {
    await page.open(file);
    await page.waitForStatus(/ready/);
    await page.command('View: Toggle Primary Side Bar Visibility');
    await page.goto(line, column);
    // Everything that moves has come to rest, and the thought is that of this place.
    await page.waitForStatus(/ready/);
    await page.trigger();
    process.stdout.write(`${await page.waitForGhostText()}\n`);
    await sleep(1500);
    const editor = await window.locator('.part.editor').boundingBox();
    const current = await window.locator('.current-line').first().boundingBox();
    if (editor === null || current === null) throw new Error('the editor is not on the screen');
    const clip = { x: editor.x, y: current.y - 7 * current.height, width: 820, height: 16 * current.height };
    if (theme === 'dark') await window.screenshot({ path: join(root, 'media', 'ghost-text.png'), clip });
    await half(clip, picture('suggest'));
    await page.press('Escape');

    await page.command('Thoughtline: Show Thought');
    await page.thought.locator('svg').first().waitFor();
    await page.waitForStatus(/ready/);
    await sleep(1500);
    if (theme === 'dark') await window.screenshot({ path: join(root, 'media', 'thought.png') });
    await half({ x: 616, y: 35, width: 564, height: 640 }, picture('thought'));
    await page.command('View: Close All Editors');
    await page.open(file);

    await page.pick('Thoughtline: Menu');
    await sleep(1000);
    await half({ x: 270, y: 0, width: 640, height: 480 }, picture('menu'));
    await page.press('Escape');

    await useFor(page, line);
    await page.command('Thoughtline: Show Statistics');
    const { thought: statistics } = page;
    await statistics.locator('[data-figure=accepted]').waitFor();
    await sleep(1500);
    await half({ x: 216, y: 35, width: 800, height: 900 }, picture('statistics'));
    await page.command('View: Close All Editors');
    if (look === undefined) return;
    await mkdir(look, { recursive: true });
    await page.open(file);
    await page.command('Preferences: Open Settings (UI)');
    await window.locator('.settings-editor .search-container .view-lines').first().click();
    await page.type('@ext:thoughtline.thoughtline', 10);
    await sleep(3000);
    await window.screenshot({ path: join(look, `settings-${theme}.png`) });
    await page.command('View: Close All Editors');
    await page.command('Thoughtline: Open Walkthrough');
    await sleep(3000);
    await window.screenshot({ path: join(look, `walkthrough-${theme}.png`) });
  } finally {
    await work.close();
  }
}

/** Works in the file for a little while, so that there is something to count. */
async function useFor(page: EditorPage, line: number): Promise<void> {
  for (const typed of ['const price = ', 'return ', 'const visit = this.', 'throw new ']) {
    await page.goto(line - 1, 1);
    await page.press('End', 'Enter');
    await page.type(typed);
    const ghost = await page.waitForGhostText(15_000).catch(() => '');
    if (ghost !== '') await page.press('Tab');
    await sleep(300);
  }
}
