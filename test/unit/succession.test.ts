import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { after, test, type TestContext } from 'node:test';
import { InferenceClient } from '../../src/inference/client';
import type { Lifecycle } from '../../src/inference/lifecycle';

const folder = mkdtempSync(join(tmpdir(), 'thoughtline-succession-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/**
 * A process whose model is the folder's name: "slow" takes a moment to load, "broken" cannot be used, "mad" ends. A request
 * whose path says "later" is answered after a moment.
 */
const program = join(folder, 'program.js');
writeFileSync(
  program,
  `let name = '';
const answer = (id) => process.send({ type: 'completed', id, thought: 0, refinementRunsWaited: 0, refinementRunsAhead: 0,
  window: { prefixTokens: 1, suffixTokens: 0 }, result: { text: name, candidates: [], replaceSuffix: 0, milliseconds: 1,
  stop: 'end', read: 0, written: 1, thought: { steps: 0, best: 0, nll: [], heldOut: [], kl: [], chunks: [], coverage: 0, milliseconds: 0 } } });
process.on('message', (message) => {
  if (message.type === 'open') {
    name = message.bundle;
    const ready = () => process.send({ type: 'ready', device: 'cpu', model: { name, version: '1', readsThought: true, defaultSteps: 1 } });
    if (name === 'broken') process.send({ type: 'refused', reason: 'broken: no model' });
    else if (name === 'mad') process.exit(3);
    else setTimeout(ready, name === 'slow' ? 400 : 0);
  }
  if (message.type === 'complete') setTimeout(() => answer(message.id), message.request.path === 'later' ? 700 : 0);
});
process.on('disconnect', () => process.exit());`,
);

const asked = { maxLines: 1, suggestionOptions: { memory: true, confidence: 'off' } as const, invoked: false };
const config = (bundle: string) => ({ bundle, device: 'cpu', threads: 0 });

function started(context: TestContext) {
  const states: Lifecycle['state'][] = [];
  const refused: string[] = [];
  const client = new InferenceClient(program, {
    lifecycle: ({ state }) => void states.push(state),
    loading: () => undefined,
    thinking: () => undefined,
    indexing: () => undefined,
    log: () => undefined,
    notSucceeded: (reason) => void refused.push(reason),
  });
  context.after(() => client.stop());
  const ask = async (path = 'now') => {
    const { result } = client.complete('file:///a.ts', { path, prefix: 'a', suffix: '', related: [] }, asked);
    const answer = await result;
    return 'result' in answer ? answer.result.text : answer.reason;
  };
  const until = async (condition: () => boolean) => {
    for (let i = 0; i < 600 && !condition(); i++) await wait(10);
    assert.ok(condition(), JSON.stringify({ states, refused }));
  };
  return { client, states, refused, ask, until };
}

test('the model that is ready answers until the other one is loaded, and what it owes after that', async (context) => {
  const { client, states, ask, until } = started(context);
  client.open(config('nano'));
  assert.equal(await ask(), 'nano');
  client.succeed(config('slow'));
  assert.equal(await ask(), 'nano');
  const owed = ask('later');
  await until(() => client.bundle === 'slow');
  assert.equal(client.model?.name, 'slow');
  assert.equal(await ask(), 'slow');
  assert.equal(await owed, 'nano');
  assert.deepEqual(states, ['loading', 'ready', 'ready']);
});

for (const [name, reason] of [
  ['broken', /no model/],
  ['mad', /ended \(exit code 3\)/],
] as const) {
  // prettier-ignore
  test(`one that is ${name} does not take its place`, async (context) => {
    const { client, states, refused, ask, until } = started(context);
    client.open(config('nano'));
    await until(() => client.lifecycle.state === 'ready');
    client.succeed(config(name));
    await until(() => refused.length === 1);
    assert.match(refused[0] ?? '', reason);
    assert.equal(await ask(), 'nano');
    assert.deepEqual([client.bundle, states.at(-1)], ['nano', 'ready']);
  });
}

test('one that is wanted no more is dropped, and what is stopped stays stopped', async (context) => {
  const { client, states, ask, until } = started(context);
  client.open(config('nano'));
  await until(() => client.lifecycle.state === 'ready');
  client.succeed(config('slow'));
  client.succeed(config('nano'));
  await wait(700);
  assert.equal(await ask(), 'nano');
  client.succeed(config('slow'));
  client.stop();
  await wait(700);
  assert.deepEqual([client.lifecycle.state, states.at(-1)], ['off', 'off']);
});

test('where nothing is ready the model is opened', async (context) => {
  const { client, states, ask } = started(context);
  client.succeed(config('slow'));
  assert.equal(await ask(), 'slow');
  assert.deepEqual(states, ['loading', 'ready']);
});
