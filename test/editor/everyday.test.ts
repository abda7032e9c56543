/** What people do all day in a real VS Code: several cursors, snippets, undo, two groups, files that move, notebooks, themes. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lib, NAME, packedForFile, root, start, steps, typeBelow, user, type Workplace } from './suite';
import type { EditorPage } from './page';

const minute = 60_000;
const file = 'src/harbour.ts';
const METHOD = 'fee(visit: Visit): Money {';

/** A made-up name in Python, too, for which there is no language service here. */
const PYTHON_NAME = 'zorblat_quux_fen';
const pythonLib = `def ${PYTHON_NAME}(value):\n    return value.strip()\n`;
const pythonUser = `from lib import ${PYTHON_NAME}\n\n${`print(${PYTHON_NAME}('a'))\n`.repeat(4)}`;

const cell = (kind: string, source: string) => ({
  cell_type: kind,
  metadata: {},
  source: [source],
  ...(kind === 'code' && { execution_count: null, outputs: [] }),
});
const notebook = JSON.stringify({
  cells: [
    cell('markdown', '# Boats'),
    cell('code', 'boats_in_harbour = 12\nprint(boats_in_harbour)\nprint(boats_in_harbour)'),
    cell('code', 'import math'),
  ],
  metadata: { language_info: { name: 'python' } },
  nbformat: 4,
  nbformat_minor: 5,
});

const vsix = packedForFile();

describe('every day', { timeout: 15 * minute }, () => {
  let work: Workplace;
  let page: EditorPage;

  before(
    async () => {
      const keybindings = [{ key: 'ctrl+alt+l', command: 'editor.action.inlineSuggest.acceptNextLine' }];
      work = await start(vsix(), { keybindings }, async (project) => {
        await writeFile(join(project, 'src', 'lib.ts'), lib);
        await writeFile(join(project, 'src', 'user.ts'), user);
        await mkdir(join(project, 'tools'));
        await writeFile(join(project, 'tools', 'lib.py'), pythonLib);
        await writeFile(join(project, 'tools', 'user.py'), pythonUser);
        await writeFile(join(project, 'tools', 'main.py'), 'import sys\n\nprint(sys.argv)\n');
        await writeFile(join(project, 'boats.ipynb'), notebook);
      });
      page = work.page;
      await page.open(file);
      await page.waitForStatus(/ready: nano/);
    },
    { timeout: 8 * minute },
  );
  after(() => work?.close());
  beforeEach(() => page?.calm(file));

  const step = steps(() => page);

  step('the menu says of each model its size, its licence, and what a suggestion takes here', async () => {
    const rows = page.page.locator('.quick-input-widget .monaco-list-row');
    const said = async () => {
      await page.press('Escape');
      await page.pick('Thoughtline: Menu…');
      await rows
        .filter({ hasText: /Model….*running nano/ })
        .first()
        .click();
      const nano = rows.filter({ hasText: 'The small model that comes with the extension' });
      await nano.waitFor();
      return (await nano.innerText()).replaceAll(/\s+/g, ' ');
    };
    // It is measured when it has been loaded.
    const known = /nano ?\d+ MB, licence \S+, \d+ ms for a suggestion here/;
    await page.until(said, (text) => known.test(text), minute, 'what nano takes');
    const coder = rows.filter({ hasText: 'Get the code model (491 MB)' });
    assert.match(await coder.innerText(), /licence Apache-2\.0/);
    assert.equal(await rows.filter({ hasText: 'Use a folder' }).count(), 1);
    await page.screenshot('40-models');
    await page.press('Escape');
  });

  step('a line is accepted by a key of the user’s own', async () => {
    const line = await typeBelow(page, file, METHOD, '');
    const { typed, ghost } = await page.typeUntilSuggested();
    await page.press('Control+Alt+l');
    await page.until(() => page.ghostText(), (now) => now !== ghost, 5_000, 'the line is accepted'); // prettier-ignore
    await page.press('Escape');
    const saved = (await page.save(file)).split('\n');
    assert.equal(saved[line - 1], `    ${typed}${ghost.split('\n')[0]}`);
  });

  step(
    'undone, a suggestion does not come back by itself, nor after redo or a deletion; typed on, it does',
    async () => {
      await typeBelow(page, file, METHOD, '');
      const { ghost } = await page.typeUntilSuggested();
      await page.press('Tab');
      await page.until(() => page.ghostText(), (now) => now !== ghost, 5_000, 'it is accepted'); // prettier-ignore
      await page.press('Escape');
      const accepted = await page.lineText();
      await page.press('Control+z');
      await page.until(
        () => page.lineText(),
        (now) => now !== accepted,
        5_000,
        'it is undone',
      );
      await page.nothingComes();
      assert.match(await page.why(), /right after undo/);
      await page.press('Control+y');
      await page.until(
        () => page.lineText(),
        (now) => now === accepted,
        5_000,
        'it is done again',
      );
      await page.nothingComes();
      assert.match(await page.why(), /right after redo/);
      await page.press('End', 'Enter');
      await page.type('const price = x');
      await page.press('Escape', 'Backspace');
      await page.nothingComes();
      assert.match(await page.why(), /right after a deletion/);
      await page.press('Enter');
      await page.typeUntilSuggested();
      await page.press('Escape');
      await page.save(file);
    },
  );

  step('with two cursors what is typed is typed at both, and nothing else', async () => {
    const line = await typeBelow(page, file, METHOD, '');
    await page.press('Enter', 'Escape', 'ArrowUp');
    await page.command('Add Cursor Below');
    await page.type('const both = ');
    // A suggestion may come at either.
    await page.suggested(2_000);
    await page.screenshot('41-two-cursors');
    await page.press('Escape', 'Escape');
    const saved = (await page.save(file)).split('\n');
    assert.deepEqual(
      saved.slice(line - 1, line + 1).map((text) => text.trim()),
      ['const both =', 'const both ='],
    );
  });

  step('in a snippet VS Code keeps suggestions back; the reason names that', async () => {
    await typeBelow(page, file, METHOD, '');
    await page.pick('Snippets: Insert Snippet');
    await page.type('forof');
    await page.page.locator('.quick-input-widget .monaco-list-row', { hasText: 'For-Of Loop' }).first().waitFor();
    await page.press('Enter');
    await page.page.locator('.snippet-placeholder').first().waitFor();
    await page.type('visit');
    await page.press('Tab');
    await page.type('this.vis');
    await page.nothingComes();
    await page.screenshot('42-snippet');
    await page.pick('Thoughtline: Why No Suggestion?');
    const said = page.page.locator('.quick-input-widget .monaco-list-row', { hasText: 'suppressInSnippetMode' });
    await said.first().waitFor();
    await page.press('Escape', 'Escape', 'Escape');
    await page.save(file);
  });

  step('VS Code’s own switch is named', async () => {
    await work.configure({ 'editor.inlineSuggest.enabled': false });
    await page.until(() => page.why(), (said) => /editor\.inlineSuggest\.enabled/.test(said), minute, 'the reason'); // prettier-ignore
    await work.configure({});
    await page.until(() => page.why(), (said) => !/editor\.inlineSuggest\.enabled/.test(said), minute, 'no reason'); // prettier-ignore
  });

  step('manual in the settings: nothing by itself; triggered, it comes', async () => {
    await work.configure({ 'thoughtline.trigger': 'manual' });
    await page.until(() => page.why(), (said) => /thoughtline\.trigger/.test(said), minute, 'the reason'); // prettier-ignore
    await typeBelow(page, file, METHOD, 'const price = ');
    await page.nothingComes();
    await page.trigger();
    await page.waitForGhostText();
    await page.press('Escape');
    await work.configure({});
    await page.until(() => page.why(), (said) => !/thoughtline\.trigger/.test(said), minute, 'no reason'); // prettier-ignore
    await page.save(file);
  });

  step('an excluded file is not completed, and the reason names the glob', async () => {
    await work.configure({ 'thoughtline.exclude': { '**/tides.ts': true } });
    await page.open('src/tides.ts');
    await page.until(() => page.why(), (said) => /\*\*\/tides\.ts.*thoughtline\.exclude/.test(said), minute, 'it is known'); // prettier-ignore
    await page.press('Control+End', 'Enter');
    await page.type('export const low = ');
    await page.nothingComes();
    await work.configure({});
    await page.save('src/tides.ts');
  });

  step('an accepted name gets its import; one undo takes both back', async () => {
    await work.configure({ 'thoughtline.maxLines': 1 });
    await page.open('src/user.ts');
    await page.open(file);
    const line = await typeBelow(page, file, METHOD, `const due = ${NAME.slice(0, 9)}`);
    const ghost = await page.waitForGhostText();
    assert.ok(ghost.startsWith(NAME.slice(9)), ghost);
    const before = await page.save(file);
    const accept = async () => {
      if ((await page.ghostText()) === '') await page.trigger();
      await page.waitForGhostText();
      await page.press('Tab');
    };
    await accept();
    const accepted = Date.now();
    // The language service looks at a file at rest; the import moves the line down. Saving would end what one undo takes.
    await page.statusBar(`Ln ${line + 1},`).waitFor();
    const took = Date.now() - accepted;
    await page.screenshot('43-import');
    await page.press('Control+z');
    await page.statusBar(`Ln ${line},`).waitFor();
    assert.equal(await page.save(file), before, 'one undo takes both back');
    await page.press('Control+y');
    await page.statusBar(`Ln ${line + 1},`).waitFor();
    assert.match(await page.save(file), new RegExp(`import \\{ ${NAME} \\} from ['"]\\./lib['"]`));

    await page.press('Control+z');
    await page.statusBar(`Ln ${line},`).waitFor();
    assert.equal(await page.save(file), before);
    await work.configure({ 'thoughtline.maxLines': 1, 'thoughtline.imports': false });
    await accept();
    // Twice as long as it took before.
    await sleep(Math.max(1_500, 2 * took));
    const without = await page.save(file);
    assert.ok(without.includes(`const due = ${NAME}`), 'the name is accepted');
    assert.ok(!without.includes('./lib'), 'switched off, nothing is imported');
    await work.configure({});
  });

  step('without a language service a name is imported as another file does it', async () => {
    await work.configure({ 'thoughtline.maxLines': 1 });
    await page.open('tools/user.py');
    await page.open('tools/main.py');
    await page.press('Control+End');
    await page.type(`first = ${PYTHON_NAME.slice(0, 9)}`);
    const ghost = await page.waitForGhostText();
    assert.ok(ghost.startsWith(PYTHON_NAME.slice(9)), ghost);
    await page.press('Tab');
    // The import moves the line down.
    await page.statusBar('Ln 5,').waitFor();
    await work.configure({});
    await page.screenshot('43-import-python');
    assert.match(await page.save('tools/main.py'), new RegExp(`^import sys\nfrom lib import ${PYTHON_NAME}$`, 'm'));
  });

  step('the same file in two groups: suggestions in either, and what is accepted stands in both', async () => {
    await page.press('Control+Backslash');
    await page.page.locator('.editor-group-container').nth(1).waitFor();
    await typeBelow(page, file, METHOD, '');
    const { ghost } = await page.typeUntilSuggested();
    await page.screenshot('44-two-groups');
    await page.press('Tab');
    await page.until(() => page.ghostText(), (now) => now !== ghost, 5_000, 'it is accepted'); // prettier-ignore
    const word = /\w{3,}/.exec(ghost)?.[0] ?? ghost;
    assert.ok((await page.save(file)).includes(word));
    await page.command('View: Join All Editor Groups');
    await page.focusEditor(file);
  });

  step('a file that is renamed, and one that is deleted on disk: the editor and suggestions go on', async () => {
    await page.open('src/lib.ts');
    await rename(join(work.project, 'src', 'tides.ts'), join(work.project, 'src', 'waters.ts'));
    await rm(join(work.project, 'src', 'lib.ts'));
    await page.page.locator('.tab', { hasText: 'lib.ts' }).first().waitFor();
    await sleep(1_500);
    await page.open('src/waters.ts');
    await page.press('Control+End', 'Enter');
    await page.type('export function low(table: readonly Tide[]): ');
    await page.waitForGhostText();
    await page.screenshot('45-renamed');
    await page.press('Escape');
    await page.save('src/waters.ts');
    await page.waitForStatus(/ready|thinking/);
  });

  step('in a notebook the cells above are what was written before', async () => {
    await page.quickOpen('boats.ipynb');
    const cells = page.page.locator('.notebookOverlay .cell-list-container .code-cell-row');
    await cells.nth(1).waitFor();
    await cells.nth(1).locator('.view-lines').click();
    await page.press('Control+End', 'Enter');
    await page.type('print(boats_');
    const ghost = await page.waitForGhostText();
    assert.ok(ghost.startsWith('in_harbour'), ghost);
    await page.screenshot('46-notebook');
    await page.press('Tab');
    await page.until(
      () => cells.nth(1).locator('.view-lines').innerText(),
      (text) => text.replaceAll('\u00a0', ' ').includes('print(boats_in_harbour'),
      5_000,
      'it is accepted',
    );
  });

  step('a model that was adopted is chosen, and removed again', async () => {
    const folder = join(work.editor.globalStorage, 'thoughtline.thoughtline', 'bundles', 'own-0123456789ab-6');
    await cp(join(root, 'models', 'nano'), folder, { recursive: true });
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Record<string, unknown>;
    await writeFile(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, name: 'harbour-model' }));
    const rows = page.page.locator('.quick-input-widget .monaco-list-row');
    const menu = async () => {
      await page.pick('Thoughtline: Menu…');
      await rows
        .filter({ hasText: /Model….*running/ })
        .first()
        .click();
    };
    await menu();
    await rows.filter({ hasText: 'harbour-model' }).click();
    await page.waitForStatus(/harbour-model/, minute);
    await menu();
    await page.screenshot('40-models-adopted');
    await rows.filter({ hasText: 'Remove a model' }).click();
    await rows.filter({ hasText: 'harbour-model' }).click();
    const dialog = page.page.locator('.monaco-dialog-box');
    await dialog.getByRole('button', { name: 'Remove It' }).click();
    await page.until(() => Promise.resolve(existsSync(folder)), (there) => !there, 10_000, 'it is gone'); // prettier-ignore
    await page.waitForStatus(/(?:ready: |: )nano/, minute);
  });
});
