import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { InferenceClient } from '../../src/inference/client';
import type { ThinkingMode } from '../../src/inference/messages';
import { RefinementScheduler } from '../../src/server/refinementScheduler';
import { idleMs, restMs } from '../../src/server/schedule';
import { Session } from '../../src/server/session';

const URI = 'file:///w/a.ts';

/** A scheduler over an inference process that is done at once. */
function scheduler(context: TestContext, onMains = () => Promise.resolve(true)) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let clock = 0;
  context.mock.method(performance, 'now', () => clock);
  const asked: [ThinkingMode, number][] = [];
  const session = new Session();
  const client = {
    lifecycle: { state: 'ready' },
    forget: () => undefined,
    think: (_uri: string, _request: unknown, mode: ThinkingMode, steps: number) => {
      asked.push([mode, steps]);
      return Promise.resolve({});
    },
  } as unknown as InferenceClient;
  const subject = () => ({ session, request: () => ({ path: '/w/a.ts', prefix: '', suffix: '', related: [] }) });
  const listener = { log: () => undefined, rested: () => undefined };
  const refinements = new RefinementScheduler(client, subject, listener, onMains);
  const pass = async (milliseconds: number) => {
    clock += milliseconds;
    context.mock.timers.tick(milliseconds);
    await turn();
    context.mock.timers.tick(0);
    await turn();
  };
  const type = () => {
    session.touched({ line: 0, character: session.revision });
    refinements.activity(URI);
  };
  return { refinements, asked, pass, type };
}

test('steps that pay are taken at rest, and all that are wanted once nothing has happened for a while', async (t) => {
  const { refinements, asked, pass, type } = scheduler(t);
  refinements.steps = { atRest: 1, idle: 8 };
  type();
  await pass(restMs - 1);
  assert.deepEqual(asked, []);
  await pass(1);
  assert.deepEqual(asked, [['cold', 1]]);
  await pass(idleMs);
  assert.deepEqual(asked, [['cold', 1], ['cold', 8]]); // prettier-ignore
  await pass(10 * idleMs);
  assert.equal(asked.length, 2);
  type();
  await pass(restMs);
  assert.deepEqual(asked.slice(2), [['follow', 1]]);
  await pass(idleMs);
  assert.equal(asked.length, 3, 'a thought that follows keeps its steps');
});

test('on battery the steps that pay are all', async (t) => {
  const { refinements, asked, pass, type } = scheduler(t, () => Promise.resolve(false));
  refinements.steps = { atRest: 1, idle: 8 };
  type();
  await pass(restMs);
  await pass(idleMs);
  assert.deepEqual(asked, [['cold', 1]]);
});

test('switched off while the power source is read, nothing more is done', async (t) => {
  let tell: (onMains: boolean) => void = () => assert.fail('the power source was not asked');
  const { refinements, asked, pass, type } = scheduler(t, () => new Promise((resolve) => (tell = resolve)));
  refinements.steps = { atRest: 1, idle: 8 };
  type();
  await pass(restMs);
  await pass(idleMs);
  refinements.steps = undefined;
  tell(true);
  await pass(0);
  assert.deepEqual(asked, [['cold', 1]]);
});

test('who looks at the thought, or triggers a suggestion manually, gets all steps at once', async (t) => {
  const { refinements, asked, pass, type } = scheduler(t);
  refinements.steps = { atRest: 0, idle: 4 };
  type();
  await refinements.now(URI);
  assert.deepEqual(asked, [['cold', 4]]);
  type();
  refinements.watched(URI);
  await pass(restMs);
  assert.deepEqual(asked.slice(1), [['follow', 4]]);
});

test('without steps the window is read at rest, once for each change; switched off, nothing is done', async (t) => {
  const { refinements, asked, pass, type } = scheduler(t);
  refinements.steps = { atRest: 0, idle: 0 };
  type();
  await pass(restMs);
  await pass(idleMs);
  assert.deepEqual(asked, [['prepare', 0]]);
  type();
  await pass(restMs);
  assert.equal(asked.length, 2);
  refinements.steps = undefined;
  type();
  await pass(idleMs);
  await refinements.now(URI);
  assert.equal(asked.length, 2);
});
