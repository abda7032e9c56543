/** Next edits in a real VS Code: shown, reached, taken, and sent away, by the keys that a user has. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pack, start, steps, type Workplace } from './suite';

const minute = 60_000;

const LOOKUPS = 'src/lookups.ts';
/** Two places are on the screen, the third far below. */
const LOOKUPS_TEXT = `import { harbourFees, tideTable, visits } from './tables';

export const surcharge = harbourFees.lookup(visits.berthNumber, tideTable);
export const discount = harbourFees.lookup(visits.berthNumber, tideTable);
${'// The harbour is quiet.\n'.repeat(80)}export const deposit = harbourFees.lookup(visits.berthNumber, tideTable);
`;

const DECLARED = 'src/declared.ts';
const DECLARED_TEXT = `export function total(prices: number[]): number {
  let subtotal = 0;
  for (const price of prices) {
    subtotal = subtotal + price;
  }
  return subtotal;
}
`;

/** In each of the two the same stands once. */
const MOORINGS = 'src/moorings.ts';
const PILOTS = 'src/pilots.ts';
const quoted = (name: string) => `import { harbourFees, tideTable, visits } from './tables';

export const ${name} = harbourFees.lookup(visits.quayNumber, tideTable);
`;

/** Below what is edited somebody has begun a line that a suggestion goes on with. */
const BOTH = 'src/both.ts';
const BOTH_TEXT = `import { harbourFees, tideTable, visits } from './tables';

export const ebb = harbourFees.lookup(visits.pierNumber, tideTable);
export const flood = harbourFees.lookup(visits.pierNumber, tideTable);

export function sum(first: number, second: number): number {
  return${' '}
}
`;

describe('the next edit', { timeout: 15 * minute }, () => {
  let packed: Awaited<ReturnType<typeof pack>> | undefined;
  let work: Workplace | undefined;

  before(
    async () => {
      packed = await pack();
      work = await start(
        packed.vsix,
        {
          settings: {
            'thoughtline.nextEdits': 'all',
            'thoughtline.trigger': 'automatic',
            'thoughtline.maxLines': 1,
            // Ghost text comes only where it is triggered.
            'editor.inlineSuggest.enabled': false,
          },
        },
        async (project) => {
          await writeFile(join(project, LOOKUPS), LOOKUPS_TEXT);
          await writeFile(join(project, DECLARED), DECLARED_TEXT);
          await writeFile(join(project, MOORINGS), quoted('mooring'));
          await writeFile(join(project, PILOTS), quoted('pilot'));
          await writeFile(join(project, BOTH), BOTH_TEXT);
        },
      );
      await work.page.open(LOOKUPS);
      await work.page.waitForStatus(/ready: nano/);
    },
    { timeout: 8 * minute },
  );
  after(async () => {
    await work?.close();
    await packed?.remove();
  });
  beforeEach(() => work?.page.press('Escape', 'Escape', 'Escape'));

  const step = steps(() => work!.page);

  /** What the status bar says of the next edit, as a screen reader reads it; empty while there is none. */
  async function offered(): Promise<string> {
    const item = work!.page.page.locator('.statusbar-item[id="thoughtline.thoughtline.nextEdit"] a').first();
    // It may go while it is being looked for.
    const label = (await item.count()) === 0 ? null : item.getAttribute('aria-label', { timeout: 1_000 });
    return (await Promise.resolve(label).catch(() => null)) ?? '';
  }

  const waitFor = (pattern: RegExp, what: string) =>
    work!.page.until(offered, (label) => pattern.test(label), 20_000, what);

  /** Selects a name and types another over it. */
  async function rename(line: number, column: number, length: number, name: string): Promise<void> {
    const { page } = work!;
    await page.goto(line, column);
    for (let i = 0; i < length; i++) await page.press('Shift+ArrowRight');
    await page.type(name, 30);
  }

  step(
    'what was edited is offered in a like place; Tab accepts it, and the next Tab goes where it is not seen',
    async () => {
      const { page } = work!;
      const column = 'export const surcharge = harbourFees.lookup(visits.'.length + 1;
      await rename(3, column, 'berthNumber'.length, 'berthLabel');
      await waitFor(/line 4: replace berthNumber by berthLabel/, 'an edit in line 4');
      await page.screenshot('60-next-edit');
      await page.press('Tab');
      await waitFor(/line 85: replace berthNumber by berthLabel/, 'an edit far below');
      await page.screenshot('61-next-edit-below');
      assert.ok((await page.page.locator('.view-lines').first().innerText()).includes('berthLabel'));
      await page.press('Tab');
      await page.until(
        () => page.page.locator('.view-lines').first().innerText(),
        (text) => text.includes('deposit'),
        10_000,
        'the place',
      );
      await sleep(500);
      await page.screenshot('62-next-edit-reached');
      await page.press('Tab');
      await page.until(offered, (label) => label === '', 10_000, 'nothing is left');
      assert.equal(await page.save(LOOKUPS), LOOKUPS_TEXT.replaceAll('berthNumber', 'berthLabel'));
      // One step of undoing for each.
      await page.press('Control+Z');
      assert.equal((await page.save(LOOKUPS)).split('berthNumber').length - 1, 1);
      await page.press('Control+Z');
      assert.equal((await page.save(LOOKUPS)).split('berthNumber').length - 1, 2);
      await sleep(1_000);
      assert.equal(await offered(), '', 'nothing is offered after undoing');
    },
  );

  step('Escape sends it away for good; Tab has its own meaning then', async () => {
    const { page } = work!;
    const column = 'export const surcharge = harbourFees.lookup(visits.berth'.length + 1;
    await rename(3, column, 'Label'.length, 'Key');
    await waitFor(/line 4/, 'an edit');
    await page.press('Escape');
    await page.until(offered, (label) => label === '', 5_000, 'it is gone');
    await sleep(1_500);
    assert.equal(await offered(), '', 'it does not come back');
    await page.press('End', 'Tab');
    assert.match(await page.save(LOOKUPS), /berthKey, tideTable\);[ \t]+\n/);
  });

  step("a declared name is renamed everywhere by the language's own rename, in one step of undoing", async () => {
    const { page } = work!;
    await page.open(DECLARED);
    // The language service needs a moment to start.
    await page.openSuggestWidget();
    await page.press('Escape');
    await rename(2, '  let '.length + 1, 'subtotal'.length, 'amount');
    await waitFor(/rename subtotal to amount everywhere/, 'a rename');
    await page.screenshot('63-rename');
    await page.press('Tab');
    const renamed = DECLARED_TEXT.replaceAll('subtotal', 'amount');
    // What is saved before the language service has answered is the text in between.
    await page.until(
      () => page.page.locator('.view-lines').first().innerText(),
      (text) => text.split('amount').length === 5 && !text.includes('subtotal'),
      20_000,
      'all are renamed',
    );
    assert.equal(await page.save(DECLARED), renamed);
    await page.press('Control+Z');
    assert.equal(await page.save(DECLARED), DECLARED_TEXT);
  });

  step('in another open file: the place is named, Tab opens it there, and the next Tab accepts the edit', async () => {
    const { page } = work!;
    await page.open(PILOTS);
    await page.open(MOORINGS);
    await rename(3, 'export const mooring = harbourFees.lookup(visits.'.length + 1, 'quayNumber'.length, 'quayLabel');
    await waitFor(/pilots\.ts, line 3: replace quayNumber by quayLabel/, 'an edit in the other file');
    await page.screenshot('64-next-edit-in-another-file');
    await page.press('Tab');
    await page.page.locator('.tab.active', { hasText: 'pilots.ts' }).waitFor();
    await page.statusBar(`Ln 3, Col ${'export const pilot = harbourFees.lookup(visits.'.length + 1}`).waitFor();
    await waitFor(/Next edit, line 3: replace quayNumber by quayLabel/, 'the edit, which is on the screen now');
    await page.screenshot('65-next-edit-reached-in-another-file');
    await page.press('Tab');
    await page.until(offered, (label) => label === '', 10_000, 'nothing is left');
    assert.equal(await page.save(PILOTS), quoted('pilot').replace('quayNumber', 'quayLabel'));
    await page.focusEditor(MOORINGS);
    assert.equal(await page.save(MOORINGS), quoted('mooring').replace('quayNumber', 'quayLabel'));
  });

  step('beside ghost text the keys belong to that first; once it is accepted, the edit is still offered', async () => {
    const { page } = work!;
    await page.open(BOTH);
    await rename(3, 'export const ebb = harbourFees.lookup(visits.'.length + 1, 'pierNumber'.length, 'pierLabel');
    await waitFor(/line 4: replace pierNumber by pierLabel/, 'an edit');
    await page.goto(7, '  return '.length + 1);
    await page.trigger();
    await page.waitForGhostText();
    assert.match(await offered(), /line 4: replace pierNumber/, 'both are there');
    await page.screenshot('66-next-edit-beside-ghost-text');
    await page.press('Escape');
    await page.until(() => page.ghostText(), (now) => now === '', 5_000, 'Escape dismisses the ghost text'); // prettier-ignore
    assert.match(await offered(), /line 4: replace pierNumber/, 'and nothing else');
    await page.trigger();
    const ghost = await page.waitForGhostText();
    await page.press('Tab');
    await page.until(() => page.ghostText(), (now) => now !== ghost, 5_000, 'Tab accepts the ghost text'); // prettier-ignore
    // Whoever answers has heard of the change before, and withdrawn what was offered then.
    await page.why();
    await waitFor(/line 4: replace pierNumber by pierLabel/, 'the edit');
    const renamed = BOTH_TEXT.replace('pierNumber', 'pierLabel').replace('return ', `return ${ghost}`);
    assert.equal(await page.save(BOTH), renamed);
    await page.press('Tab');
    await page.until(offered, (label) => label === '', 10_000, 'the edit is made');
    assert.equal(await page.save(BOTH), renamed.replace('pierNumber', 'pierLabel'));
  });
});
