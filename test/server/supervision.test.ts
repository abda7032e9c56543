import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { limit } from '../../src/inference/lifecycle';
import { bundle, inferencePid, LspClient, frozen } from './client';

const uri = 'file:///w/src/refine.ts';
const text = readFileSync(join(frozen, 'src/thought/refine.ts'), 'utf8');
const lines = text.split('\n');
const scratch = mkdtempSync(join(tmpdir(), 'thoughtline-bundle-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

async function firstSuggestion(client: LspClient): Promise<string> {
  for (let line = 20; line < lines.length; line++) {
    const [item] = await client.complete(uri, { line, character: lines[line]!.length });
    if (item) return item.insertText as string;
  }
  throw new Error('the model suggests nothing anywhere');
}

test('the inference process is killed while the user types: the next suggestion comes, nothing is lost', async () => {
  const client = await LspClient.start({ settings: { inferenceSteps: 2 } });
  await client.open(uri, text);
  await client.thought(uri);
  const line = lines.length - 1;
  const word = 'const kept = 1;';
  let character = 0;
  const pending: Promise<unknown>[] = [];
  for (const letter of word) {
    await client.type(uri, { line, character: character++ }, letter);
    pending.push(client.complete(uri, { line, character }));
    if (character === 6) process.kill(await inferencePid(client), 'SIGKILL');
    await sleep(15);
  }
  // Requests in flight at the crash are answered, too: with nothing, or after the new start.
  for (const answer of await Promise.all(pending)) assert.ok(Array.isArray(answer));
  const expected = await LspClient.start({ settings: { inferenceSteps: 2 } });
  await expected.open(uri, text + word);
  await expected.thought(uri);
  const copy = async (one: LspClient) =>
    (await one.why(uri, { line, character })).details.at(-1)!.replace(/version \d+/, '');
  assert.equal(await copy(client), await copy(expected));
  assert.ok((await firstSuggestion(client)).length > 0);
  const report = await client.thought(uri);
  assert.ok(report.trace.chunks.length > 0, 'the thought has been made again');
  const { respawns } = await client.statistics();
  assert.equal(respawns, 1);
  assert.ok(client.logs.some((said) => said.includes('inference process ended: signal SIGKILL')));
  assert.equal(client.output.stderr, '');
  await Promise.all([client.stop(), expected.stop()]);
});

test('killed too often it is given up with the reason; restart begins again', async () => {
  const client = await LspClient.start({ settings: { inferenceSteps: 0 } });
  await client.open(uri, text);
  let last: number | undefined;
  for (let i = 0; i <= limit.crashes; i++) {
    await client.until(() => client.status?.state === 'ready', `start ${i + 1}`);
    const pid = await inferencePid(client);
    assert.notEqual(pid, last);
    last = pid;
    process.kill(pid, 'SIGKILL');
    await client.until(() => client.status?.state !== 'ready', 'the end');
  }
  await client.until(() => client.status?.state === 'failed', 'failed');
  assert.match(client.status!.reason!, /^the inference process ended 5 times in a row, last: signal SIGKILL$/);
  assert.deepEqual(await client.complete(uri, { line: 20, character: lines[20]!.length }), []);
  assert.match((await client.why(uri, { line: 20, character: 0 })).reason, /the model failed: .*5 times/);
  await client.connection.sendRequest('thoughtline/restart', {});
  await client.until(() => client.status?.state === 'ready', 'ready again');
  assert.ok((await firstSuggestion(client)).length > 0);
  await client.stop();
});

test('when the server is killed its inference process ends, too', async () => {
  const client = await LspClient.start();
  await client.ready();
  const pid = await inferencePid(client);
  client.server.kill('SIGKILL');
  await client.until(() => !alive(pid), 'the end of the inference process', 10_000);
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that has ended and whose parent is gone may wait for its reaper.
    return process.platform !== 'linux' || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function damaged(name: string, damage: (folder: string) => void): string {
  const folder = join(scratch, name);
  cpSync(bundle, folder, { recursive: true });
  damage(folder);
  return folder;
}

test('a bundle that cannot be used: one line that names the file, and the model that comes along serves', async () => {
  const table: [name: string, folder: string, reason: RegExp][] = [
    ['no folder', join(scratch, 'nowhere'), /nowhere: no such model folder/],
    [
      'no manifest',
      damaged('no-manifest', (folder) => rmSync(join(folder, 'manifest.json'))),
      /manifest\.json: file is missing/,
    ],
    ['no model', damaged('no-model', (folder) => rmSync(join(folder, 'top.onnx'))), /top\.onnx/],
    ['cut model', damaged('cut', (folder) => truncateSync(join(folder, 'weights.bin'), 100)), /weights\.bin/],
    [
      'other bytes',
      damaged('flipped', (folder) => {
        const file = join(folder, 'trunk.onnx');
        const bytes = readFileSync(file);
        bytes[bytes.length >> 1]! ^= 1;
        writeFileSync(file, bytes);
      }),
      /trunk\.onnx.*(SHA-256|checksum)/i,
    ],
    [
      'newer manifest',
      damaged('newer', (folder) => {
        const file = join(folder, 'manifest.json');
        writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), format: 99 }));
      }),
      /manifest\.json: format 99 is newer/,
    ],
  ];
  const client = await LspClient.start();
  await client.open(uri, text);
  for (const [name, folder, reason] of table) {
    await client.configure({ model: folder });
    await client.until(() => reason.test(client.status?.problem ?? ''), name);
    await client.until(() => client.status?.state === 'ready', `${name}: the model that comes along`);
    assert.doesNotMatch(client.status!.problem!, /\n|^\s+at /m);
  }
  assert.ok((await firstSuggestion(client)).length > 0);
  await client.configure({ model: bundle });
  await client.until(() => client.status?.state === 'ready' && client.status.problem === undefined, 'the good bundle');
  assert.ok((await firstSuggestion(client)).length > 0);
  assert.equal(await client.stop(), 0);
});

test('where even the model that comes along cannot be used the status says why; the server lives', async () => {
  const nowhere = join(scratch, 'nowhere');
  const client = await LspClient.start({ bundle: nowhere });
  await client.open(uri, text);
  await client.until(() => client.status?.state === 'failed', 'the failure');
  const reason = /nowhere: no such model folder/;
  assert.match(client.status!.reason!, reason);
  assert.deepEqual(await client.complete(uri, { line: 20, character: 0 }), []);
  assert.match((await client.why(uri, { line: 20, character: 0 })).reason, reason);
  assert.equal((await client.statistics()).inferencePid, undefined);
  await client.configure({ model: bundle });
  await client.until(() => client.status?.state === 'ready', 'the good bundle');
  assert.ok((await firstSuggestion(client)).length > 0);
  assert.equal(await client.stop(), 0);
});
