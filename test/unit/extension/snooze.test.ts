import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  awake,
  describeSnooze,
  minutesLeft,
  nextSnooze,
  untilChange,
  type Snooze,
  type SnoozeEvent,
} from '../../../src/extension/snooze';

const minute = 60_000;

test('snooze: tables of events', () => {
  const five: SnoozeEvent = { type: 'snooze', minutes: 5, now: 0 };
  const forever: SnoozeEvent = { type: 'snooze', now: 0 };
  const tick = (now: number): SnoozeEvent => ({ type: 'tick', now });
  const table: [name: string, events: SnoozeEvent[], expected: Snooze][] = [
    ['nothing', [], awake],
    ['five minutes', [five], { state: 'snoozed', until: 5 * minute }],
    ['before the end', [five, tick(5 * minute - 1)], { state: 'snoozed', until: 5 * minute }],
    ['at the end', [five, tick(5 * minute)], awake],
    ['after a night with the lid closed', [five, tick(480 * minute)], awake],
    ['ended early', [five, { type: 'end' }], awake],
    ['ended twice', [five, { type: 'end' }, { type: 'end' }], awake],
    ['once more', [five, { type: 'snooze', minutes: 60, now: minute }], { state: 'snoozed', until: 61 * minute }],
    ['until restart has no end', [forever, tick(1e12)], { state: 'snoozed' }],
    ['until restart, ended', [forever, { type: 'end' }], awake],
    ['until restart, then five minutes', [forever, five, tick(5 * minute)], awake],
    ['a tick of a clock that was forgotten', [tick(5)], awake],
  ];
  for (const [name, events, expected] of table) assert.deepEqual(events.reduce(nextSnooze, awake), expected, name);
});

test('what is left is told in whole minutes, and looked at again when that changes', () => {
  const snooze: Snooze = { state: 'snoozed', until: 5 * minute };
  const table: [now: number, left: number, change: number, words: RegExp][] = [
    [0, 5, minute, /5 more minutes$/],
    [1, 5, minute - 1, /5 more minutes$/],
    [minute, 4, minute, /4 more minutes$/],
    [4 * minute, 1, minute, /1 more minute$/],
    [5 * minute - 10, 1, 10, /1 more minute$/],
    [5 * minute, 0, 0, /0 more minutes$/],
  ];
  for (const [now, left, change, words] of table) {
    assert.equal(minutesLeft(snooze, now), left, `${now}`);
    assert.equal(untilChange(snooze, now), change, `${now}`);
    assert.match(describeSnooze(snooze, now) ?? '', words);
  }
  assert.equal(describeSnooze({ state: 'snoozed' }, 0), 'snoozed until restart');
  assert.equal(untilChange({ state: 'snoozed' }, 0), undefined);
  assert.equal(describeSnooze(awake, 0), undefined);
});
