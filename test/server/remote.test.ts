/** Documents that are not on this machine's disk: of remote machines, of repositories that are only looked at, of nobody. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standIn } from './standIn';

const table: [uri: string, path: string][] = [
  ['vscode-remote://ssh-remote%2Bhost/home/me/src/a.ts', '/home/me/src/a.ts'],
  ['vscode-remote://wsl%2BUbuntu/home/me/src/a.ts', '/home/me/src/a.ts'],
  ['vscode-vfs://github/owner/project/src/a.ts', '/owner/project/src/a.ts'],
  ['untitled:Untitled-1', 'Untitled-1.ts'],
];

test('documents of any scheme are completed, by the paths that they have there; nothing of their folders is read', async (context) => {
  const folders = table.flatMap(([uri]) => (uri.includes('/src/') ? [uri.slice(0, uri.indexOf('/src/'))] : []));
  const { client, asked, received, stop } = await standIn([{ after: '', text: 'load();' }], { folders });
  context.after(stop);
  for (const [uri, path] of table) {
    await client.open(uri, 'const a = ');
    const [item] = await client.complete(uri, { line: 0, character: 10 });
    assert.equal(item?.insertText, 'load();', uri);
    assert.equal(asked().at(-1)?.request.path, path, uri);
    await client.close(uri);
  }
  const told = received().flatMap((message) => (message.type === 'workspace' ? message.folders : []));
  assert.deepEqual(told, []);
});

test('globs of thoughtline.exclude hold from the folder of the workspace there, too', async (context) => {
  const { client, stop } = await standIn([{ after: '', text: 'load();' }], {
    folders: ['vscode-vfs://github/owner/project'],
    settings: { exclude: { 'docs/**': true } },
  });
  context.after(stop);
  const uri = 'vscode-vfs://github/owner/project/docs/a.ts';
  await client.open(uri, 'const a = ');
  assert.deepEqual(await client.complete(uri, { line: 0, character: 10 }), []);
  assert.match((await client.why(uri, { line: 0, character: 10 })).reason, /excluded by "docs\/\*\*"/);
});
