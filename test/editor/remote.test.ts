/**
 * Remote windows in a real VS Code. A window of code-server is one: its files and extensions are with the server, as with
 * SSH, WSL and containers. Documents of yet another machine and of a virtual file system are what a window sees whose
 * extension runs on the user's own side (`remote.extensionKind`).
 */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { after, before, beforeEach, describe } from 'node:test';
import { editorKind } from './launch';
import { processesWith } from './processes';
import { pack, packOther, start, steps, type Workplace } from './suite';
import type { EditorPage } from './page';

const minute = 60_000;
const file = 'src/harbour.ts';
const METHOD = 'fee(visit: Visit): Money {';
const remote = editorKind() === 'code-server' ? false : 'the window of a desktop VS Code is not remote';

describe('a remote window', { timeout: 12 * minute }, () => {
  let packed: Awaited<ReturnType<typeof pack>> | undefined;
  let work: Workplace | undefined;
  let page: EditorPage;

  before(
    async () => {
      packed = await pack();
      const others = [await packOther('elsewhere', dirname(packed.vsix))];
      work = await start(packed.vsix, { others });
      page = work.page;
      await page.open(file);
      await page.waitForStatus(/ready: nano/);
    },
    { timeout: 8 * minute },
  );
  after(async () => {
    await work?.close();
    await packed?.remove();
  });
  beforeEach(() => page?.press('Escape', 'Escape'));

  const step = steps(() => page);

  /** Types below the method in the active editor. @returns the ghost text */
  async function suggested(): Promise<string> {
    await page.goto(await page.lineOf(file, METHOD), 1);
    await page.press('End', 'Enter');
    const { ghost } = await page.typeUntilSuggested();
    return ghost;
  }

  if (remote === false) {
    step('the extension and its processes run where the files are', async () => {
      assert.match(await page.address(), /^vscode-remote:\/\/127\.0\.0\.1.*\/src\/harbour\.ts$/);
      for (const script of ['server.js', 'inference.js']) {
        assert.equal(processesWith(work!.editor.extensions, script).length, 1, script);
      }
      assert.notEqual(await suggested(), '');
      await page.screenshot('50-remote');
      await page.press('Escape');
      await page.save(file);
    });

    step('a document of another machine is completed, and its words are known in other files', async () => {
      await page.command('Elsewhere: Open on Another Machine');
      await page.until(
        () => page.address(),
        (address) => address.startsWith('vscode-remote://ssh-remote'),
        20_000,
        'it is open',
      );
      assert.notEqual(await suggested(), '');
      await page.screenshot('51-another-machine');
      await page.press('Escape');
    });
  }

  step('a document of a virtual file system is completed', async () => {
    await page.command('Elsewhere: Open in a Virtual File System');
    await page.until(
      () => page.address(),
      (address) => address === 'vscode-vfs://github/harbour/src/harbour.ts',
      20_000,
      'it is open',
    );
    assert.notEqual(await suggested(), '');
    await page.screenshot('52-virtual');
    await page.press('Escape');
  });
});
