/** The rule book of silence over the protocol: each setting and state of a document that keeps suggestions back. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { standIn, type StandIn } from './standIn';

const uri = 'file:///w/src/a.ts';
const text = 'const a = \nconst b = 1;\n';
const end = { line: 0, character: 10 };

async function opened(context: TestContext, settings: Record<string, unknown> = {}): Promise<StandIn> {
  const server = await standIn([{ after: '', text: 'load();' }], {
    settings: { inferenceSteps: 1, ...settings },
    folders: ['file:///w'],
  });
  context.after(server.stop);
  await server.client.open(uri, text);
  return server;
}

const count = async ({ client }: StandIn, document = uri, invoked = false) =>
  (await client.complete(document, end, { invoked })).length;
const why = async ({ client }: StandIn, document = uri) => (await client.why(document, end)).reason;

test('manual: nothing comes by itself, in all languages or in one; triggered, it does', async (context) => {
  const server = await opened(context, { trigger: 'manual' });
  assert.equal(await count(server), 0);
  assert.match(await why(server), /only when triggered manually \(thoughtline\.trigger\)/);
  assert.equal(await count(server, uri, true), 1);
  await server.client.configure({ trigger: 'automatic' });
  assert.equal(await count(server), 1);
});

test('right after a deletion, undo or redo nothing comes by itself; typed on or triggered, it does', async (context) => {
  const server = await opened(context);
  const { client } = server;
  const type = (what: string) => client.type(uri, { line: 1, character: 0 }, what);
  const remove = () =>
    client.change(uri, { range: { start: { line: 1, character: 0 }, end: { line: 1, character: 1 } }, text: '' });
  await type('x');
  assert.equal(await count(server), 1);
  await remove();
  assert.equal(await count(server), 0);
  assert.match(await why(server), /right after a deletion/);
  await type('y');
  assert.equal(await count(server), 1);
  for (const kind of ['undo', 'redo']) {
    await client.connection.sendNotification('thoughtline/undone', { uri, kind });
    await type('z');
    assert.equal(await count(server), 0, kind);
    assert.match(await why(server), new RegExp(`right after ${kind}`));
    assert.equal(await count(server, uri, true), 1, kind);
    assert.equal(await count(server), 1, `${kind}, and triggered`);
  }
  await client.connection.sendNotification('thoughtline/undone', { uri: 7, kind: 'again' });
  await client.connection.sendNotification('thoughtline/undone', { uri, kind: 'again' });
  await type('z');
  assert.equal(await count(server), 1, 'what is no announcement is none');
});

test('in a file with merge conflicts nothing comes by itself', async (context) => {
  const server = await opened(context);
  const conflict = 'file:///w/src/conflict.ts';
  await server.client.open(conflict, `${text}<<<<<<< ours\n1\n=======\n2\n>>>>>>> theirs\n`);
  assert.equal(await count(server, conflict), 0);
  assert.match(await why(server, conflict), /merge conflicts/);
  assert.equal(await count(server, conflict, true), 1);
  await server.client.change(conflict, { text });
  assert.equal(await count(server, conflict), 1);
});

test('excluded files are not completed, not thought about, and no evidence', async (context) => {
  const server = await opened(context, { exclude: { 'made/**': true } });
  const { client, asked, received } = server;
  const made = 'file:///w/made/b.ts';
  const said = 'export const inAnExcludedFile = 1;\n';
  await client.open(made, `${text}${said.repeat(30)}`);
  for (const invoked of [false, true]) assert.equal(await count(server, made, invoked), 0);
  assert.match(await why(server, made), /excluded by "made\/\*\*" \(thoughtline\.exclude\)/);
  assert.equal(await count(server, uri, true), 1);
  assert.ok(!JSON.stringify(asked()).includes('inAnExcludedFile'));
  assert.ok(!received().some((message) => message.type === 'think' && message.uri === made));
  // By default what is secret by its name.
  const secret = 'file:///w/.env.local';
  await client.open(secret, text, 'properties');
  assert.equal(await count(server, secret, true), 0);
  assert.match(await why(server, secret), /excluded by "\*\*\/\.env\*"/);
  const dotenv = 'file:///w/variables';
  await client.open(dotenv, text, 'dotenv');
  assert.equal(await count(server, dotenv, true), 0);
  assert.match(await why(server, dotenv), /off for the language "dotenv"/);

  await client.configure({ inferenceSteps: 1, exclude: { '**/.env*': false } });
  assert.equal(await count(server, made, true), 1);
  assert.equal(await count(server, secret, true), 1);
  assert.equal(await count(server, uri, true), 1);
  assert.ok(JSON.stringify(asked().at(-1)).includes('inAnExcludedFile'));
});

test('before text in the line only a model comes by itself that reads it', async (context) => {
  const place = 'const a = , second);';
  for (const infills of [undefined, true] as const) {
    const server = await standIn([{ after: '', text: 'first', ...(infills && { infills }) }]);
    context.after(server.stop);
    const { client } = server;
    await client.open(uri, place);
    const items = await client.complete(uri, end);
    assert.equal(items.length, infills ? 1 : 0);
    if (!infills) assert.match(await why(server), /there is text right of the cursor/);
    await client.change(uri, { text: 'const ab = 1;' });
    assert.equal((await client.complete(uri, { line: 0, character: 7 })).length, 0);
    assert.match((await client.why(uri, { line: 0, character: 7 })).reason, infills ? /inside a word/ : /text right/);
  }
});
