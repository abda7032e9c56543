/**
 * What other editors send when they start a server, by their documentation and sources: where each of them has its settings,
 * and with what it fills the places where it has none. Whatever says nothing changes nothing.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LspClient, root, tiny } from './client';

const off = { enable: false };
const folder = { uri: `file://${root}`, name: root };
const pulls = { workspace: { configuration: true, workspaceFolders: true, didChangeConfiguration: {} } };

interface Recording {
  name: string;
  /** `initialize`, beside the bundle. */
  initialize: Record<string, unknown>;
  /** What the editor has as initializationOptions, beside the bundle. */
  options?: Record<string, unknown>;
  /** `settings` of the `workspace/didChangeConfiguration` that follows `initialized`; none where it sends none. */
  pushed?: unknown;
  /** The answer to `workspace/configuration` for the section "thoughtline". */
  pulled?: unknown;
}

const recordings: Recording[] = [
  {
    name: 'Neovim, init_options alone: an unknown section is vim.NIL, and no empty settings are sent',
    initialize: { clientInfo: { name: 'Neovim', version: '0.11.0' }, rootPath: root, rootUri: folder.uri, workspaceFolders: [folder], capabilities: pulls },
    options: { settings: off },
    pulled: null,
  },
  {
    name: 'Neovim, settings: they are sent and answered',
    initialize: { clientInfo: { name: 'Neovim', version: '0.11.0' }, rootPath: null, rootUri: null, workspaceFolders: null, capabilities: pulls },
    pushed: { thoughtline: off },
    pulled: off,
  },
  {
    name: 'Eglot, initialization options alone: an empty workspace configuration is sent',
    initialize: { clientInfo: { name: 'Eglot', version: '1.17' }, rootPath: `${root}/`, rootUri: folder.uri, workspaceFolders: [folder], capabilities: pulls },
    options: { settings: off },
    pushed: {},
    pulled: null,
  },
  {
    name: 'Eglot, workspace configuration',
    initialize: { clientInfo: { name: 'Eglot', version: '1.17' }, rootPath: `${root}/`, rootUri: folder.uri, workspaceFolders: [folder], capabilities: pulls },
    pushed: { thoughtline: { enable: false } },
    pulled: { enable: false },
  },
  {
    name: 'coc.nvim, initializationOptions alone: null is sent',
    initialize: { clientInfo: { name: 'coc.nvim', version: '0.0.82' }, rootPath: root, rootUri: folder.uri, workspaceFolders: [folder], capabilities: pulls, trace: 'off' },
    options: { settings: off },
    pushed: null,
    pulled: null,
  },
  {
    name: 'Helix: one table is the options, is sent, and is where sections are looked up',
    initialize: { clientInfo: { name: 'helix', version: '25.01' }, rootPath: root, rootUri: folder.uri, workspaceFolders: [folder], capabilities: pulls },
    options: { settings: off },
    pushed: { settings: off },
    pulled: null,
  },
  {
    name: 'Helix, the section in its table',
    initialize: { clientInfo: { name: 'helix', version: '25.01' }, rootPath: root, rootUri: folder.uri, workspaceFolders: [folder], capabilities: pulls },
    options: { thoughtline: off },
    pushed: { thoughtline: off },
    pulled: off,
  },
  {
    name: 'an editor that only answers',
    initialize: { rootUri: folder.uri, capabilities: pulls },
    pulled: off,
  },
  {
    name: 'an editor that is not asked and sends an empty array',
    initialize: { rootUri: folder.uri, capabilities: {} },
    options: { settings: off },
    pushed: [],
  },
]; // prettier-ignore

for (const { name, initialize, options, pushed, pulled } of recordings) {
  test(`${name}: switched off, the model is never loaded`, async (context) => {
    const client = await LspClient.start({
      initialize: { processId: process.pid, ...initialize, initializationOptions: { bundle: tiny, ...options } },
      configuration: () => pulled ?? null,
    });
    context.after(() => client.stop());
    if (pushed !== undefined) {
      await client.connection.sendNotification('workspace/didChangeConfiguration', { settings: pushed });
    }
    await client.open('file:///w/a.ts', 'const a = 1;\n');
    await client.until(() => client.status !== undefined, 'a status');
    const { reason } = await client.why('file:///w/a.ts', { line: 0, character: 0 });
    assert.match(reason, /thoughtline\.enable/);
    // Whatever the client still has to answer has been answered by now.
    await sleep(100);
    assert.deepEqual(client.statuses, [{ state: 'off' }]);
    assert.equal((await client.statistics()).inferencePid, undefined);
    assert.deepEqual(client.logs, []);
  });
}

/** A server with a model, for those that need one. */
async function ready(context: TestContext, initialize: Record<string, unknown>, configuration: () => unknown) {
  const client = await LspClient.start({
    initialize: { processId: process.pid, ...initialize, initializationOptions: { bundle: tiny } },
    configuration,
  });
  context.after(() => client.stop());
  await client.ready();
  return client;
}

test('settings by pull alone hold, also when they change; what is malformed ends no server', async (context) => {
  let pulled: unknown = { device: 'cpu', inferenceSteps: 2, memory: 'workspace' };
  const broken = { uri: 'file:///tmp/sale-50%', name: 'sale' };
  const client = await ready(context, { capabilities: pulls, workspaceFolders: [broken] }, () => pulled);
  const uri = 'file:///w/a.ts';
  await client.open(uri, `${'const total = first + second;\n'.repeat(40)}`);
  assert.equal((await client.thought(uri)).steps, 2);

  const refused = (folder: string) => client.logs.filter((line) => line.startsWith(`${folder} is left out`)).length;
  await client.until(() => refused(broken.uri) > 0, 'the line about the folder');
  const other = { uri: 'file://host/share', name: 'share' };
  const event = { added: [other, null, { uri: 7 }], removed: [null] };
  await client.connection.sendNotification('workspace/didChangeWorkspaceFolders', { event });
  if (process.platform !== 'win32') await client.until(() => refused(other.uri) > 0, 'the line about the other folder');
  assert.equal(refused(broken.uri), 1);

  // Of a request without a context it is not known that it is automatic.
  const request = { textDocument: { uri }, position: { line: 3, character: 0 } };
  const answer = await client.connection.sendRequest('textDocument/inlineCompletion', request);
  assert.ok(Array.isArray((answer as { items: unknown }).items));

  pulled = off;
  await client.connection.sendNotification('workspace/didChangeConfiguration', { settings: null });
  await client.until(() => client.status?.state === 'off', 'the end of the model');
});

/** What Neovim 0.12 does with an item that was accepted: it runs its command with the server, if that says that it knows it. */
test('an accepted item is counted by the command that the server announces', async (context) => {
  const client = await ready(context, { capabilities: {} }, () => null);
  const { capabilities, serverInfo } = client.initialized;
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.deepEqual(serverInfo, { name: 'thoughtline', version });
  const uri = 'file:///w/a.ts';
  const text = 'export function add(first: number, second: number): number {\n  return \n}\n';
  await client.open(uri, text);
  const [item] = await client.complete(uri, { line: 1, character: 9 }, { invoked: true });
  const { command, arguments: given } = item!.command!;
  assert.ok(capabilities.executeCommandProvider?.commands.includes(command));
  assert.deepEqual((await client.statistics()).accepted, { suggestions: 0, characters: 0 });
  await client.connection.sendRequest('workspace/executeCommand', { command, arguments: given });
  const { length } = item!.insertText as string;
  assert.deepEqual((await client.statistics()).accepted, { suggestions: 1, characters: length });
  // What is malformed counts as accepted, or is refused, and ends no server.
  await client.connection.sendRequest('workspace/executeCommand', { command, arguments: ['x'] });
  await client.connection.sendRequest('workspace/executeCommand', { command });
  await assert.rejects(
    client.connection.sendRequest('workspace/executeCommand', { command: 'rm' }),
    /needs the command/,
  );
  await assert.rejects(client.connection.sendRequest('workspace/executeCommand', null), /needs the command/);
  assert.deepEqual((await client.statistics()).accepted, { suggestions: 3, characters: length });
});

const odd: [name: string, initialize: Record<string, unknown>][] = [
  ['nothing at all', { initializationOptions: null, capabilities: {} }],
  ['capabilities that are none', { capabilities: { workspace: 5, window: null, textDocument: [] } }],
  ['options that are none', { capabilities: {}, initializationOptions: ['x'], workspaceFolders: [null, 3] }],
  ['a bundle and a storage that are none', { capabilities: {}, initializationOptions: { bundle: 1, storage: 2 } }],
  ['roots that are none', { capabilities: {}, rootUri: 5, rootPath: [], workspaceFolders: 'x' }],
];
for (const [name, initialize] of odd) {
  test(`initialize with ${name} is answered, and the server serves`, async (context) => {
    const client = await LspClient.start({ initialize: { processId: process.pid, ...initialize } });
    context.after(() => client.stop());
    await client.connection.sendNotification('workspace/didChangeConfiguration', { settings: { thoughtline: off } });
    await client.until(() => client.status?.state === 'off', 'its end by setting');
    assert.equal(client.initialized.serverInfo?.name, 'thoughtline');
  });
}
