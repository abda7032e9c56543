/** The editor and the command line suggest the same. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { completeOnCommandLine, pack, root, start, type CommandLineAnswer, type Workplace } from './suite';

const minute = 60_000;
const file = 'src/harbour.ts';

/** Text put in front of a line of the file, and completed at its end. */
const places = [
  { before: '  /** What all visits together', text: '  /** The berth of a boat. */\n  berthOf(boat: Boat): ' },
  { before: '    const ended: Visit = {', text: '    const fee = this.' },
  { before: '    this.berths.set(berth.id, berth);', text: '    if (berth.lengthMetres <= 0) ' },
  { before: '    const visit = this.visits.get(id);', text: '    if (' },
  { before: '  /** Nights of a visit so far', text: '  private isTaken(' },
];

interface Expected {
  /** The file with the beginning that is completed. */
  edited: string;
  line: number;
  column: number;
  answer: CommandLineAnswer;
}

/** What the command line suggests at each of the places. */
async function expectedAnswers(): Promise<Expected[]> {
  const original = await readFile(join(root, 'test', 'fixtures', 'project', file), 'utf8');
  const found: Expected[] = [];
  for (const { before: place, text } of places) {
    const at = original.indexOf(place);
    assert.notEqual(at, -1, `${file} holds "${place}"`);
    const edited = `${original.slice(0, at)}${text}\n${original.slice(at)}`;
    const head = edited.slice(0, at + text.length).split('\n');
    const [line, column] = [head.length, head.at(-1)!.length + 1];
    found.push({ edited, line, column, answer: await completeOnCommandLine(`harbour/${file}`, edited, line, column) });
  }
  return found;
}

describe('the editor and the command line', { timeout: 12 * minute }, () => {
  let packed: Awaited<ReturnType<typeof pack>> | undefined;
  let work: Workplace | undefined;
  let expected: Expected[] = [];
  before(
    async () => {
      packed = await pack();
      // The command line knows the one document; the editor would know the workspace's other files, too.
      const answers = expectedAnswers();
      answers.catch(() => undefined);
      work = await start(packed.vsix, { settings: { 'thoughtline.memory': 'openFiles' } });
      expected = await answers;
      await work.page.open(file);
      await work.page.waitForStatus(/ready/);
    },
    { timeout: 9 * minute },
  );
  after(async () => {
    await work?.close();
    await packed?.remove();
  });

  test('they suggest the same for the same document', async () => {
    const { page, project } = work!;
    let compared = 0;
    for (const [index, { edited, line, column, answer }] of expected.entries()) {
      assert.ok(answer.thought.nll.length > 1, 'the file does not fit into the window: there is evidence');
      // Where the model keeps silent there is nothing to see.
      if (answer.completion === '') continue;

      await page.command('View: Close All Editors');
      await writeFile(join(project, file), edited);
      await page.open(file);
      await page.goto(line, column);
      // A machine that is busy suggests before it has thought to the end, and the status may not say yet that it thinks:
      // what it suggests in the end is the last word.
      const suggested = async () => {
        await page.press('Escape');
        await page.trigger();
        const ghost = await page.waitForGhostText(15_000).catch(() => '');
        await page.waitForStatus(/ready/);
        return ghost;
      };
      await page.until(suggested, (ghost) => ghost === answer.completion, 90_000, `"${answer.completion}"`);
      await page.screenshot(`12-same-as-command-line-${index + 1}`);
      compared++;
    }
    assert.ok(compared >= 2, `the model suggests something in at least two of ${places.length} places`);
  });
});
