/**
 * Takes the pictures of the README and of the walkthrough from a real VS Code with the extension as it is now.
 *   node --import=tsx scripts/pictures.ts [FOLDER]
 * media/: ghost-text.png, thought.png, menu.png, statistics.png. media/walkthrough/: STEP-light.png, STEP-dark.png.
 * The code model (`npm run coder`) writes the ghost text; the rest shows nano, which comes with the extension.
 * With a folder, pictures of the settings and of the walkthrough are put there, to be looked at.
 */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EditorPage } from '../test/editor/page';
import { obtainedCoder } from '../src/adopt/sources/coder';
import { pack, root, start, type Workplace } from '../test/editor/suite';

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
    for (const theme of ['dark', 'light'] as const) {
      await takeGhostText(packed.vsix, theme);
      await takeRest(packed.vsix, theme, look);
    }
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

interface Opened {
  readonly work: Workplace;
  /** Where the suggestion is asked for. */
  readonly line: number;
  /** Takes a part of the window, with a pixel for each of its pixels. */
  readonly half: (clip: Clip, name: string) => Promise<unknown>;
}

type Clip = { x: number; y: number; width: number; height: number };

/** Opens the file with the beginning of a method put into it, and the cursor behind that. */
async function openAt(vsix: string, theme: keyof typeof themes, model = 'auto'): Promise<Opened> {
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
  const machineSettings = { 'thoughtline.model': model };
  const work = await start(vsix, { size: { width: 1180, height: 960 }, scale: 2, settings, machineSettings }, prepare);
  const { page } = work;
  const half = (clip: Clip, name: string) =>
    page.page.screenshot({ path: join(walkthrough, `${name}-${theme}.png`), clip, scale: 'css' });
  try {
    await page.open(file);
    // The code model takes its time to load.
    await page.waitForStatus(/ready/, 300_000);
    await page.command('View: Toggle Primary Side Bar Visibility');
    await page.goto(line, column);
    // Everything that moves has come to rest, and the thought is that of this place.
    await page.waitForStatus(/ready/);
    return { work, line, half };
  } catch (error) {
    await work.close();
    throw error;
  }
}

async function takeGhostText(vsix: string, theme: keyof typeof themes): Promise<void> {
  const { work, half } = await openAt(vsix, theme, obtainedCoder());
  const { page } = work;
  const window = page.page;
  try {
    await page.waitForStatus(/ready: coder /);
    await page.trigger();
    process.stdout.write(`${await page.waitForGhostText()}\n`);
    await sleep(1500);
    const editor = await window.locator('.part.editor').boundingBox();
    const current = await window.locator('.current-line').first().boundingBox();
    if (editor === null || current === null) throw new Error('the editor is not on the screen');
    const clip = { x: editor.x, y: current.y - 7 * current.height, width: 820, height: 16 * current.height };
    if (theme === 'dark') await window.screenshot({ path: join(root, 'media', 'ghost-text.png'), clip });
    await half(clip, 'suggest');
  } finally {
    await work.close();
  }
}

async function takeRest(vsix: string, theme: keyof typeof themes, look: string | undefined): Promise<void> {
  const { work, line, half } = await openAt(vsix, theme);
  const { page } = work;
  const window = page.page;
  try {
    // The panel tells of the last suggestion.
    await page.trigger();
    await page.waitForGhostText();
    await page.press('Escape');
    await page.waitForStatus(/ready/);
    await page.command('Thoughtline: Show Thought');
    await page.thought.locator('svg').first().waitFor();
    await page.waitForStatus(/ready/);
    await sleep(1500);
    if (theme === 'dark') await window.screenshot({ path: join(root, 'media', 'thought.png') });
    await half({ x: 616, y: 35, width: 564, height: 640 }, 'thought');
    await page.command('View: Close All Editors');
    await page.open(file);

    await page.pick('Thoughtline: Menu');
    await sleep(1000);
    await half({ x: 270, y: 0, width: 640, height: 480 }, 'menu');
    await page.press('Escape');

    await useFor(page, line);
    await page.command('Thoughtline: Show Statistics');
    const { thought: statistics } = page;
    await statistics.locator('[data-figure=accepted]').waitFor();
    await sleep(1500);
    await half({ x: 216, y: 35, width: 800, height: 900 }, 'statistics');
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
