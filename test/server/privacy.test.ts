/** What a file keeps secret stays in memory: not in the log, not in what is said about suggestions, not on the disk. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bundle, dist, inferencePid, LspClient, frozen } from './client';
import { surroundings } from './surroundings';

const scratch = mkdtempSync(join(tmpdir(), 'thoughtline-privacy-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const secret = 'AKIA3X7PQ9WZTL5RBM2N';
const source = readFileSync(join(frozen, 'src/thought/refine.ts'), 'utf8');
// Twice, so that the lookup memory has it to offer where it begins a third time.
const text = `const key = '${secret}';\nconst again = '${secret}';\n${source}\nconst third = 'AKIA3X7P`;
// Not named like a secret: about such a file nothing would be thought.
const uri = 'file:///w/src/vault.ts';
const end = { line: text.split('\n').length - 1, character: text.split('\n').at(-1)!.length };

test('a session with a secret in the file: neither log nor reasons nor disk hold it', async () => {
  const { environment, cwd, written } = surroundings(join(scratch, 'server'));
  // `auto` tries every device there is, which writes profiles meanwhile.
  const settings = { inferenceSteps: 2, device: 'auto', model: 'not/absolute' };
  const client = await LspClient.start({ environment, cwd, settings });
  await client.open(uri, text);
  await client.thought(uri);
  const [item] = await client.complete(uri, end, { invoked: true });
  assert.ok(
    `AKIA3X7P${item?.insertText as string}`.startsWith(secret),
    'the suggestion itself repeats the secret: what follows is worth something',
  );
  const reports = [await client.why(uri, end)];
  // What goes wrong is told without it, too: a process that ends in the middle, and a message that is nonsense.
  await client.type(uri, end, 'Q');
  const pending = client.complete(uri, { ...end, character: end.character + 1 });
  process.kill(await inferencePid(client), 'SIGKILL');
  await pending;
  await client.until(() => client.logs.some((line) => line.includes('the inference process ended')), 'the log');
  await client.connection.sendRequest('textDocument/inlineCompletion', { text }).catch(() => undefined);
  reports.push(await client.why(uri, end));
  await client.stop();

  const said = JSON.stringify([client.logs, client.statuses, client.progress, reports, client.output.stderr]);
  for (const part of [secret, secret.slice(8)]) assert.ok(!said.includes(part), `somebody was told ${part}: ${said}`);
  assert.deepEqual(written(), []);
});

test('the command line leaves nothing behind', () => {
  const { environment, cwd, written } = surroundings(join(scratch, 'cli'));
  const words = ['complete', `-:${end.line + 1}:${end.character + 1}`, '--path', 'src/vault.ts', '--model', bundle];
  const { status, stderr } = spawnSync(process.execPath, [join(dist, 'cli.js'), ...words], {
    input: text,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    cwd,
  });
  assert.equal(status, 0, stderr);
  assert.ok(!stderr.includes(secret.slice(8)));
  assert.deepEqual(written(), []);
});
