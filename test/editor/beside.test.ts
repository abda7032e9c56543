/**
 * Beside a second provider of suggestions in a real VS Code, which goes by a name of GitHub Copilot: that of its nightly
 * builds, since the one that is built in stays disabled until somebody signs in.
 */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pack, packOther, start, type Workplace } from './suite';

const minute = 60_000;
const file = 'src/harbour.ts';
const THEIRS = 'fromTheSecondProvider()';

describe('beside GitHub Copilot', { timeout: 12 * minute }, () => {
  let packed: Awaited<ReturnType<typeof pack>> | undefined;
  let work: Workplace | undefined;

  before(
    async () => {
      packed = await pack();
      const others = [await packOther('second', dirname(packed.vsix))];
      work = await start(packed.vsix, { others, settings: { 'chat.disableAIFeatures': false } });
      await work.page.open(file);
      await work.page.waitForStatus(/ready: nano/);
    },
    { timeout: 8 * minute },
  );
  after(async () => {
    await work?.close();
    await packed?.remove();
  });

  /** The second provider suggests a text after a pause; ours does as a word of `thoughtline.besideCopilot` says. */
  async function given(beside: string, text: string, pause = 0): Promise<void> {
    await work!.configure({ 'thoughtline.besideCopilot': beside, 'second.suggestion': { text, pause } });
    await work!.page.statusBar(`second: [${text}] ${pause}`).waitFor();
  }

  /** Begins a new line of a method. */
  async function newLine(): Promise<void> {
    const { page } = work!;
    await page.press('Escape', 'Escape');
    await page.goto(await page.lineOf(file, 'fee(visit: Visit): Money {'), 1);
    await page.press('End', 'Enter');
  }

  /** Types at the end of a new line. @returns the ghost text; empty where there is none within the time */
  async function typed(text: string, within = 30_000): Promise<string> {
    const { page } = work!;
    await newLine();
    await page.type(text);
    return page.waitForGhostText(within).catch(() => '');
  }

  test('the status item says so until it is clicked, then its label; nothing pops up', async () => {
    const { page } = work!;
    await page.waitForStatus(/GitHub Copilot suggests in typescript files, too/);
    await page.until(
      () => page.statusItem.innerText(),
      (text) => text.includes('Thoughtline beside Copilot'),
      10_000,
      'the news',
    );
    await page.screenshot('30-beside-copilot');
    await page.pick('Thoughtline: Menu…');
    await page.page.locator('.quick-input-widget .monaco-list-row', { hasText: 'Beside GitHub Copilot' }).waitFor();
    await page.screenshot('31-menu-beside-copilot');
    await page.press('Escape');
    await page.until(
      () => page.statusItem.innerText(),
      (text) => /Thoughtline/.test(text) && !/Copilot/.test(text),
      10_000,
      'no news',
    );
    assert.match(await page.status(), /GitHub Copilot suggests/);
    assert.deepEqual(await page.popUps(), []);
  });

  test('race: who is first is shown, and a race that is lost is told', async () => {
    const { page } = work!;
    await given('race', THEIRS, minute);
    const ours = await typed('const price = ');
    assert.ok(ours !== '' && ours !== THEIRS, ours);
    await given('race', THEIRS);
    let said = '';
    // It is a race: ours may be first, or reach the editor in the same moment, and then nobody tells that another is shown.
    for (const name of ['prices', 'costs', 'sums', 'dues', 'fees', 'rates', 'tolls', 'taxes']) {
      if ((await typed(`const ${name} = `)) !== THEIRS) continue;
      await page.screenshot('32-race-lost');
      said = await page.why();
      if (/Another extension was first/.test(said)) break;
    }
    assert.match(said, /Another extension was first/);
  });

  test('yield: what takes less than half a second is first, what takes longer is not; alone, ours comes', async () => {
    await given('yield', THEIRS, 300);
    assert.equal(await typed('const first = '), THEIRS);
    await given('yield', THEIRS, minute);
    const ours = await typed('const second = ');
    assert.ok(ours !== '' && ours !== THEIRS, ours);
    const times: string[] = [];
    for (const beside of ['race', 'yield']) {
      await given(beside, '');
      // A suggestion that Escape dismissed does not come back at its place: each line has a name of its own.
      await newLine();
      const milliseconds = await work!.page.timeToGhostText(`const ${beside}Price = `);
      times.push(`${beside}: ${milliseconds.toFixed(0)} ms`);
    }
    // By the wall's clock: what it is depends on how busy the machine is.
    process.stderr.write(`from the key to ghost text where the other one suggests nothing: ${times.join(', ')}\n`);
  });

  test('manual: nothing of ours by itself, and the reason is told; triggered, it comes', async () => {
    const { page } = work!;
    await given('manual', '');
    assert.equal(await typed('const price = ', 4_000), '');
    assert.match(await page.why(), /only when triggered manually \(thoughtline\.besideCopilot\)/);
    await page.trigger();
    assert.notEqual(await page.waitForGhostText(15_000), '');
    await page.press('Escape');
  });
});
