import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debounce, TypingCadence } from '../../src/server/typingCadence';

const max = 300;
const times = (count: number, value: number) => Array.from({ length: count }, () => value);

test('the wait follows the typing and the speed of the model', () => {
  const table: [name: string, intervals: number[], latency: number, wait: number][] = [
    ['nothing is known', [], 80, 0],
    ['too little is known', times(7, 50), 80, 0],
    ['no run has ended yet', times(20, 50), 0, 0],
    ['faster than the fingers', times(20, 150), 80, 0],
    ['as fast as half of the intervals', [...times(10, 100), ...times(10, 200)], 150, 0],
    ['slower than most: the pauses are waited for', [...times(15, 100), ...times(5, 2000)], 150, 100],
    ['slower than everything', [...times(15, 100), ...times(5, 290)], 2000, 290],
    ['never a pause that is long enough', [...times(10, 250), ...times(10, 400)], 500, 300],
    ['bursts, then pauses', [...times(30, 60), ...times(5, 180), ...times(10, 900)], 300, 60],
  ];
  for (const [name, intervals, latency, wait] of table) assert.equal(debounce(intervals, latency, max), wait, name);
});

test('never longer than it may be', () => {
  const fast = times(20, 100);
  assert.equal(debounce(fast, 900, 20), 20);
  assert.equal(debounce(fast, 900, 0), 0);
});

test('the wait is counted from the keystroke; what the editor adds in the same moment is none', () => {
  const cadence = new TypingCadence();
  let now = 0;
  for (let i = 0; i < 20; i++) {
    cadence.typed((now += 100));
    cadence.typed(now + 2);
  }
  for (const latency of [700, 500, 9000]) cadence.ran(latency);
  assert.equal(cadence.latency, 700);
  assert.equal(cadence.wait(now), 40);
  assert.equal(cadence.wait(now + 30), 10);
  assert.equal(cadence.wait(now + 500), 0);
});
