/** Cells of a notebook over the notebook synchronisation of LSP. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { standIn, type StandIn } from './standIn';

const notebook = 'file:///w/a.ipynb';
const of = (id: string) => `vscode-notebook-cell:///w/a.ipynb#${id}`;
const [markup, code] = [1, 2];

async function opened(context: TestContext): Promise<StandIn> {
  const server = await standIn([{ after: '', text: 'load()' }], { settings: { inferenceSteps: 1 } });
  context.after(server.stop);
  await server.client.connection.sendNotification('notebookDocument/didOpen', {
    notebookDocument: {
      uri: notebook,
      notebookType: 'jupyter-notebook',
      version: 1,
      cells: [
        { kind: markup, document: of('title') },
        { kind: code, document: of('first') },
        { kind: code, document: of('second') },
        { kind: code, document: of('third') },
      ],
    },
    cellTextDocuments: [
      { uri: of('title'), languageId: 'markdown', version: 1, text: 'Boats of a harbour' },
      { uri: of('first'), languageId: 'python', version: 1, text: 'import csv' },
      { uri: of('second'), languageId: 'python', version: 1, text: 'boats = ' },
      { uri: of('third'), languageId: 'python', version: 1, text: 'print("the end of the notebook")\n'.repeat(9) },
    ],
  });
  return server;
}

const before = '# Boats of a harbour\n\nimport csv\n\n';

test('the cells above are what stands before a cell, in their order; those below may be evidence', async (context) => {
  const { client, asked, received } = await opened(context);
  const [item] = await client.complete(of('second'), { line: 0, character: 8 });
  assert.equal(item?.insertText, 'load()');
  assert.deepEqual(item?.range, { start: { line: 0, character: 8 }, end: { line: 0, character: 8 } });
  const { request } = asked().at(-1)!;
  assert.equal(request.prefix, `${before}boats = `);
  assert.equal(request.suffix, '');
  const related = request.related.map(({ text }) => text).join('\n');
  assert.match(related, /the end of the notebook/);
  assert.doesNotMatch(related, /import csv/);
  const thought = () => received().find((message) => message.type === 'think' && message.uri === of('second'));
  await client.until(thought, 'a thought');
  const message = thought();
  assert.ok(message?.type === 'think' && message.request.prefix.startsWith(before));
});

test('cells that change, move and go are seen', async (context) => {
  const { client, asked } = await opened(context);
  const change = (cells: unknown, version: number) =>
    client.connection.sendNotification('notebookDocument/didChange', {
      notebookDocument: { uri: notebook, version },
      change: { cells },
    });
  const prefix = async (invoked = true) => {
    await client.complete(of('second'), { line: 0, character: 8 }, { invoked });
    return asked().at(-1)!.request.prefix;
  };
  const at = { line: 0, character: 10 };
  const insert = { range: { start: at, end: at }, text: ', json' };
  await change({ textContent: [{ document: { uri: of('first'), version: 2 }, changes: [insert] }] }, 2);
  assert.equal(await prefix(), `${before.replace('csv', 'csv, json')}boats = `);
  // The first cell goes.
  const gone = { start: 0, deleteCount: 1 };
  await change({ structure: { array: gone, didClose: [{ uri: of('title') }] } }, 3);
  assert.equal(await prefix(), 'import csv, json\n\nboats = ');
  // The second stands first from now on.
  const cells = ['second', 'first'].map((id) => ({ kind: code, document: of(id) }));
  await change({ structure: { array: { start: 0, deleteCount: 2, cells } } }, 4);
  assert.equal(await prefix(), 'boats = ');
});

test('what is typed in a cell goes on with what is on screen; what is deleted there is not offered again', async (context) => {
  const { client, asked } = await opened(context);
  const uri = of('second');
  let version = 1;
  const change = (...changes: unknown[]) => {
    const document = { uri, version: ++version };
    return client.connection.sendNotification('notebookDocument/didChange', {
      notebookDocument: { uri: notebook, version },
      change: { cells: { textContent: [{ document, changes }] } },
    });
  };
  const type = (character: number, text: string) =>
    change({ range: { start: { line: 0, character }, end: { line: 0, character } }, text });
  assert.equal((await client.complete(uri, { line: 0, character: 8 })).length, 1);
  await type(8, 'lo');
  const runs = asked().length;
  const [rest] = await client.complete(uri, { line: 0, character: 10 });
  assert.equal(rest?.insertText, 'ad()');
  assert.equal(asked().length, runs, 'without a run');
  await type(10, 'ad()');
  await change({ range: { start: { line: 0, character: 8 }, end: { line: 0, character: 14 } }, text: '' });
  assert.deepEqual(await client.complete(uri, { line: 0, character: 8 }), []);
  assert.match((await client.why(uri, { line: 0, character: 8 })).reason, /right after a deletion/);
  // Something elsewhere in the notebook is typed.
  await client.connection.sendNotification('notebookDocument/didChange', {
    notebookDocument: { uri: notebook, version: ++version },
    change: {
      cells: { textContent: [{ document: { uri: of('third'), version: 2 }, changes: [{ text: 'x = 1' }] }] },
    },
  });
  await client.connection.sendNotification('notebookDocument/didClose', {
    notebookDocument: { uri: notebook },
    cellTextDocuments: ['title', 'first', 'second', 'third'].map((id) => ({ uri: of(id) })),
  });
  assert.match((await client.why(uri, { line: 0, character: 8 })).reason, /has not been told about this document/);
});
