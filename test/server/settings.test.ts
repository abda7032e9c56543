import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LspClient, frozen, tiny } from './client';

const scratch = mkdtempSync(join(tmpdir(), 'thoughtline-settings-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const uri = 'file:///w/src/refine.ts';
const text = readFileSync(join(frozen, 'src/thought/refine.ts'), 'utf8');
const lines = text.split('\n');

/** Items at the ends of the first lines: at least one, unless suggestions are off. */
async function suggestions(client: LspClient, document: string): Promise<number> {
  let items = 0;
  for (let line = 20; line < 28; line++) {
    items += (await client.complete(document, { line, character: lines[line]!.length }, { invoked: true })).length;
  }
  return items;
}

test('settings that are not acceptable cost one line in the log each; the defaults are used', async () => {
  const client = await LspClient.start({ settings: { inferenceSteps: 99, device: 'cpu', maxLines: 'many' } });
  await client.open(uri, text);
  await client.ready();
  assert.deepEqual(client.logs.filter((line) => line.startsWith('thoughtline.')).sort(), [
    'thoughtline.inferenceSteps: 99 is not accepted: use a whole number from 0 to 32, or null (using the default, null)',
    'thoughtline.maxLines: "many" is not accepted: use a whole number from 1 to 64 (using the default, 8)',
  ]);
  // What pays with the model at work.
  const { steps } = await client.thought(uri);
  assert.equal(steps, 1);
  await client.configure({ enable: 'sometimes' });
  await client.until(() => client.logs.some((line) => line.startsWith('thoughtline.enable: "sometimes"')), 'the line');
  assert.ok((await suggestions(client, uri)) > 0);
  await client.stop();
});

test('languages are off by default or by setting: no suggestion, no thinking, and the reason', async () => {
  const client = await LspClient.start({ settings: { inferenceSteps: 1 } });
  const table: [string, string][] = [
    ['file:///w/notes.md', 'markdown'],
    ['file:///w/notes.txt', 'plaintext'],
    ['vscode-scm:git/scm0/input', 'scminput'],
  ];
  await client.ready();
  for (const [document, languageId] of table) {
    await client.open(document, text, languageId);
    assert.equal(await suggestions(client, document), 0, languageId);
    const { reason } = await client.why(document, { line: 20, character: 0 });
    assert.equal(reason, `completion is off for the language "${languageId}" (thoughtline.languages)`);
  }
  assert.ok(!client.statuses.some(({ state }) => state === 'thinking'));
  await client.open(uri, text);
  assert.ok((await suggestions(client, uri)) > 0);
  await client.configure({ inferenceSteps: 1, languages: { typescript: false, markdown: true } });
  assert.equal(await suggestions(client, uri), 0);
  assert.ok((await suggestions(client, table[0]![0])) > 0);
  await client.stop();
});

test('switched off, the model leaves memory; switched on, it comes back', async () => {
  const client = await LspClient.start();
  await client.open(uri, text);
  await client.ready();
  assert.ok((await client.statistics()).memory.inference > 0);
  await client.configure({ enable: false });
  await client.until(() => client.status?.state === 'off', 'off');
  assert.equal(await suggestions(client, uri), 0);
  assert.match((await client.why(uri, { line: 20, character: 0 })).reason, /switched off \(thoughtline\.enable\)/);
  const off = await client.statistics();
  assert.equal(off.memory.inference, 0);
  assert.equal(off.inferencePid, undefined);
  await client.configure({ enable: true });
  assert.ok((await suggestions(client, uri)) > 0);
  await client.stop();
});

test('never enabled, the model is never loaded', async () => {
  const client = await LspClient.start({ settings: { enable: false } });
  await client.open(uri, text);
  assert.equal(await suggestions(client, uri), 0);
  assert.deepEqual(client.statuses, [{ state: 'off' }]);
  assert.equal((await client.statistics()).inferencePid, undefined);
  await client.stop();
});

test('the dial sets the steps of the thought; 0 means no thinking', async () => {
  const client = await LspClient.start({ settings: { inferenceSteps: 2 } });
  await client.open(uri, text);
  const two = await client.thought(uri);
  assert.deepEqual([two.steps, two.trace.nll.length], [2, two.trace.steps + 1]);
  assert.ok(two.trace.chunks.length > 1 && two.trace.coverage > 0);
  await client.configure({ inferenceSteps: 6 });
  const six = await client.thought(uri, ({ steps }) => steps === 6);
  assert.ok(six.trace.steps >= two.trace.steps && six.trace.steps <= 6);
  const told = client.statuses.filter(({ state }) => state === 'thinking').map(({ steps }) => steps);
  assert.deepEqual([...new Set(told)], [2, 6]);
  await client.configure({ inferenceSteps: 0 });
  await client.complete(uri, { line: 0, character: 0 });
  assert.equal(await client.connection.sendRequest('thoughtline/thought', { uri }), null);
  await client.stop();
});

test('more steps than pay are taken when nothing has been typed for a while', async () => {
  const client = await LspClient.start({ settings: { inferenceSteps: 3 } });
  await client.ready();
  await client.open(uri, text);
  await client.complete(uri, { line: 40, character: 0 });
  const told = () => [
    ...new Set(client.statuses.filter(({ state }) => state === 'thinking').map(({ steps }) => steps)),
  ];
  const patience = performance.now() + 60_000;
  while (!told().includes(3) && performance.now() < patience) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(told(), [1, 3]);
  await client.stop();
});

test('maxLines bounds suggestions', async () => {
  const client = await LspClient.start({ settings: { inferenceSteps: 0, maxLines: 1 } });
  await client.open(uri, text);
  for (let line = 10; line < 60; line++) {
    const [item] = await client.complete(uri, { line, character: lines[line]!.length }, { invoked: true });
    // At the end of a finished line a suggestion may begin with a newline.
    const inserted = ((item?.insertText as string | undefined) ?? '').trim();
    assert.ok(!inserted.includes('\n'), JSON.stringify(inserted));
  }
  await client.stop();
});

test('auto measures the code model once, says why it serves or does not, and remembers it', async () => {
  // The tiny bundle stands for the code model here: what is tested is the choice.
  const given = { coder: tiny, models: scratch, settings: { inferenceSteps: 0 } };
  const first = await LspClient.start(given);
  const measured = /a suggestion of coder takes (\d+) ms here/;
  await first.until(() => measured.test(first.status?.because ?? ''), 'the measurement');
  assert.ok(first.logs.includes('model: it is tried how fast coder is here'), first.logs.join('\n'));
  const milliseconds = measured.exec(first.status!.because!)![1];
  await first.stop();

  const second = await LspClient.start(given);
  // Until the chosen one is loaded the one that comes with the extension answers.
  await second.until(() => measured.test(second.status?.because ?? ''), 'the choice');
  assert.equal(measured.exec(second.status!.because!)![1], milliseconds);
  assert.ok(!second.logs.includes('model: it is tried how fast coder is here'), second.logs.join('\n'));
  const fast = Number(milliseconds) <= 600;
  assert.match(second.status!.model!, fast ? /^tiny / : /^nano /);

  await second.configure({ inferenceSteps: 0, model: 'nano' });
  await second.until(() => second.status?.because === 'thoughtline.model is nano', 'the choice');
  // The menu tells how fast each is.
  const speeds = () => readFileSync(join(scratch, 'speeds.json'), 'utf8');
  await second.until(() => /"nano, /.test(speeds()), 'the measurement of nano');
  await second.configure({ inferenceSteps: 0, model: 'coder' });
  await second.until(() => second.status?.model?.startsWith('tiny '), 'the other choice');
  assert.equal(second.status!.because, 'thoughtline.model is coder');
  await second.stop();
});
