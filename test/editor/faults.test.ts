/** What can go wrong in a real VS Code: a model that is missing, a workspace that nobody trusts. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { packedForFile, start, typeBelow } from './suite';

const minute = 60_000;
const file = 'src/harbour.ts';

const vsix = packedForFile();

describe('what goes wrong', { timeout: 10 * minute }, () => {
  test('a missing model: the status names it, nothing pops up, another suggests', { timeout: 5 * minute }, async () => {
    const work = await start(vsix(), { machineSettings: { 'thoughtline.model': join('/', 'no', 'such', 'bundle') } });
    try {
      const { page } = work;
      await page.open(file);
      await page.waitForStatus(/ready.*no\/such\/bundle/);
      await typeBelow(page, file, 'income(): Money {', 'const paid = 1;');
      await page.screenshot('13-missing-model');
      assert.deepEqual(await page.popUps(), []);
      assert.match(await page.save(file), /const paid = 1;/);
    } finally {
      await work.close();
    }
  });

  test(
    'an untrusted workspace: suggestions work, and it cannot choose the model',
    { timeout: 5 * minute },
    async () => {
      const prepare = async (project: string) => {
        const settings = { 'thoughtline.model': join('/', 'of', 'a', 'stranger'), 'thoughtline.inferenceSteps': 2 };
        await mkdir(join(project, '.vscode'));
        await writeFile(join(project, '.vscode', 'settings.json'), JSON.stringify(settings));
      };
      const work = await start(vsix(), { untrusted: true }, prepare);
      try {
        const { page } = work;
        await page.open(file);
        await page.waitForStatus(/ready/);
        assert.ok(await page.restricted(), 'the window is in Restricted Mode');
        await typeBelow(page, file, 'fee(visit: Visit): Money {', 'const price = ');
        await page.waitForGhostText();
        await page.screenshot('14-restricted-mode');
      } finally {
        await work.close();
      }
    },
  );
});
