import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { CancellationTokenSource } from 'vscode-languageserver-protocol/node';
import { NextEditRefusedNotification, NextEditRequest, type InlineEdits, type NextEdit } from '../../src/protocol';
import { LspClient } from './client';

const SOURCE = `import { harbourFees, tideTable } from './tables';

export function berthFees(visits) {
  const surcharge = harbourFees.lookup(visits.berthNumber, tideTable);
  const discount = harbourFees.lookup(visits.berthNumber, tideTable);
  console.log(surcharge, discount);
  return harbourFees.lookup(visits.berthNumber, tideTable);
}
`;

let client: LspClient;
before(async () => {
  client = await LspClient.start({ settings: { inferenceSteps: 0, nextEdits: 'all' } });
  await client.ready();
});
after(() => client.stop());

let count = 0;
let opened: string[] = [];
async function open(text = SOURCE, ending = 'js', languageId = 'javascript'): Promise<string> {
  const uri = `file:///edits/${count++}.${ending}`;
  opened.push(uri);
  await client.open(uri, text, languageId);
  return uri;
}
afterEach(async () => {
  for (const uri of opened) await client.close(uri);
  opened = [];
});

/** Where a text stands for the nth time, from 0. */
function rangeOf(text: string, part: string, nth = 0) {
  let at = text.indexOf(part);
  for (let i = 0; i < nth; i++) at = text.indexOf(part, at + 1);
  assert.notEqual(at, -1, `${part} stands ${nth + 1} times`);
  const before = text.slice(0, at).split('\n');
  const start = { line: before.length - 1, character: before.at(-1)!.length };
  return { start, end: { line: start.line, character: start.character + part.length } };
}

async function replace(uri: string, text: string, part: string, by: string, nth = 0): Promise<string> {
  const range = rangeOf(text, part, nth);
  await client.change(uri, { range, text: by });
  return applied(text, range, by);
}

function applied(text: string, { start, end }: NextEdit['range'], by: string): string {
  const lines = text.split('\n');
  const line = lines[start.line]!;
  lines[start.line] = line.slice(0, start.character) + by + line.slice(end.character);
  return lines.join('\n');
}

const ask = (uri: string) => client.connection.sendRequest<NextEdit | null>(NextEditRequest.method, { uri });

const askAsOthersDo = (uri: string, version: number) =>
  client.connection.sendRequest<InlineEdits>('textDocument/copilotInlineEdit', {
    textDocument: { uri, version },
    position: { line: 3, character: 20 },
    context: { triggerKind: 2 },
  });

async function refuse(edit: NextEdit, how: 'dismissed' | 'ignored'): Promise<void> {
  await client.connection.sendNotification(NextEditRefusedNotification.method, { id: edit.id, how });
}

const EDIT = ['visits.berthNumber', 'visits.berth.number'] as const;

test('an edit is offered where the same text stands in a like place, one after the other, until it stands nowhere', async () => {
  const uri = await open();
  let text = await replace(uri, SOURCE, ...EDIT);
  const lines: number[] = [];
  for (let edit = await ask(uri); edit; edit = await ask(uri)) {
    assert.equal(edit.uri, uri);
    assert.equal(edit.kind, 'repeat');
    assert.ok(edit.confidence > 0.5 && edit.confidence <= 1);
    lines.push(edit.range.start.line);
    await client.change(uri, { range: edit.range, text: edit.newText });
    text = applied(text, edit.range, edit.newText);
  }
  assert.deepEqual(lines.sort(), [4, 6]);
  assert.equal(text, SOURCE.replaceAll(...EDIT));
});

test('other editors get it as they ask for it', async () => {
  const uri = await open();
  await replace(uri, SOURCE, ...EDIT);
  const { edits } = await askAsOthersDo(uri, 2);
  assert.equal(edits.length, 1);
  const [edit] = edits;
  assert.deepEqual(edit!.textDocument, { uri, version: 2 });
  assert.equal(edit!.range.start.line, 4);
  const changed = applied(SOURCE, edit!.range, edit!.text);
  assert.ok(changed.split('\n')[4]!.includes('visits.berth.number'));
});

test('a declared name that was changed is offered where the old one still stands, and where it was declared is told', async () => {
  const uri = await open();
  const text = await replace(uri, SOURCE, 'surcharge', 'extraCharge');
  const edit = await ask(uri);
  assert.equal(edit?.kind, 'rename');
  assert.deepEqual([edit.oldText, edit.newText, edit.range.start.line], ['surcharge', 'extraCharge', 5]);
  assert.deepEqual(edit.renamed, { range: rangeOf(text, 'extraCharge'), oldName: 'surcharge' });
});

test('nothing is offered after what is no typing', async () => {
  const cases: [name: string, change: (uri: string) => Promise<unknown>][] = [
    ['nothing was edited', () => Promise.resolve()],
    [
      'several cursors',
      (uri) =>
        client.change(
          uri,
          { range: rangeOf(SOURCE, 'berthNumber', 0), text: 'berth.number' },
          { range: rangeOf(SOURCE, 'console'), text: 'window.console' },
        ),
    ],
    [
      'an edit of 10,000 lines',
      async (uri) => {
        await replace(uri, SOURCE, ...EDIT);
        await client.change(uri, {
          range: { start: { line: 9, character: 0 }, end: { line: 9, character: 0 } },
          text: 'a();\n'.repeat(10_000),
        });
      },
    ],
    [
      'a formatter, after an edit',
      async (uri) => {
        const text = await replace(uri, SOURCE, ...EDIT);
        const indents = text.split('\n').map((_, line) => {
          const start = { line, character: 0 };
          return { range: { start, end: start }, text: '  ' };
        });
        await client.change(uri, ...indents);
      },
    ],
    ['another branch', (uri) => client.change(uri, { text: `${'other();\n'.repeat(80)}${SOURCE.replace(...EDIT)}` })],
    [
      'what was edited is undone',
      async (uri) => {
        const text = await replace(uri, SOURCE, ...EDIT);
        await replace(uri, text, EDIT[1], EDIT[0]);
      },
    ],
  ];
  for (const [name, change] of cases) {
    const uri = await open();
    await change(uri);
    assert.equal(await ask(uri), null, name);
  }
  const control = await open();
  await replace(control, SOURCE, ...EDIT);
  assert.ok(await ask(control), 'typing alone is gone on with');
});

test('nothing is looked for while somebody types; a question that was cancelled ends at once', async () => {
  const uri = await open();
  await replace(uri, SOURCE, ...EDIT);
  const source = new CancellationTokenSource();
  const asked = client.connection.sendRequest<NextEdit | null>(NextEditRequest.method, { uri }, source.token);
  source.cancel();
  await asked.catch(() => null);
  const began = performance.now();
  const answer = ask(uri);
  for (let i = 0; i < 10; i++) {
    await client.type(uri, { line: 8, character: 1 + i }, ' ');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const typed = performance.now() - began;
  await answer;
  assert.ok(performance.now() - began > typed + 100, 'the answer waits for a pause');
});

test('comments and strings are left alone, in other languages, too', async () => {
  const source = SOURCE.replace('console.log', '# harbourFees.lookup(visits.berthNumber, tideTable)\n  puts');
  const uri = await open(source, 'rb', 'ruby');
  await replace(uri, source, ...EDIT);
  const lines: number[] = [];
  for (let edit = await ask(uri); edit; edit = await ask(uri)) {
    lines.push(edit.range.start.line);
    await client.change(uri, { range: edit.range, text: edit.newText });
  }
  assert.ok(lines.length > 0);
  assert.equal(lines.includes(5), false, `lines ${lines.join()}`);
});

test('an edit goes on in other open files, but never out of a file of secrets, nor into one', async () => {
  const edit = ['harbourFees.lookup', 'harbourFees.findFor'] as const;
  const other = 'export const fine = harbourFees.lookup(visits.berthNumber, tideTable);\n';
  const open = async (uri: string, text: string) => {
    opened.push(uri);
    await client.open(uri, text, 'javascript');
  };
  const only = SOURCE.split('\n').slice(0, 4).join('\n');
  await open('file:///edits/own/fees.js', only);
  await open('file:///edits/own/credentials.js', other);
  await replace('file:///edits/own/fees.js', only, ...edit);
  assert.equal(await ask('file:///edits/own/fees.js'), null, 'into secrets');
  await open('file:///edits/own/fines.js', other);
  assert.equal((await ask('file:///edits/own/fees.js'))?.uri, 'file:///edits/own/fines.js');
  await client.close('file:///edits/own/fees.js');
  const secret = other.replace('berthNumber', 'number');
  await client.change('file:///edits/own/credentials.js', { text: secret });
  await replace('file:///edits/own/credentials.js', secret, ...edit);
  assert.equal(await ask('file:///edits/own/credentials.js'), null, 'out of secrets');
});

test('it can be switched off, or to renamed names', async () => {
  await client.configure({ inferenceSteps: 0, nextEdits: 'off' });
  const uri = await open();
  await replace(uri, SOURCE, ...EDIT);
  assert.equal(await ask(uri), null);
  assert.deepEqual(await askAsOthersDo(uri, 2), { edits: [] });
  await client.configure({ inferenceSteps: 0, nextEdits: 'rename' });
  assert.equal(await ask(uri), null);
  const other = await open();
  await replace(other, SOURCE, 'surcharge', 'extraCharge');
  assert.equal((await ask(other))?.kind, 'rename');
  await client.configure({ inferenceSteps: 0, nextEdits: 'all' });
});

test('odd requests are refused with what they need, or answered with nothing', async () => {
  const { connection } = client;
  for (const params of [{}, { uri: 7 }, null, 'file:///a.js']) {
    await assert.rejects(connection.sendRequest(NextEditRequest.method, params), /the request needs uri/);
  }
  for (const params of [{ position: 3 }, { textDocument: 'file:///a.js' }, { textDocument: { uri: null } }]) {
    await assert.rejects(connection.sendRequest('textDocument/copilotInlineEdit', params), /needs textDocument.uri/);
  }
  assert.equal(await ask('file:///nobody/opened.js'), null);
  for (const params of [{}, { id: 'x', how: 'dismissed' }, { id: 10_000, how: 'ignored' }, { id: 1, how: 'no' }]) {
    await connection.sendNotification(NextEditRefusedNotification.method, params);
  }
  const uri = await open();
  await replace(uri, SOURCE, 'tideTable);\n  const discount', 'tideTable, 2);\n  const discount');
  await ask(uri);
});

test('what was dismissed does not come back, and what was ignored not in its line', async () => {
  const uri = await open();
  await replace(uri, SOURCE, ...EDIT);
  const first = await ask(uri);
  await refuse(first!, 'ignored');
  const second = await ask(uri);
  assert.ok(second);
  assert.notEqual(second.range.start.line, first!.range.start.line);
  await refuse(second, 'dismissed');
  assert.equal(await ask(uri), null);
  const why = await client.why(uri, { line: 3, character: 0 });
  assert.ok(why.details.some((line) => line.startsWith('next edit: ')));
});
