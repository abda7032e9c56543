/** What the server remembers of a place, and when that no longer holds: settings, time, and what the user did not want. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { InlineCompletionItem } from 'vscode-languageserver-protocol';
import { standIn, type Answer } from './standIn';

const uri = 'file:///w/a.ts';
const text = 'const a = ';
const end = { line: 0, character: text.length };
const texts = (items: InlineCompletionItem[]) => items.map(({ insertText }) => insertText);

async function opened(context: TestContext, answers: readonly Answer[]) {
  const server = await standIn(answers, { settings: { inferenceSteps: 0 } });
  context.after(server.stop);
  await server.client.open(uri, `${text}${'\n'.repeat(6)}`);
  const { client } = server;
  const ask = async (character = end.character, invoked = false) =>
    texts(await client.complete(uri, { line: 0, character }, { invoked }));
  const remove = (from: number, to: number) =>
    client.change(uri, { range: { start: { line: 0, character: from }, end: { line: 0, character: to } }, text: '' });
  const type = (what: string, at = end.character) => client.type(uri, { line: 0, character: at }, what);
  const why = async () => (await client.why(uri, end)).reason;
  return { ...server, ask, remove, type, why };
}

test('accepted and undone, a suggestion comes again by its first letters, or triggered manually', async (context) => {
  const { ask, type, remove, why, client } = await opened(context, [
    { after: '= ', text: 'load();' },
    { after: '= l', text: 'oad();' },
  ]);
  assert.deepEqual(await ask(), ['load();']);
  await type('load();');
  await remove(end.character, end.character + 7);
  assert.deepEqual(await ask(), []);
  assert.match(await why(), /right after a deletion/);
  // Typing elsewhere changes nothing at the place.
  await client.type(uri, { line: 5, character: 0 }, 'next');
  assert.deepEqual(await ask(), []);
  assert.match(await why(), /dismissed, undone or deleted/);
  await type('l');
  assert.deepEqual(await ask(end.character + 1), ['oad();']);
  await remove(end.character, end.character + 1);
  assert.deepEqual(await ask(), []);
  assert.deepEqual(await ask(end.character, true), ['load();']);
  assert.deepEqual(await ask(), ['load();']);
});

test('letters taken back by Backspace are not offered at once', async (context) => {
  const { ask, type, remove } = await opened(context, [
    { after: 'load()', text: ';' },
    { after: 'load(', text: ');' },
  ]);
  await type('load();');
  await remove(end.character + 6, end.character + 7);
  assert.deepEqual(await ask(end.character + 6), []);
  await remove(end.character + 5, end.character + 6);
  assert.deepEqual(await ask(end.character + 5), []);
  await type('x', end.character + 5);
  await type(')', end.character + 6);
  await remove(end.character + 6, end.character + 7);
  await remove(end.character + 5, end.character + 6);
  // A typing error taken back refuses nothing but itself: ")" is what was taken back before.
  assert.deepEqual(await ask(end.character + 5), []);
});

test('dismissed, it is not offered there again; elsewhere and otherwise it is', async (context) => {
  const { client, ask, type, remove, asked } = await opened(context, [{ after: '= ', text: 'load();' }]);
  assert.deepEqual(await ask(), ['load();']);
  await client.connection.sendNotification('thoughtline/dismissed', { uri, position: end });
  const before = asked().length;
  assert.deepEqual(await ask(), []);
  assert.equal(asked().length, before, 'the model is not asked for what is refused');
  await type('x');
  await remove(end.character, end.character + 1);
  assert.deepEqual(await ask(), []);
  await client.type(uri, { line: 0, character: 0 }, 'export ');
  assert.deepEqual(await ask(end.character + 7), ['load();']);
  for (const odd of [null, {}, { uri }, { uri: 'file:///none', position: end }, { uri, position: { line: 9 } }]) {
    await client.connection.sendNotification('thoughtline/dismissed', odd);
  }
  assert.deepEqual(await ask(end.character + 7), ['load();']);
});

test('what time was too short for is asked for again; what the model did not have is not', async (context) => {
  const { ask, answer, asked, type } = await opened(context, [{ after: '', text: '', stop: 'time' }]);
  assert.deepEqual(await ask(), []);
  answer([{ after: '', text: 'load();' }]);
  assert.deepEqual(await ask(), ['load();']);

  await type('y');
  answer([{ after: '', text: '', stop: 'none' }]);
  assert.deepEqual(await ask(end.character + 1), []);
  const before = asked().length;
  answer([{ after: '', text: 'load();' }]);
  assert.deepEqual(await ask(end.character + 1), []);
  assert.equal(asked().length, before);
});

const changes: [name: string, settings: Record<string, unknown>][] = [
  ['confidence', { confidence: 'strict' }],
  ['maxLines', { maxLines: 1 }],
  ['memory', { memory: 'off' }],
];
test('settings changed while running reach what is remembered, suggestions and the lack of them', async (context) => {
  const { client, ask, answer } = await opened(context, []);
  const same = { inferenceSteps: 0 };
  for (const [name, settings] of changes) {
    answer([{ after: '', text: 'two();\nlines();' }]);
    await client.configure(same);
    assert.deepEqual(await ask(), ['two();\nlines();'], name);
    answer([]);
    assert.deepEqual(await ask(), ['two();\nlines();'], `${name}: it is remembered`);
    await client.configure({ ...same, ...settings });
    assert.deepEqual(await ask(), [], name);
    answer([{ after: '', text: 'one();' }]);
    assert.deepEqual(await ask(), [], `${name}: that there is nothing is remembered`);
    await client.configure(same);
    assert.deepEqual(await ask(), ['one();'], name);
    // So that the next round begins with nothing.
    await client.configure({ ...same, maxLines: 3 });
    await ask();
  }
});
