import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { FileChangeType } from 'vscode-languageserver-protocol';
import { hasNano, NANO } from '../fixtures';
import { withScratch } from '../model/bundles';
import { LspClient, tiny } from './client';

const scratch = withScratch();
const capabilities = {
  window: { workDoneProgress: true },
  workspace: { didChangeWatchedFiles: { dynamicRegistration: true } },
};

/** A module with a name that no text has ever held. */
const moduleOf = (name: string) =>
  `export function ${name}(value: string): string {\n  return value.trim();\n}\n\nconsole.log(${name}('a'));\nconsole.log(${name}('b'));\n`;
const REQUEST = 'console.log(zorbl';

const indexed = (client: LspClient) => client.logs.filter((line) => line.startsWith('workspace memory:'));

async function suggestion(client: LspClient, uri: string): Promise<string> {
  const items = await client.complete(uri, { line: 0, character: REQUEST.length }, { invoked: true });
  const text = items[0]?.insertText;
  return typeof text === 'string' ? text : '';
}

if (hasNano) {
  test('names of closed files are completed, also after they change; not those of the open file on disk', async (t) => {
    const root = join(scratch(), 'ws');
    const storage = join(scratch(), 'storage');
    await mkdir(join(root, 'lib'), { recursive: true });
    const uri = (path: string) => pathToFileURL(join(root, path)).href;
    await writeFile(join(root, 'lib/other.ts'), moduleOf('zorblatQuuxFen'));
    await writeFile(join(root, 'open.ts'), moduleOf('zorblatMunTeg'));
    await mkdir(join(root, 'made'));
    await writeFile(join(root, 'made/third.ts'), moduleOf('zorblatVexLor'));
    const settings = { exclude: { 'made/**': true } };
    const start = { bundle: NANO, capabilities, folders: [pathToFileURL(root).href], storage, settings };
    const client = await LspClient.start(start);
    t.after(() => client.stop());
    await client.until(() => indexed(client).length > 0, 'the workspace');
    assert.match(indexed(client)[0]!, /2 files, .* 2 read/);
    await client.until(() => client.registrations.length > 0, 'the watching of files');
    assert.equal(client.registrations[0]?.method, 'workspace/didChangeWatchedFiles');

    // On disk the open file says something else, which its user is about to change.
    await client.open(uri('open.ts'), REQUEST);
    assert.match(await suggestion(client, uri('open.ts')), /^atQuuxFen\b/);

    await writeFile(join(root, 'lib/other.ts'), moduleOf('zorblatDrelKash'));
    await client.connection.sendNotification('workspace/didChangeWatchedFiles', {
      changes: [{ uri: uri('lib/other.ts'), type: FileChangeType.Changed }],
    });
    // Another document, so that no suggestion made before is remembered.
    let said = '';
    const end = performance.now() + 120_000;
    for (let i = 0; performance.now() < end && !said.startsWith('atDrelKash'); i++) {
      await client.open(uri(`new${i}.ts`), REQUEST);
      said = await suggestion(client, uri(`new${i}.ts`));
      await client.close(uri(`new${i}.ts`));
    }
    assert.match(said, /^atDrelKash\b/);

    await client.configure({ ...settings, memory: 'openFiles' });
    await client.until(() => !existsSync(join(storage, 'workspace.memory')), 'the end of what was kept');
    await client.open(uri('last.ts'), REQUEST);
    assert.doesNotMatch(await suggestion(client, uri('last.ts')), /Drel|Quux/);

    const again = await LspClient.start({ ...start, settings: { memory: 'openFiles' } });
    t.after(() => again.stop());
    await again.ready();
    await again.open(uri('open.ts'), REQUEST);
    assert.doesNotMatch(await suggestion(again, uri('open.ts')), /Drel|Quux/);
    assert.deepEqual(indexed(again), []);
  });

  test('what nobody has opened is evidence, too: the files nearest to the one that is thought about', async (t) => {
    const root = join(scratch(), 'near');
    const long = (name: string) => moduleOf(name).repeat(12);
    for (const [path, name] of [
      ['src/a/beside', 'wexBeside'],
      ['src/far', 'wexFar'],
      ['src/a/told', 'wexDisk'],
    ] as const) {
      await mkdir(join(root, path, '..'), { recursive: true });
      await writeFile(join(root, `${path}.ts`), long(name));
    }
    const uri = (path: string) => pathToFileURL(join(root, path)).href;
    const folders = [pathToFileURL(root).href];
    const client = await LspClient.start({ bundle: NANO, capabilities, folders, settings: { inferenceSteps: 1 } });
    t.after(() => client.stop());
    await client.until(() => indexed(client).length > 0, 'the workspace');
    await client.open(uri('src/a/told.ts'), 'const told = 1;\n'.repeat(20));
    await client.open(uri('src/a/new.ts'), 'export const value = 1;\n');
    await client.complete(uri('src/a/new.ts'), { line: 0, character: 23 }, { invoked: true });
    const { trace } = await client.thought(uri('src/a/new.ts'));
    const paths = [...new Set(trace.chunks.map(({ path }) => path.slice(root.length)))];
    // The open file as it is open, before what is closed; of the closed ones the nearer first.
    assert.deepEqual(paths, ['/src/a/told.ts', '/src/a/beside.ts', '/src/far.ts']);
    // What the open file says on disk is longer than what its user sees.
    assert.ok(
      trace.chunks.filter(({ path }) => path.endsWith('told.ts')).reduce((n, { tokens }) => n + tokens, 0) < 200,
    );
  });

  test('reading a larger workspace shows its progress, and ends when the user cancels it', async (t) => {
    const root = join(scratch(), 'large');
    await mkdir(root);
    const lines = Array.from(
      { length: 1500 },
      (_, i) => `export const value${i} = compute${i * 7}(${i}, 'text ${i}');\n`,
    );
    for (let i = 0; i < 60; i++) await writeFile(join(root, `${i}.ts`), lines.join('').replaceAll('value', `v${i}`));
    const client = await LspClient.start({ bundle: NANO, capabilities, folders: [pathToFileURL(root).href] });
    t.after(() => client.stop());
    const reading = () => client.progress.find((value) => 'message' in value && /reading the workspace/.test(value.message ?? '')); // prettier-ignore
    await client.until(reading, 'progress');
    assert.equal(reading()?.kind, 'begin');
    assert.equal((reading() as { cancellable?: boolean }).cancellable, true);
    await client.connection.sendNotification('window/workDoneProgress/cancel', { token: client.tokens.at(-1) });
    await client.until(() => indexed(client).length > 0, 'the end of the reading');
    assert.match(indexed(client).at(-1)!, /cancelled: \d+ files/);
    await client.until(() => client.progress.at(-1)?.kind === 'end', 'the end of the progress');
  });
}

test('a model without weights for the memory reads no workspace', async () => {
  const root = join(scratch(), 'tiny');
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 'a.ts'), moduleOf('name'));
  const client = await LspClient.start({ bundle: tiny, capabilities, folders: [pathToFileURL(root).href] });
  await client.ready();
  const uri = pathToFileURL(join(root, 'b.ts')).href;
  await client.open(uri, 'const a = ');
  await client.complete(uri, { line: 0, character: 10 }, { invoked: true });
  assert.deepEqual(indexed(client), []);
  await client.stop();
  await rm(root, { recursive: true });
});
