import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setInterval as looks, setTimeout as sleep } from 'node:timers/promises';
import { InferenceClient } from '../../src/inference/client';
import type { Lifecycle } from '../../src/inference/lifecycle';
import { lineSplitter, LogLimiter, logLimits } from '../../src/inference/logLines';
import { isFromInference } from '../../src/inference/messages';
import { hangTimeouts, SilenceRecord, silenceLimit } from '../../src/inference/hangTimeouts';

test('silence: how long is too long', () => {
  const table: [name: string, silence: Parameters<typeof silenceLimit>[0], expected: number][] = [
    ['loading', { loading: true, device: 'cpu', longestMs: undefined, characters: 0 }, hangTimeouts.loadingMs],
    ['a device prepares', { loading: true, device: 'auto', longestMs: 9, characters: 0 }, hangTimeouts.loadingDeviceMs],
    [
      'nothing is known',
      { loading: false, device: 'cpu', longestMs: undefined, characters: 0 },
      hangTimeouts.unknownMs,
    ],
    ['a quick machine', { loading: false, device: 'cpu', longestMs: 20, characters: 0 }, hangTimeouts.minMs],
    ['a slow machine', { loading: false, device: 'cpu', longestMs: 1_000, characters: 0 }, 20_000],
    ['a very slow one', { loading: false, device: 'cpu', longestMs: 50_000, characters: 0 }, hangTimeouts.maxMs],
    ['a large text', { loading: false, device: 'cpu', longestMs: 20, characters: 1_000_000 }, 15_000],
  ];
  for (const [name, silence, expected] of table) assert.equal(silenceLimit(silence), expected, name);
});

test('silence: the longest of the last ones counts, and old ones are forgotten', () => {
  const record = new SilenceRecord(3);
  assert.equal(record.longestMs, undefined);
  for (const milliseconds of [900, 5, 7]) record.add(milliseconds);
  assert.equal(record.longestMs, 900);
  record.add(6);
  assert.equal(record.longestMs, 7);
});

test('the log: so many lines within a time, each cut, and what is left out is counted', () => {
  let now = 0;
  const said: string[] = [];
  const limiter = new LogLimiter((line) => said.push(line), () => now); // prettier-ignore
  for (let i = 0; i < logLimits.lines + 30; i++) limiter.add(`line ${i}`);
  assert.equal(said.length, logLimits.lines);
  now += logLimits.withinMs;
  limiter.add('x'.repeat(10_000));
  assert.match(said.at(-2)!, /^30 more lines .* left out$/);
  assert.equal(said.at(-1)!.length, logLimits.characters + 1);
  limiter.flush();
  assert.equal(said.length, logLimits.lines + 2);
});

test('the log: lines come whole however the stream is cut, and a line without end is not kept', () => {
  const lines: string[] = [];
  const split = lineSplitter((line) => lines.push(line));
  for (const chunk of ['one\ntw', 'o\n\n', 'three\r\nfo', 'ur\n']) split(chunk);
  assert.deepEqual(lines, ['one', 'two', 'three', 'four']);
  for (let i = 0; i < 100; i++) split('x'.repeat(1000));
  split('\nlast\n');
  assert.equal(lines[4]!.length, logLimits.characters + 1);
  assert.equal(lines[5], 'last');
});

test('messages: what is none is known', () => {
  const completed = {
    type: 'completed',
    id: 1,
    result: {
      text: 'a',
      stop: 'end',
      replaceSuffix: 0,
      read: 0,
      milliseconds: 1,
      candidates: [{ text: 'a', replaceSuffix: 0, logprob: -1 }],
    },
    thought: 0,
    window: { prefixTokens: 1, suffixTokens: 0 },
    refinementRunsWaited: 0,
    refinementRunsAhead: 0,
  };
  assert.ok(isFromInference(completed));
  assert.ok(isFromInference({ type: 'thought', id: 1, uri: 'a' }));
  const none: unknown[] = [
    undefined,
    null,
    7,
    'ready',
    {},
    { type: 'toString' },
    { type: 'constructor' },
    { ...completed, id: 'one' },
    { ...completed, result: { ...completed.result, text: 7 } },
    { ...completed, result: { ...completed.result, replaceSuffix: -1 } },
    { type: 'declined', id: 1 },
    { type: 'ready', device: 'cpu' },
  ];
  for (const message of none) assert.ok(!isFromInference(message), JSON.stringify(message));
});

const folder = mkdtempSync(join(tmpdir(), 'thoughtline-hang-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const config = { bundle: '/nowhere', device: 'cpu', threads: 0 };
const question = { path: '/a.ts', prefix: 'a', suffix: '', related: [] };
const asked = {
  maxLines: 1,
  suggestionOptions: { memory: true, confidence: 'off' } as const,
  invoked: false,
};

/** A handle on a process that runs some lines of JavaScript, and what is heard of it. */
function handleOn(name: string, program: string, limits: ConstructorParameters<typeof InferenceClient>[2]) {
  const file = join(folder, `${name}.js`);
  writeFileSync(file, program);
  const states: Lifecycle[] = [];
  const logs: string[] = [];
  const listener = {
    lifecycle: (state: Lifecycle) => void states.push(state),
    loading: () => undefined,
    thinking: () => undefined,
    indexing: () => undefined,
    log: (line: string) => void logs.push(line),
  };
  const client = new InferenceClient(file, listener, limits);
  const until = async (condition: () => boolean) => {
    // Not `setTimeout`, which a test may hold.
    const clock = looks(10)[Symbol.asyncIterator]();
    for (let left = 6000; left > 0 && !condition(); left--) await clock.next();
    await clock.return?.();
    assert.ok(condition(), `${JSON.stringify(states)}\n${logs.join('\n')}`);
  };
  return { client, states, logs, until };
}

const ready = `process.send({ type: 'ready', device: 'cpu', model: { name: 'm', version: '1', readsThought: true, defaultSteps: 1 } });`;
const answering = `const answer = (id, text) => process.send({ type: 'completed', id, thought: 0, refinementRunsWaited: 0, refinementRunsAhead: 0,
    window: { prefixTokens: 0, suffixTokens: 0 },
    result: { text, stop: 'end', replaceSuffix: 0, read: 0, milliseconds: 0, candidates: [] } });`;

/** The text of an answer, or why there is none. */
async function textOf(run: ReturnType<InferenceClient['complete']>): Promise<string> {
  const answer = await run.result;
  return 'result' in answer ? answer.result.text : answer.reason;
}

test('a process that hangs while it loads is ended, and given up after some times; a restart begins again', async () => {
  const { client, logs, until } = handleOn('mute', 'setInterval(() => undefined, 1000);', { loadingMs: 150 });
  client.open(config);
  const run = client.complete('file:///a.ts', question, asked);
  await until(() => client.lifecycle.state === 'failed');
  assert.match((await run.result as { reason: string }).reason, /ended 5 times in a row, last: no answer for 0\.1 s/); // prettier-ignore
  assert.equal(logs.filter((line) => line.includes('no answer for')).length, 5);
  client.restart();
  assert.equal(client.lifecycle.state, 'loading');
  client.stop();
});

test('a process that is idle is let be, however long', async (context) => {
  const program = `${ready} ${answering}
    process.on('message', ({ type, id }) => type === 'complete' && answer(id, 'alive'));`;
  const { client, until } = handleOn('idle', program, {});
  // Time passes when the test says so: however long the process takes to start, that is no silence.
  context.mock.timers.enable({ apis: ['setTimeout'] });
  client.open(config);
  await until(() => client.lifecycle.state === 'ready');
  // After it has loaded, and after it has answered.
  for (let i = 0; i < 2; i++) {
    context.mock.timers.tick(1000 * hangTimeouts.loadingDeviceMs);
    assert.equal(await textOf(client.complete('file:///a.ts', question, asked)), 'alive');
  }
  assert.equal(client.respawns, 0);
  client.stop();
});

test('while the process is silent nothing more is sent to it; when it is heard again, the rest follows', async () => {
  // It answers the first request when a file is there, and says then how many have come until that.
  const go = join(folder, 'go');
  const program = `${ready} ${answering}
    let came = 0;
    process.on('message', ({ type, id }) => {
      if (type !== 'complete') return;
      if (++came > 1) return answer(id, 'late ' + came);
      const looking = setInterval(() => {
        if (!require('node:fs').existsSync(${JSON.stringify(go)})) return;
        clearInterval(looking);
        answer(id, 'came ' + came);
      }, 10);
    });`;
  const { client, until } = handleOn('slow', program, { stallMs: 50 });
  client.open(config);
  await until(() => client.lifecycle.state === 'ready');
  const first = client.complete('file:///a.ts', question, asked);
  await sleep(150);
  const second = client.complete('file:///a.ts', question, asked);
  const third = client.complete('file:///b.ts', question, asked);
  second.abort();
  assert.equal(await textOf(second), 'cancelled before the model was asked');
  writeFileSync(go, '');
  assert.equal(await textOf(first), 'came 1');
  assert.equal(await textOf(third), 'late 2');
  client.stop();
});

test('an answer ends a row of deaths: a process that works and is killed now and then is started again for ever', async () => {
  const program = `${ready} ${answering}
    process.on('message', ({ type, id, request }) => {
      if (type !== 'complete') return;
      if (request.prefix === 'die') process.exit(3);
      answer(id, 'x');
    });`;
  const { client, until, states } = handleOn('mortal', program, {});
  client.open(config);
  for (let i = 0; i < 8; i++) {
    await until(() => client.lifecycle.state === 'ready');
    assert.ok('result' in (await client.complete('file:///a.ts', question, asked).result));
    const fatal = await client.complete('file:///a.ts', { ...question, prefix: 'die' }, asked).result;
    assert.match((fatal as { reason: string }).reason, /ended \(exit code 3\); it is started again/);
  }
  assert.equal(client.respawns, 8 - (client.lifecycle.state === 'waiting' ? 1 : 0));
  assert.equal(states.filter(({ state }) => state === 'failed').length, 0);
  client.stop();
});

test('a device that computes wrongly is replaced by the CPU, until somebody asks for it again', async () => {
  const program = `process.on('message', ({ type, device }) => {
    if (type !== 'open') return;
    process.send({ type: 'ready', device, model: { name: 'm', version: '1', readsThought: true, defaultSteps: 1 } });
    if (device !== 'cpu') process.send({ type: 'deviceMismatch', reason: 'its logits are NaN' });
  });`;
  const { client, states, logs, until } = handleOn('deviceMismatch', program, {});
  client.open({ ...config, device: 'webgpu' });
  const device = () => (client.lifecycle.state === 'ready' ? client.lifecycle.device : undefined);
  await until(() => device() === 'cpu');
  assert.equal(logs.filter((line) => line.includes('(its logits are NaN); the CPU takes its place')).length, 1);
  client.restart();
  await until(() => states.filter((state) => state.state === 'ready').length === 4 && device() === 'cpu');
  client.stop();
});
