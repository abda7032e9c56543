import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  areChanges,
  openedFolders,
  optionalPosition,
  parts,
  readContext,
  readFolders,
  readOneChange,
  threads,
} from '../../src/server/parameters';

const here = { uri: 'file:///w', name: 'file:///w' };
const table: [name: string, initialize: unknown, folders: unknown][] = [
  ['folders', { workspaceFolders: [{ uri: 'file:///w', name: 'w' }], rootUri: 'file:///other' }, [{ ...here, name: 'w' }]],
  ['a folder without a name', { workspaceFolders: [{ uri: 'file:///w' }] }, [here]],
  ['odd folders', { workspaceFolders: [null, 1, {}, { uri: 2 }] }, []],
  ['none open', { workspaceFolders: [], rootUri: 'file:///w' }, []],
  ['rootUri alone', { rootUri: 'file:///w' }, [here]],
  ['rootUri, folders null', { workspaceFolders: null, rootUri: 'file:///w', rootPath: '/x' }, [here]],
  ['rootPath alone', { rootUri: null, rootPath: '/w' }, [here]],
  ['nothing', { rootUri: null, rootPath: null, workspaceFolders: null }, []],
  ['odd roots', { rootUri: 1, rootPath: {} }, []],
  ['no parameters', null, []],
]; // prettier-ignore
for (const [name, initialize, folders] of table) {
  test(`the folders that a client starts with: ${name}`, () => assert.deepEqual(openedFolders(initialize), folders));
}

test('folders that come later are read in the same way', () => {
  assert.deepEqual(readFolders([{ uri: 'file:///w' }, null, 'file:///x']), [here]);
  assert.deepEqual(readFolders({ uri: 'file:///w' }), []);
});

test('how a suggestion was asked for: what is odd is left out, and only what says so is automatic', () => {
  const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 2 } };
  assert.deepEqual(readContext(undefined), { triggerKind: 1 });
  assert.deepEqual(readContext({ triggerKind: 2 }), { triggerKind: 2 });
  assert.deepEqual(readContext({ triggerKind: 'automatic' }), { triggerKind: 1 });
  const selectedCompletionInfo = { range, text: 'ab' };
  assert.deepEqual(readContext({ triggerKind: 2, selectedCompletionInfo }), { triggerKind: 2, selectedCompletionInfo });
  for (const odd of [null, {}, { range }, { range: { start: {} }, text: 'ab' }, { range, text: 1 }]) {
    assert.deepEqual(readContext({ triggerKind: 2, selectedCompletionInfo: odd }), { triggerKind: 2 });
  }
});

test('a position is two whole numbers', () => {
  assert.deepEqual(optionalPosition.parse({ line: 1, character: -2, more: 0 }), { line: 1, character: -2 });
  for (const odd of [null, 1, {}, { line: 1 }, { line: 1, character: 0.5 }, { line: '1', character: 0 }]) {
    assert.equal(optionalPosition.parse(odd), undefined);
  }
});

test('what is no object has no parts, and one bad part leaves the others', () => {
  const schema = parts({ position: optionalPosition, inner: parts({ position: optionalPosition }) });
  for (const odd of [undefined, null, 1, [], 'x']) assert.deepEqual(schema.parse(odd), { inner: {} });
  const position = { line: 1, character: 2 };
  assert.deepEqual(schema.parse({ position, inner: 7 }), { position, inner: {} });
  assert.deepEqual(schema.parse({ position: 7, inner: { position } }).inner, { position });
});

test('threads: as many as suit the machine unless a number from 1 to 64 is given', () => {
  for (const odd of [undefined, null, 0, -1, 1.5, 65, '4', NaN]) assert.equal(threads.parse(odd), 0);
  for (const count of [1, 64]) assert.equal(threads.parse(count), count);
});

test('changes of a document: each has a text, and a range of positions or none', () => {
  const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 2 } };
  const whole = { text: 'a' };
  const part = { text: 'b', range };
  assert.ok(areChanges([whole, part]));
  for (const odd of [
    null,
    {},
    [null],
    [{}],
    [{ text: 1 }],
    [{ text: 'a', range: null }],
    [whole, { text: 'a', range: {} }],
  ]) {
    assert.ok(!areChanges(odd), JSON.stringify(odd));
    assert.equal(readOneChange(odd), undefined);
  }
  assert.deepEqual(readOneChange([whole]), whole);
  assert.deepEqual(readOneChange([part]), part);
  assert.equal(readOneChange([whole, part]), undefined);
});
