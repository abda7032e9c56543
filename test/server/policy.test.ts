/** What is learned from suggestions taken, over the protocol: told, stored, heeded, forgotten. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { noExperience } from '../../src/policy/policy';
import { readState, writeState } from '../../src/policy/state';
import { ForgetRequest, OutcomeNotification, POLICY_FILE } from '../../src/protocol';
import { LspClient, frozen } from './client';

const text = readFileSync(join(frozen, 'src/thought/refine.ts'), 'utf8');
const lines = text.split('\n');
const uri = 'file:///policy/src/refine.ts';
const storage = mkdtempSync(join(tmpdir(), 'thoughtline-policy-'));
const file = join(storage, POLICY_FILE);
after(() => rmSync(storage, { recursive: true }));

const started: LspClient[] = [];
after(() => started.forEach(({ server }) => server.kill()));

async function start(): Promise<LspClient> {
  const client = await LspClient.start({ settings: { inferenceSteps: 0, adaptive: true }, storage });
  started.push(client);
  await client.open(uri, text);
  return client;
}

/** The first line at whose end there is a suggestion. */
async function suggestion(client: LspClient, invoked: boolean, from = 20) {
  for (let line = from; line < lines.length; line++) {
    const at = { line, character: lines[line]!.length };
    const [item] = await client.complete(uri, at, { invoked });
    if (item) return { at, text: item.insertText as string };
  }
  throw new Error('the model suggests nothing');
}

test('an outcome is learned and stored at the end, once; of what was asked for by hand nothing is learned', async () => {
  const client = await start();
  const first = await suggestion(client, false);
  const outcome = { uri, text: first.text, share: 1, kept: true };
  await client.connection.sendNotification(OutcomeNotification.method, outcome);
  await client.connection.sendNotification(OutcomeNotification.method, outcome);
  const second = await suggestion(client, true, first.at.line + 1);
  await client.connection.sendNotification(OutcomeNotification.method, { ...outcome, text: second.text });
  assert.equal(await client.stop(), 0);
  const { state, dropped } = readState(readFileSync(file, 'utf8'));
  assert.equal(dropped, undefined);
  assert.deepEqual([state.decisions, state.recent, state.languages], [1, [1], ['typescript']]);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('what would not be taken is withheld and the reason told; asked for by hand it is always shown', async () => {
  // Somebody who took nothing for long, whatever it was.
  const mean = noExperience.posterior.mean.map((_, i) => (i === 0 ? -12 : 0));
  const posterior = { mean, precision: mean.map(() => 1000) };
  writeFileSync(file, writeState({ ...noExperience, posterior, decisions: 400, languages: ['typescript'] }));
  const client = await start();
  const asked = await suggestion(client, true);
  // Elsewhere nothing comes of itself, though the model has something.
  const next = await suggestion(client, true, asked.at.line + 1);
  await client.close(uri);
  await client.open(uri, text);
  assert.deepEqual(await client.complete(uri, next.at), []);
  assert.match((await client.why(uri, next.at)).reason, /^withheld: .*thoughtline\.adaptive/);
  const [shown] = await client.complete(uri, next.at, { invoked: true });
  assert.equal(shown?.insertText, next.text);
  // What is on screen stays while the user types along.
  if (next.text.length > 1 && !next.text.startsWith('\n')) {
    await client.type(uri, next.at, next.text[0]!);
    const [rest] = await client.complete(uri, { ...next.at, character: next.at.character + 1 });
    assert.equal(rest?.insertText, next.text.slice(1));
  }
  await client.configure({ inferenceSteps: 0, adaptive: false });
  assert.ok(await suggestion(client, false, asked.at.line));
  await client.configure({ inferenceSteps: 0 });
  await client.connection.sendRequest(ForgetRequest.method, {});
  assert.equal(existsSync(file), false);
  assert.ok(await suggestion(client, false, next.at.line + 1));
  assert.equal(await client.stop(), 0);
});

test('what cannot be read is dropped with one line', async () => {
  writeFileSync(file, '{"format":7}');
  const client = await start();
  await client.until(() => client.logs.some((line) => line.includes('is dropped')), 'the line');
  assert.equal(client.logs.filter((line) => line.includes('suggestions taken')).length, 1);
  assert.match(client.logs.join('\n'), /its format is 7, and this version reads 1/);
  assert.equal(await client.stop(), 0);
});
