import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Failure } from '../../../src/serve/failure';
import { Turns } from '../../../src/serve/turns';

const patient = () => new AbortController();

test('one after the other, in the order in which they came', async () => {
  const turns = new Turns(8);
  const order: number[] = [];
  let together = 0;
  await Promise.all(
    [1, 2, 3, 4, 5].map(async (number) => {
      const release = await turns.take(patient().signal);
      assert.equal(++together, 1);
      await nextTurn();
      order.push(number);
      together--;
      release();
      release();
    }),
  );
  assert.deepEqual(order, [1, 2, 3, 4, 5]);
  assert.equal(turns.length, 0);
  await turns.idle();
});

test('more than may wait are refused at once, and told that they may try again', async () => {
  const turns = new Turns(1);
  const release = await turns.take(patient().signal);
  const second = turns.take(patient().signal);
  await assert.rejects(turns.take(patient().signal), (error) => error instanceof Failure && error.status === 503);
  release();
  (await second)();
  (await turns.take(patient().signal))();
});

test('who gives up waiting keeps nobody else from it, and idle waits for all', async () => {
  const turns = new Turns(8);
  const release = await turns.take(patient().signal);
  const gone = patient();
  const second = turns.take(gone.signal);
  const third = turns.take(patient().signal);
  let idle = false;
  const resting = turns.idle().then(() => (idle = true));
  gone.abort(new Error('hung up'));
  await assert.rejects(second, /hung up/);
  assert.equal(turns.length, 2);
  release();
  const last = await third;
  await nextTurn();
  assert.equal(idle, false);
  last();
  await resting;
  await assert.rejects(turns.take(gone.signal), /hung up/);
});
