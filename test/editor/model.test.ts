/** Getting the code model in a real editor: what is asked before, and that it then writes. */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { coderDescription } from '../../src/adopt/sources/coder';
import { readDescription } from '../../src/adopt/sources/description';
import { findFile } from '../../src/adopt/sources/find';
import { cacheFolder, modelFolders } from '../../src/adopt/sources/folders';
import { pack, start, type Workplace } from './suite';

const minute = 60_000;
const file = join('src', 'harbour.ts');

/** The weights, where this machine has them: nothing is loaded in a test. */
async function weights(): Promise<string | undefined> {
  return findFile([join(cacheFolder(), 'weights'), ...modelFolders()], readDescription(coderDescription()));
}

describe('the code model', { timeout: 20 * minute }, () => {
  let packed: Awaited<ReturnType<typeof pack>>;
  let work: Workplace;
  let found: string | undefined;
  const dialog = () => work.page.page.locator('.monaco-dialog-box');

  before(async () => {
    found = await weights();
    // The extension finds them as another program's.
    if (found !== undefined) process.env['HF_HUB_CACHE'] = dirname(found);
    packed = await pack();
    work = await start(packed.vsix, { machineSettings: { 'thoughtline.model': 'coder' } });
    await work.page.open(file);
  });
  after(async () => {
    await work?.close();
    await packed?.remove();
  });

  test('is named with source and licence before anything is loaded; who declines gets nothing', async () => {
    const { page } = work;
    await page.waitForStatus(/nano .*The model that was chosen cannot be used: the code model has not been got yet/);
    await page.pick('Thoughtline: Menu…');
    await page.page.locator('.quick-input-widget .monaco-list-row', { hasText: 'Get the code model (491 MB)' }).click();
    await dialog().waitFor();
    const said = await dialog().innerText();
    for (const part of ['Qwen2.5-Coder-0.5B-Instruct', '491 MB', 'Apache-2.0', 'Alibaba Cloud', 'huggingface.co']) {
      assert.ok(said.includes(part), `${part}: ${said}`);
    }
    await page.screenshot('20-get-the-code-model');
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await dialog().waitFor({ state: 'detached' });
    await page.waitForStatus(/has not been got yet/);
  });

  test('is adopted from where another program has it, and writes', async (context) => {
    if (found === undefined) return context.skip('the weights are not on this machine (npm run coder)');
    const { page } = work;
    await page.command('Thoughtline: Get the Code Model…');
    await dialog().getByRole('button', { name: 'Get It' }).click();
    await page.page.locator('.notification-toast', { hasText: 'Getting the code model' }).first().waitFor();
    await page.screenshot('21-getting-the-code-model');
    // Fifty seconds of one core, which a busy machine does not give.
    await page.waitForStatus(/ready: coder /, 12 * minute);
    await page.screenshot('22-the-code-model-writes');
    assert.doesNotMatch(await page.status(), /cannot be used/);
  });
});
