/** A workspace of several folders in a real VS Code. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { lib, NAME, packedForFile, start, typeBelow, user } from './suite';

const minute = 60_000;
const file = 'src/harbour.ts';
const METHOD = 'fee(visit: Visit): Money {';

const vsix = packedForFile();

describe('several folders', { timeout: 8 * minute }, () => {
  test('each has its own settings; files of both are known', { timeout: 6 * minute }, async () => {
    const work = await start(vsix(), {}, async (project) => {
      const quiet = join(project, '..', 'quiet');
      await mkdir(join(quiet, '.vscode'), { recursive: true });
      await writeFile(join(quiet, 'quiet.ts'), 'export const boats = 1;\n');
      await writeFile(join(quiet, 'lib.ts'), lib);
      await writeFile(join(quiet, 'user.ts'), user);
      const own = { 'thoughtline.languages': { typescript: false } };
      await writeFile(join(quiet, '.vscode', 'settings.json'), JSON.stringify(own));
      const workspace = join(project, '..', 'both.code-workspace');
      await writeFile(workspace, JSON.stringify({ folders: [{ path: 'harbour' }, { path: 'quiet' }] }));
      return workspace;
    });
    try {
      const { page } = work;
      await page.open('quiet.ts');
      await page.waitForStatus(/off in typescript files/);
      assert.match(await page.why(), /off for the language "typescript"/);
      await page.open('harbour.ts');
      await page.waitForStatus(/ready: nano/);
      await typeBelow(page, file, METHOD, '');
      await page.typeUntilSuggested();
      await page.screenshot('49-several-folders');
      await page.press('Escape');
      // A name of closed files of the other folder, as soon as these have been read.
      await page.press('End', 'Enter');
      await page.type(`const due = ${NAME.slice(0, 9)}`);
      const suggested = async () => {
        await page.press('Escape');
        await page.trigger();
        return page.waitForGhostText(5_000).catch(() => '');
      };
      await page.until(suggested, (ghost) => ghost.startsWith(NAME.slice(9)), minute, NAME);
    } finally {
      await work.close();
    }
  });
});
