import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { CancellationTokenSource, type InlineCompletionItem } from 'vscode-languageserver-protocol/node';
import { ACCEPTED_COMMAND } from '../../src/protocol';
import { LspClient, parseMessages, frozen, tiny, runs } from './client';

const text = readFileSync(join(frozen, 'src/thought/refine.ts'), 'utf8');
const lines = text.split('\n');

let client: LspClient;
before(async () => {
  client = await LspClient.start({ settings: { inferenceSteps: 0 } });
});
after(() => client.stop());

let copies = 0;
let opened: string[] = [];
/** Opens the text as another document, which the model cannot tell from the others: it sees the end of the path. */
async function copy(to = client): Promise<string> {
  const uri = `file:///w/${copies++}/src/refine.ts`;
  if (to === client) opened.push(uri);
  await to.open(uri, text);
  return uri;
}
// Who has the same text open beside it is suggested what follows anyway, which is nothing: the search below would be long.
afterEach(async () => {
  for (const uri of opened) await client.close(uri);
  opened = [];
});

/**
 * The first place at the end of a line, from line 20 on, where there is a suggestion.
 * @param how triggered manually, everything that can be looked up is taken into account, however long it takes
 */
async function suggestion(
  uri: string,
  of = client,
  how: { invoked?: boolean } = {},
): Promise<{ line: number; character: number; item: InlineCompletionItem }> {
  for (let line = 20; line < lines.length; line++) {
    const character = lines[line]!.length;
    const [item] = await of.complete(uri, { line, character }, how);
    if (item) return { line, character, item };
  }
  throw new Error('the model suggests nothing anywhere');
}

test('initialize announces incremental sync, inline completion, the command of items, and that folders are followed', () => {
  assert.deepEqual(client.initialized.capabilities, {
    textDocumentSync: { openClose: true, change: 2 },
    inlineCompletionProvider: {},
    notebookDocumentSync: { notebookSelector: [{ notebook: '*' }] },
    executeCommandProvider: { commands: [ACCEPTED_COMMAND] },
    workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
  });
});

test('a request made while the model loads is answered when it is there', async () => {
  const { line, character, item } = await suggestion(await copy(), client, { invoked: true });
  const early = await LspClient.start({ settings: { inferenceSteps: 0 } });
  const [first] = await early.complete(await copy(early), { line, character }, { invoked: true });
  assert.deepEqual(first, item);
  await early.stop();
});

test('items begin at the cursor, stay on its line, and carry the command by which they are counted', async () => {
  const { line, character, item } = await suggestion(await copy());
  assert.ok(typeof item.insertText === 'string' && item.insertText.length > 0);
  assert.deepEqual(item.range?.start, { line, character });
  assert.equal(item.range?.end.line, line);
  const { length } = item.insertText;
  assert.deepEqual(item.command, { command: ACCEPTED_COMMAND, title: '', arguments: [length] });
});

test('loading is told as status and as work-done progress', async () => {
  await client.ready();
  const [loading, ready] = client.statuses;
  assert.deepEqual(loading, { state: 'loading' });
  assert.deepEqual([ready?.state, ready?.device], ['ready', 'cpu']);
  assert.match(ready?.model ?? '', /^nano /);
  assert.equal(client.progress[0]?.kind, 'begin');
  assert.equal(client.progress.at(-1)?.kind, 'end');
  assert.equal(client.progress.filter(({ kind }) => kind === 'begin').length, 1);
});

test('a client without progress support is not bothered with it', async () => {
  const plain = await LspClient.start({ capabilities: {} });
  await plain.ready();
  assert.deepEqual(plain.progress, []);
  assert.equal(await plain.stop(), 0);
});

test('what the user types along with a suggestion is answered without the model, and cheaply', async () => {
  const uri = await copy();
  const { line, character, item } = await suggestion(uri);
  const whole = item.insertText as string;
  const before = await client.statistics();
  const times: number[] = [];
  const typed = Math.min(12, whole.length - 1);
  const cursor = { line, character };
  for (let i = 0; i < typed; i++) {
    await client.type(uri, cursor, whole[i]!);
    if (whole[i] === '\n') Object.assign(cursor, { line: cursor.line + 1, character: 0 });
    else cursor.character++;
    const start = performance.now();
    const [rest] = await client.complete(uri, cursor);
    times.push(performance.now() - start);
    assert.equal(rest?.insertText, whole.slice(i + 1));
  }
  const now = await client.statistics();
  assert.equal(runs(now), runs(before));
  assert.equal(now.paths.typedAlong, before.paths.typedAlong + typed);
  assert.ok(typed > 0 && Math.min(...times) < 10, `${times.map((time) => time.toFixed(1)).join(' ')} ms`);
});

test('cancelled requests end as cancelled, and the next one is answered', async () => {
  const uri = await copy();
  for (const line of [30, 31, 32, 33, 34]) {
    const source = new CancellationTokenSource();
    let request: Promise<unknown> | undefined;
    await client.atOnce(() => {
      request = client.complete(uri, { line, character: lines[line]!.length }, { token: source.token });
      source.cancel();
      // Written after both.
      return client.configure({ inferenceSteps: 0 });
    });
    await assert.rejects(request!, /cancel/i);
  }
  assert.ok((await suggestion(uri)).item);
});

test('with the suggest widget open an item extends the selected entry over the same range', async () => {
  const uri = await copy();
  const { line, character, item } = await suggestion(uri);
  const tail = lines[line]!.slice(-3);
  const range = { start: { line, character: character - 3 }, end: { line, character } };
  const [extended] = await client.complete(uri, { line, character }, { selected: { range, text: tail } });
  assert.equal(extended?.insertText, tail + (item.insertText as string));
  assert.deepEqual(extended?.range?.start, range.start);
});

test('automatic suggestions are not made before other text; those triggered manually may be', async () => {
  const uri = await copy();
  const line = lines.findIndex((content) => /^ {2}\w{4,} \w+/.test(content));
  const middle = { line, character: 6 };
  assert.deepEqual(await client.complete(uri, middle), []);
  assert.match((await client.why(uri, middle)).reason, /text right of the cursor/);
  await client.complete(uri, middle, { invoked: true });
  assert.doesNotMatch((await client.why(uri, middle)).details[0]!, /text right of the cursor/);
});

test('documents that the server does not know get no suggestion and a reason', async () => {
  assert.deepEqual(await client.complete('file:///w/unknown.ts', { line: 0, character: 0 }), []);
  const { reason } = await client.why('file:///w/unknown.ts', { line: 0, character: 0 });
  assert.match(reason, /not been told about/);
});

test('unknown methods and shutdown are answered as the protocol wants', async () => {
  const other = await LspClient.start();
  await assert.rejects(other.connection.sendRequest('textDocument/unknown', {}), /Unhandled method/);
  assert.equal(await other.stop(), 0);
});

test('a document without a text is not opened, and nobody stumbles over it', async () => {
  const other = await LspClient.start({ bundle: tiny, settings: { inferenceSteps: 1 } });
  await other.ready();
  await other.connection.sendNotification('textDocument/didOpen', { textDocument: { uri: 'file:///w/none.ts' } });
  const uri = await copy(other);
  await other.complete(uri, { line: 20, character: 0 }, { invoked: true });
  const report = await other.thought(uri);
  assert.ok(report.trace.chunks.length > 0);
  assert.ok(
    other.logs.some((line) => line.includes('textDocument.languageId is not a string')),
    other.logs.join('\n'),
  );
  assert.equal(await other.stop(), 0);
});

test('over Node IPC the same server answers, and nothing strays to its output', async (context) => {
  // Two servers that know nothing but this file: other open files would be in the lookup memory.
  const answers = [];
  for (const transport of ['stdio', 'ipc'] as const) {
    const other = await LspClient.start({ transport, settings: { inferenceSteps: 0 } });
    context.after(() => other.stop());
    answers.push(await suggestion(await copy(other), other, { invoked: true }));
    assert.equal(await other.stop(), 0);
    if (transport === 'stdio') continue;
    assert.equal(other.output.stdout.length, 0);
    assert.equal(other.output.stderr, '');
  }
  assert.deepEqual(answers[1], answers[0]);
});

test('nothing but protocol messages was written to standard output, nothing to standard error', () => {
  assert.ok(parseMessages(client.output.stdout).length > 20);
  assert.equal(client.output.stderr, '');
});
