/** The shortest walk through a real VS Code with the built VSIX: it starts, suggests, and Tab accepts what was suggested. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pack, start, type Workplace } from './suite';

const minute = 60_000;
const file = 'src/harbour.ts';
const place = 'fee(visit: Visit): Money {';

let work: Workplace | undefined;
let removeVsix = () => Promise.resolve();

before(
  async () => {
    const packed = await pack();
    removeVsix = () => packed.remove();
    // The first start installs the editor itself.
    work = await start(packed.vsix);
  },
  { timeout: 9 * minute },
);

after(async () => {
  await work?.close();
  await removeVsix();
});

test('typing shows ghost text, and Tab accepts exactly that', { timeout: 5 * minute }, async () => {
  const { page, project } = work!;
  await page.open(file);
  await page.waitForStatus(/ready: nano \S+ on \w+/);
  const lines = (await readFile(join(project, file), 'utf8')).split('\n');
  const line = lines.findIndex((text) => text.includes(place)) + 1;
  await page.goto(line, 1);
  await page.press('End', 'Enter');
  const { typed, ghost } = await page.typeUntilSuggested();
  await page.screenshot('02-ghost-text');
  await page.press('Tab');
  await page.until(
    () => page.ghostText(),
    (now) => now !== ghost,
    10_000,
    'the ghost text is accepted',
  );
  await page.screenshot('03-accepted');
  const saved = (await page.save(file)).split('\n');
  const accepted = saved.slice(line, line + ghost.split('\n').length).join('\n');
  assert.equal(accepted, `    ${typed}${ghost}`);
  assert.deepEqual(await page.popUps(), [], 'no pop-ups');
});
