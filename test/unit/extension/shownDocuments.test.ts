import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Disposable, TextDocument, Uri } from 'vscode';
import { SCHEMES } from '../../../src/extension/names';
import { ShownDocuments } from '../../../src/extension/shownDocuments';

/** An address as VS Code has it, of which only this much is looked at. */
function uri(scheme: string, path: string, { authority = '', fragment = '' } = {}): Uri {
  const text = `${scheme}://${authority}${path}${fragment && `#${fragment}`}`;
  return { scheme, path, authority, fragment, toString: () => text } as unknown as Uri;
}
const remote = { authority: 'ssh-remote+host' };
const cell = (path: string, fragment: string, more = {}) => uri('vscode-notebook-cell', path, { fragment, ...more });

/** Which documents a server is told about once something is shown. */
const table: [name: string, held: Uri[], shown: Uri, told: number[]][] = [
  ['a file', [uri('file', '/a.ts'), uri('file', '/b.ts')], uri('file', '/b.ts'), [1]],
  ['the cells of a notebook', [cell('/n.ipynb', 'W0'), cell('/n.ipynb', 'W1'), cell('/m.ipynb', 'W0')], uri('file', '/n.ipynb'), [0, 1]],
  ['those of one on another machine', [cell('/n.ipynb', 'W0'), cell('/n.ipynb', 'W0', remote)], uri('vscode-remote', '/n.ipynb', remote), [1]],
  ['those of an untitled one', [cell('Untitled-1.ipynb', 'W0')], uri('untitled', 'Untitled-1.ipynb'), [0]],
  ['one cell', [cell('/n.ipynb', 'W0'), cell('/n.ipynb', 'W1')], cell('/n.ipynb', 'W1'), [1]],
  ['a file of the same name', [uri('file', '/a.ts')], uri('git', '/a.ts'), []],
]; // prettier-ignore
for (const [name, held, shown, told] of table) {
  test(`documents opened in the background are told once they are shown: ${name}`, async () => {
    const documents = new ShownDocuments();
    let show: (uris: Set<Uri>) => void = () => undefined;
    const visibleDocuments = {
      isVisible: () => false,
      onOpen: (listener: typeof show): Disposable => {
        show = listener;
        return { dispose: () => undefined };
      },
    };
    documents.watch({ visibleDocuments } as unknown as Parameters<ShownDocuments['watch']>[0]);
    const opened: Uri[] = [];
    const next = (document: TextDocument) => Promise.resolve(void opened.push(document.uri));
    for (const one of held) await documents.middleware.didOpen({ uri: one, isClosed: false } as TextDocument, next);
    assert.deepEqual(opened, []);
    show(new Set([shown]));
    await new Promise(setImmediate);
    assert.deepEqual(opened, told.map((i) => held[i])); // prettier-ignore
    // Each is told once.
    show(new Set([shown]));
    await new Promise(setImmediate);
    assert.equal(opened.length, told.length);
  });
}

test('what is completed is found wherever an extension of the user’s own side sees it', () => {
  for (const scheme of ['file', 'untitled', 'vscode-remote', 'vscode-vfs', 'vscode-notebook-cell', 'vscode-scm']) {
    assert.ok((SCHEMES as readonly string[]).includes(scheme), scheme);
  }
});
