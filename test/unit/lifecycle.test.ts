import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initial, limit, transition, type Lifecycle, type LifecycleEvent } from '../../src/inference/lifecycle';

const start: LifecycleEvent = { type: 'start' };
const readyAt = (at: number): LifecycleEvent => ({ type: 'ready', device: 'cpu', at });
const ready = readyAt(0);
const again: LifecycleEvent = { type: 'backedOff' };
const died = (at: number): LifecycleEvent => ({ type: 'died', how: 'signal SIGKILL', at });

/** Names of the states and effects along a sequence of events. */
function run(
  events: LifecycleEvent[],
  from: Lifecycle = initial,
): { states: string[]; effects: string[]; last: Lifecycle } {
  const states: string[] = [];
  const effects: string[] = [];
  let last = from;
  for (const event of events) {
    const next = transition(last, event);
    last = next.to;
    states.push(last.state);
    effects.push(
      ...next.effects.map((effect) => (effect.type === 'wait' ? `wait ${effect.milliseconds}` : effect.type)),
    );
  }
  return { states, effects, last };
}

test('lifecycle: tables of events', () => {
  const table: { name: string; events: LifecycleEvent[]; states: string; effects: string }[] = [
    { name: 'load', events: [start, ready], states: 'loading ready', effects: 'spawn' },
    { name: 'start twice', events: [start, start], states: 'loading loading', effects: 'spawn' },
    {
      name: 'switched off',
      events: [start, ready, { type: 'stop' }],
      states: 'loading ready off',
      effects: 'spawn,kill',
    },
    {
      name: 'bad bundle: no second try',
      events: [start, { type: 'refused', reason: 'manifest.json is missing' }, died(1)],
      states: 'loading failed failed',
      effects: 'spawn,kill',
    },
    {
      name: 'crash, back-off, again ready',
      events: [start, ready, died(10), { type: 'backedOff' }, ready],
      states: 'loading ready waiting loading ready',
      effects: `spawn,wait ${limit.backOffMs[0]},spawn`,
    },
    {
      name: 'crash while loading',
      events: [start, died(10), { type: 'backedOff' }],
      states: 'loading waiting loading',
      effects: `spawn,wait ${limit.backOffMs[0]},spawn`,
    },
    {
      name: 'switched off during back-off',
      events: [start, died(10), { type: 'stop' }, { type: 'backedOff' }],
      states: 'loading waiting off off',
      effects: `spawn,wait ${limit.backOffMs[0]}`,
    },
    {
      name: 'restart while ready',
      events: [start, ready, { type: 'restart' }],
      states: 'loading ready loading',
      effects: 'spawn,kill,spawn',
    },
    {
      name: 'late words of a dead process',
      events: [ready, died(1), { type: 'backedOff' }],
      states: 'off off off',
      effects: '',
    },
  ];
  for (const { name, events, states, effects } of table) {
    const result = run(events);
    assert.equal(result.states.join(' '), states, name);
    assert.equal(result.effects.join(','), effects, name);
  }
});

/** Deaths one after the other, however long each process took to load. */
const rows: [name: string, death: (at: number) => LifecycleEvent[]][] = [
  ['soon after they were ready', (at) => [readyAt(at), died(at + 10), again]],
  ['while they load', (at) => [died(at), again]],
];
for (const [name, death] of rows) {
  for (const apart of [1_000, 10 * limit.steadyMs]) {
    test(`lifecycle: too many die ${name}, ${apart / 1000} s apart: failed with the reason; restart forgets them`, () => {
      const { last } = run([start, ...Array.from({ length: limit.crashes + 1 }, (_, i) => death(apart * i)).flat()]);
      assert.equal(last.state, 'failed');
      assert.match(last.state === 'failed' ? last.reason : '', /ended 5 times in a row, last: signal SIGKILL/);
      const { states } = run([{ type: 'restart' }, ready, died(9000)], last);
      assert.deepEqual(states, ['loading', 'ready', 'waiting']);
    });
  }
}

test('lifecycle: an answer ends a row of crashes, and the back-off begins again', () => {
  const served: LifecycleEvent = { type: 'served' };
  const crash = (at: number): LifecycleEvent[] => [readyAt(at), served, died(at), again];
  const { last, effects } = run([start, ...Array.from({ length: 200 }, (_, i) => crash(100 * i)).flat()]);
  assert.equal(last.state, 'loading');
  assert.deepEqual([...new Set(effects)], ['spawn', `wait ${limit.backOffMs[0]}`]);
  assert.equal(transition(initial, served).to, initial);
});

test('lifecycle: deaths of processes that were ready for long never add up', () => {
  const death = (at: number): LifecycleEvent[] => [readyAt(at), died(at + limit.steadyMs), again];
  const { last, effects } = run([start, ...Array.from({ length: 20 }, (_, i) => death(i * limit.steadyMs)).flat()]);
  assert.equal(last.state, 'loading');
  assert.deepEqual([...new Set(effects)], ['spawn', `wait ${limit.backOffMs[0]}`]);
});

test('lifecycle: back-off grows', () => {
  let state: Lifecycle = transition(initial, start).to;
  const waits: number[] = [];
  for (let i = 0; i < limit.crashes; i++) {
    const next = transition(transition(state, ready).to, died(i));
    for (const effect of next.effects) if (effect.type === 'wait') waits.push(effect.milliseconds);
    state = transition(next.to, { type: 'backedOff' }).to;
  }
  assert.deepEqual(waits, [...limit.backOffMs]);
});
