import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openedFolders, readContext, readFolders, readPosition } from '../../src/server/parameters';

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
  assert.deepEqual(readPosition({ line: 1, character: -2, more: 0 }), { line: 1, character: -2 });
  for (const odd of [null, 1, {}, { line: 1 }, { line: 1, character: 0.5 }, { line: '1', character: 0 }]) {
    assert.equal(readPosition(odd), undefined);
  }
});
