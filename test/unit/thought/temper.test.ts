import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tempered } from '../../../src/thought/temper';
import { priorThought } from '../../../src/thought/thought';

const prior = priorThought(Float32Array.of(1, -2));
const thought = { ...prior, version: 7, mu: Float32Array.of(3, -4) };

test('a thought that goes a share of its way is another one, on the same evidence', () => {
  const half = tempered(thought, prior.mu, 0.5);
  assert.deepEqual(half.mu, Float32Array.of(2, -3));
  assert.notEqual(half.version, thought.version);
  assert.equal(half.readings, thought.readings);
  assert.deepEqual(tempered(thought, prior.mu, 0).mu, prior.mu);
});

test('all of its way, and where there is none, it is itself', () => {
  assert.equal(tempered(thought, prior.mu, 1), thought);
  assert.equal(tempered(prior, prior.mu, 0.5), prior);
});
