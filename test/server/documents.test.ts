import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { LspClient } from './client';

let client: LspClient;
before(async () => {
  client = await LspClient.start({ settings: { inferenceSteps: 0 } });
});
after(() => client.stop());

const sha = (text: string) => createHash('sha256').update(text).digest('hex');

/** What the server says it holds of a document. */
async function held(uri: string): Promise<string | undefined> {
  const { details } = await client.why(uri, { line: 0, character: 0 });
  return /SHA-256 ([0-9a-f]{64})/.exec(details.at(-1) ?? '')?.[1];
}

const piece = fc.array(fc.constantFrom('a', ' ', '\n', '\r\n', '👍🏽', 'é', '\t', '(', 'const x = 1;', '𝒳', '中'), {
  maxLength: 8,
});
const edit = fc.record({ from: fc.nat(), length: fc.nat({ max: 12 }), text: piece.map((parts) => parts.join('')) });

test('after random incremental edits the server holds the same bytes as the editor', async () => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      piece,
      fc.array(fc.array(edit, { minLength: 1, maxLength: 3 }), { maxLength: 12 }),
      async (start, changes) => {
        const uri = `file:///w/edited${round++}.ts`;
        // The editor's own copy is changed by offsets; the server is told positions.
        let text = start.join('');
        await client.open(uri, text);
        for (const edits of changes) {
          const told = edits.map(({ from, length, text: inserted }) => {
            const document = TextDocument.create(uri, 'typescript', 1, text);
            const range = {
              start: place(document, from % (text.length + 1)),
              end: place(document, (from % (text.length + 1)) + length),
            };
            text = text.slice(0, document.offsetAt(range.start)) + inserted + text.slice(document.offsetAt(range.end));
            return { range, text: inserted };
          });
          await client.change(uri, ...told);
        }
        assert.equal(await held(uri), sha(text), JSON.stringify(text));
        await client.close(uri);
      },
    ),
    { seed: 20261122, numRuns: 150 },
  );
});

/** A position that an editor could mean: on the grid of lines, neither inside a surrogate pair nor a CRLF. */
function place(document: TextDocument, offset: number) {
  const text = document.getText();
  const inPair = /[\uD800-\uDBFF]/.test(text[offset - 1] ?? '') && /[\uDC00-\uDFFF]/.test(text[offset] ?? '');
  return document.positionAt(inPair ? offset - 1 : offset);
}

test('a full text change replaces the document', async () => {
  const uri = 'file:///w/full.ts';
  await client.open(uri, 'old');
  await client.change(uri, { text: 'né\r\nw 👍' });
  assert.equal(await held(uri), sha('né\r\nw 👍'));
});

test('suggestions in a CRLF document have CRLF line ends, and are otherwise the same', async () => {
  const source = ['export function first(items: string[]) {', '  return items[0];', '}', '', 'export function last('];
  const lineEnds = { lf: '\n', crlf: '\r\n' };
  const answers: Record<string, string[]> = {};
  for (const [name, end] of Object.entries(lineEnds)) {
    // Two folders alike: the path is part of what the model sees.
    const uri = `file:///${name}/src/a.ts`;
    await client.open(uri, source.join(end));
    answers[name] = [];
    for (let line = 0; line < source.length; line++) {
      const items = await client.complete(uri, { line, character: source[line]!.length }, { invoked: true });
      answers[name].push((items[0]?.insertText as string | undefined) ?? '');
    }
    // Left open, it would be what the other one's lookup memory knows.
    await client.close(uri);
  }
  assert.ok(answers['lf']!.some((text) => text !== ''));
  assert.ok(answers['crlf']!.every((text) => !/(^|[^\r])\n/.test(text)));
  assert.deepEqual(
    answers['crlf']!.map((text) => text.replaceAll('\r\n', '\n')),
    answers['lf'],
  );
});

test('positions inside surrogate pairs and beyond a line end are taken as the nearest before', async () => {
  const uri = 'file:///w/src/pairs.ts';
  await client.open(uri, 'const a = "👍";\nconst b = 2;\n');
  const inside = await client.complete(uri, { line: 0, character: 12 }, { invoked: true });
  if (inside[0]) assert.equal(inside[0].range?.start.character, 11);
  const beyond = await client.complete(uri, { line: 1, character: 500 }, { invoked: true });
  if (beyond[0]) assert.equal(beyond[0].range?.start.character, 12);
});

test('bad input gets no suggestion and a reason, and the server lives', async () => {
  const code = 'export const value = 1;\n';
  const table: [name: string, text: string, line: number, character: number, reason: RegExp][] = [
    ['cursor', code, 7, 0, /cursor is out of range: line 8 of 2/],
    ['binary', 'a\0b\n', 0, 1, /binary/],
    ['line', `${code}${'x'.repeat(100_000)}\n${code}`, 1, 100_000, /line 2 has 100000 characters/],
  ];
  for (const [name, text, line, character, reason] of table) {
    const uri = `file:///w/bad-${name}.ts`;
    await client.open(uri, text);
    assert.deepEqual(await client.complete(uri, { line, character }), [], name);
    assert.match((await client.why(uri, { line, character })).reason, reason);
  }
});

test('beside a line of 100 kB suggestions are made, and quickly', async () => {
  const uri = 'file:///w/src/beside.ts';
  await client.open(uri, `const data = "${'ab'.repeat(50_000)}";\nexport const value = \n`);
  const start = performance.now();
  await client.complete(uri, { line: 1, character: 21 });
  assert.ok(performance.now() - start < 30_000);
  assert.doesNotMatch((await client.why(uri, { line: 1, character: 21 })).reason, /more than|failed/);
});

test('a file of 5 MB is completed like any other, and as evidence it is left out with one line in the log', async () => {
  const uri = 'file:///w/src/huge.ts';
  const text = Array.from({ length: 140_000 }, (_, i) => `export const value${i} = compute(${i});`).join('\n');
  assert.ok(text.length > 5_000_000);
  await client.open(uri, text);
  await client.complete(uri, { line: 70_000, character: 5 }, { invoked: true });
  const start = performance.now();
  await client.type(uri, { line: 70_000, character: 0 }, '\n');
  await client.complete(uri, { line: 70_000, character: 0 });
  assert.ok(performance.now() - start < 30_000);
  await client.configure({ inferenceSteps: 1 });
  const small = 'file:///w/src/small.ts';
  await client.open(small, 'export const value = 1;\n');
  await client.complete(small, { line: 0, character: 23 });
  await client.thought(small);
  await client.type(small, { line: 0, character: 0 }, ' ');
  await client.complete(small, { line: 0, character: 1 });
  const said = client.logs.filter((line) => line.includes('huge.ts'));
  assert.equal(said.length, 1, said.join('\n'));
  assert.match(said[0]!, /no evidence for other files: 5\d+ characters are more than/);
});
