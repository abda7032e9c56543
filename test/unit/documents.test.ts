import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextDocument } from 'vscode-languageserver-textdocument';
import {
  checkedDocuments,
  cut,
  limits,
  pathFor,
  pathOf,
  Refusal,
  replaceRange,
  siblings,
  withLineEnds,
  type Cut,
} from '../../src/server/documents';

function document(text: string, uri = 'file:///w/src/a.ts', languageId = 'typescript'): TextDocument {
  return TextDocument.create(uri, languageId, 1, text);
}

function cutAt(text: string, line: number, character: number): Cut {
  const at = cut(document(text), { line, character });
  assert.ok(!(at instanceof Refusal), at instanceof Refusal ? at.reason : '');
  return at;
}

test('a document is cut at the cursor, with unix line ends', () => {
  const table: [text: string, line: number, character: number, prefix: string, suffix: string, rest: number][] = [
    ['', 0, 0, '', '', 0],
    ['abc', 0, 1, 'a', 'bc', 2],
    ['abc', 0, 99, 'abc', '', 0],
    ['a\r\nbc\r\nd', 1, 1, 'a\nb', 'c\nd', 1],
    ['a\r\nbc\r\nd', 1, 99, 'a\nbc', '\nd', 0],
    ['a\n', 1, 0, 'a\n', '', 0],
    ['a\rb', 1, 1, 'a\nb', '', 0],
    ['x👍y', 0, 1, 'x', '👍y', 3],
    ['x👍y', 0, 2, 'x', '👍y', 3],
    ['x👍y', 0, 3, 'x👍', 'y', 1],
  ];
  for (const [text, line, character, prefix, suffix, rest] of table) {
    const at = cutAt(text, line, character);
    assert.deepEqual(
      [at.prefix, at.suffix, at.lineRest],
      [prefix, suffix, rest],
      JSON.stringify([text, line, character]),
    );
  }
});

test('what an item replaces begins at the cursor and never leaves its line', () => {
  const at = cutAt('f(👍);\nnext', 0, 4);
  assert.deepEqual(replaceRange(at, 2), { start: { line: 0, character: 4 }, end: { line: 0, character: 6 } });
  assert.deepEqual(replaceRange(at, 99).end, { line: 0, character: 6 });
});

test('a character that is no whole number is refused: nothing is cut between two characters', () => {
  for (const character of [NaN, 1.5, Infinity]) {
    const at = cut(document('abc\n'), { line: 0, character });
    assert.ok(at instanceof Refusal, `${character}`);
    assert.match(at.reason, /out of range: its character is no whole number/);
  }
});

test('cursors out of range, binary files and lines of 100 kB are refused with a reason', () => {
  const table: [string, number, RegExp][] = [
    ['a\nb', 2, /out of range: line 3 of 2/],
    ['a\nb', -1, /out of range/],
    ['a\0b', 0, /binary/],
    [`a\n${'x'.repeat(100_000)}\n`, 1, /line 2 has 100000 characters/],
  ];
  for (const [text, line, reason] of table) {
    const at = cut(document(text), { line, character: 0 });
    assert.ok(at instanceof Refusal);
    assert.match(at.reason, reason);
  }
});

test('of a file of 5 MB a part around the cursor is taken, which does not move while the user types', () => {
  const lines = Array.from({ length: 100_000 }, (_, i) => `const value${i} = ${'x'.repeat(30)};`);
  const text = lines.join('\n');
  assert.ok(text.length > 4_500_000);
  const at = cutAt(text, 50_000, 10);
  assert.ok(at.prefix.length >= limits.part && at.prefix.length <= 2 * limits.part + 100);
  assert.ok(at.suffix.length >= limits.part && at.suffix.length <= limits.part + 100);
  assert.match(at.prefix, /^const value/);
  assert.ok(at.prefix.endsWith(lines[50_000]!.slice(0, 10)));
  assert.ok(at.suffix.startsWith(lines[50_000]!.slice(10)));
  assert.ok(cutAt(text, 50_000, 11).prefix.startsWith(at.prefix));
  assert.ok(cutAt(text, 100, 0).prefix.startsWith('const value0 '));
});

test('line ends are those of the document', () => {
  assert.equal(withLineEnds(document('a\r\nb'), 'x\ny\n'), 'x\r\ny\r\n');
  assert.equal(withLineEnds(document('a\nb'), 'x\ny'), 'x\ny');
  assert.equal(withLineEnds(document('a'), 'x\ny'), 'x\ny');
});

test('paths come from URIs', () => {
  const table: [string, string][] = [
    ['file:///home/me/a%20b/c.ts', '/home/me/a b/c.ts'],
    ['file:///c%3A/x/y.ts', '/c:/x/y.ts'],
    ['untitled:Untitled-1', 'Untitled-1'],
    ['vscode-vfs://github/owner/repo/a.ts', '/owner/repo/a.ts'],
    ['file:///100%.ts', '/100%.ts'],
    ['not a uri', 'not a uri'],
  ];
  for (const [uri, path] of table) assert.equal(pathOf(uri), path);
});

test('the path that the model sees tells the language, and no two cells share it', () => {
  const table: [uri: string, languageId: string, path: string][] = [
    ['file:///w/src/a.ts', 'typescript', '/w/src/a.ts'],
    ['untitled:Untitled-1', 'typescript', 'Untitled-1.ts'],
    ['untitled:Untitled-1', 'brainfuck', 'Untitled-1'],
    ['untitled:/w/new.py', 'python', '/w/new.py'],
    ['file:///w/Makefile', 'makefile', '/w/Makefile'],
    ['vscode-notebook-cell:/w/a.ipynb#W0sZmlsZQ', 'python', '/w/a-W0sZmlsZQ.py'],
    ['vscode-notebook-cell:/w/a.ipynb#W1sZmlsZQ', 'python', '/w/a-W1sZmlsZQ.py'],
    ['vscode-notebook-cell:/w/a.ipynb#W2', 'constructor', '/w/a-W2'],
  ];
  for (const [uri, languageId, path] of table) assert.equal(pathFor({ uri, languageId }), path, uri);
});

test('other open files are evidence, the last used first; what is no code or too large is left out and named', () => {
  const open = [
    document('old', 'file:///w/old.ts'),
    document('# notes', 'file:///w/notes.md', 'markdown'),
    document('x'.repeat(limits.evidence + 1), 'file:///w/huge.ts'),
    document('a\0', 'file:///w/binary.ts'),
    document('self', 'file:///w/a.ts'),
    document('new\r\nest', 'file:///w/new.ts'),
  ];
  const { related, skipped } = siblings(open, open[4]!, ({ languageId }) => languageId !== 'markdown');
  assert.deepEqual(related, [
    { path: '/w/new.ts', text: 'new\nest' },
    { path: '/w/old.ts', text: 'old' },
  ]);
  assert.deepEqual(skipped.map(({ uri }) => uri).sort(), ['file:///w/binary.ts', 'file:///w/huge.ts']);
});

test('what is no document is not opened, and what is no change is not made', () => {
  const open = (...values: unknown[]) => checkedDocuments.create(...(values as Parameters<typeof TextDocument.create>));
  assert.throws(() => open('file:///a.ts', 'typescript', 1, undefined), /^Error: textDocument\.text is not a string/);
  assert.throws(() => open(7, 'typescript', 1, ''), /^Error: textDocument\.uri is not a string/);
  assert.throws(() => open('file:///a.ts', null, 1, ''), /^Error: textDocument\.languageId is not a string/);
  const known = open('file:///a.ts', 'typescript', 1, 'one\ntwo');
  const start = { line: 0, character: 0 };
  const changes: unknown[] = [
    { range: { start, end: start } },
    { range: { start, end: { line: 1 } }, text: 'x' },
    { range: { start, end: null }, text: 'x' },
    { range: { start: { line: 0.5, character: 0 }, end: start }, text: 'x' },
    { text: 7 },
  ];
  for (const change of changes) {
    const all = [{ text: 'before' }, change] as Parameters<typeof TextDocument.update>[1];
    assert.throws(() => checkedDocuments.update(known, all, 2), /not made$/);
    assert.equal(known.getText(), 'one\ntwo');
  }
  checkedDocuments.update(known, [{ range: { start, end: start }, text: 'x' }], 2);
  assert.equal(known.getText(), 'xone\ntwo');
});
