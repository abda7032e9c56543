import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ApiError } from '../../../src/serve/apiError';
import { RequestQueue } from '../../../src/serve/requestQueue';

const patient = () => new AbortController();

test('one after the other, in the order in which they came', async () => {
  const queue = new RequestQueue(8);
  const order: number[] = [];
  let together = 0;
  await Promise.all(
    [1, 2, 3, 4, 5].map(async (number) => {
      const release = await queue.take(patient().signal);
      assert.equal(++together, 1);
      await nextTurn();
      order.push(number);
      together--;
      release();
      release();
    }),
  );
  assert.deepEqual(order, [1, 2, 3, 4, 5]);
  assert.equal(queue.length, 0);
  await queue.idle();
});

test('more than may wait are refused at once, and told that they may try again', async () => {
  const queue = new RequestQueue(1);
  const release = await queue.take(patient().signal);
  const second = queue.take(patient().signal);
  await assert.rejects(queue.take(patient().signal), (error) => error instanceof ApiError && error.status === 503);
  release();
  (await second)();
  (await queue.take(patient().signal))();
});

test('who gives up waiting keeps nobody else from it, and idle waits for all', async () => {
  const queue = new RequestQueue(8);
  const release = await queue.take(patient().signal);
  const gone = patient();
  const second = queue.take(gone.signal);
  const third = queue.take(patient().signal);
  let idle = false;
  const resting = queue.idle().then(() => (idle = true));
  gone.abort(new Error('hung up'));
  await assert.rejects(second, /hung up/);
  assert.equal(queue.length, 2);
  release();
  const last = await third;
  await nextTurn();
  assert.equal(idle, false);
  last();
  await resting;
  await assert.rejects(queue.take(gone.signal), /hung up/);
});
