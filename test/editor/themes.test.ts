/** Light, dark and high contrast in a real VS Code. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { packedForFile, start, typeBelow, type Workplace } from './suite';

const minute = 60_000;
const file = 'src/harbour.ts';
const METHOD = 'fee(visit: Visit): Money {';

const vsix = packedForFile();

describe('themes', { timeout: 12 * minute }, () => {
  let work: Workplace;
  before(
    async () => {
      work = await start(vsix());
      await work.page.open(file);
      await work.page.waitForStatus(/ready: nano/);
    },
    { timeout: 3 * minute },
  );
  after(() => work?.close());

  for (const [theme, kind, pageKind] of [
    ['Default Dark Modern', 'vs-dark', 'vscode-dark'],
    ['Default Light Modern', 'vs', 'vscode-light'],
    ['Default High Contrast', 'hc-black', 'vscode-high-contrast:not(.vscode-high-contrast-light)'],
    ['Default High Contrast Light', 'hc-light', 'vscode-high-contrast-light'],
  ] as const) {
    test(`${theme}: ghost text shows, and the thought panel can be read`, { timeout: 4 * minute }, async () => {
      const { page } = work;
      await work.configure({ 'workbench.colorTheme': theme });
      await page.waitForTheme(kind);
      await page.calm(file);
      await typeBelow(page, file, METHOD, '');
      await page.typeUntilSuggested();
      await page.screenshot(`47-${theme.replaceAll(' ', '-')}`);
      await page.press('Escape');
      await page.save(file);
      await page.command('Thoughtline: Show Thought');
      await page.thought.locator('svg').first().waitFor();
      // The page is told of a theme after the window.
      await page.thought.locator(`body.${pageKind}`).waitFor();
      await sleep(300);
      const { text, ratio } = await page.leastContrast();
      await page.screenshot(`48-${theme.replaceAll(' ', '-')}-thought`);
      assert.ok(ratio >= 4.5, `"${text}" stands out by ${ratio.toFixed(1)} only`);
    });
  }
});
