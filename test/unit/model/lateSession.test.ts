import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InferenceSession } from 'onnxruntime-node';
import { LateSession } from '../../../src/model/graphs';

test('a graph is opened when it is first wanted, once', async () => {
  let opened = 0;
  const late = new LateSession(() => Promise.resolve({ number: ++opened } as unknown as InferenceSession));
  assert.equal(late.opened, undefined);
  const [one, other] = await Promise.all([late.session(), late.session()]);
  assert.equal(one, other);
  assert.deepEqual([late.opened, await late.session(), opened], [one, one, 1]);
});

test('what is wrong with it is said to whoever wants it', async () => {
  const late = new LateSession(() => Promise.reject(new Error('damaged')));
  await assert.rejects(late.session(), /damaged/);
  await assert.rejects(late.session(), /damaged/);
  assert.equal(late.opened, undefined);
});
