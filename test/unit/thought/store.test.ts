import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { quantiseRows } from '../../../src/model/quantisedRows';
import { ThoughtStore } from '../../../src/thought/store';
import { priorThought, type Thought } from '../../../src/thought/thought';

/** A thought of two numbers that rests on so many chunks. */
function thoughtOn(chunks: number): Thought {
  const gradient = { gradient: quantiseRows(new Float32Array(2), 2), nll: 1, tokens: 1, heldOut: false };
  const gradients = new Map(Array.from({ length: chunks }, (_, i) => [`${i}`, gradient]));
  return { ...priorThought(Float32Array.of(1, 2)), gradients };
}

describe('thoughts of files', () => {
  test('that of the file used longest ago is forgotten', () => {
    const store = new ThoughtStore(2);
    for (const path of ['a', 'b']) store.set(path, thoughtOn(1));
    store.get('a');
    store.set('c', thoughtOn(1));
    assert.equal(store.get('b'), undefined);
    assert.ok(store.get('a') && store.get('c'));
  });

  test('only the latest keep their gradients, so that the room they take is bounded; z and trace stay', () => {
    const store = new ThoughtStore(8, 10);
    for (const path of ['a', 'b', 'c']) store.set(path, thoughtOn(2));
    const [a, b, c] = ['a', 'b', 'c'].map((path) => store.get(path));
    assert.deepEqual([a?.gradients.size, b?.gradients.size, c?.gradients.size], [0, 2, 2]);
    assert.deepEqual([...(a?.mu ?? [])], [1, 2]);
  });

  test('the latest keeps them however many there are', () => {
    const store = new ThoughtStore(8, 10);
    store.set('a', thoughtOn(50));
    assert.equal(store.get('a')?.gradients.size, 50);
  });

  test('losing them does not count as use', () => {
    const store = new ThoughtStore(3, 4);
    for (const path of ['a', 'b', 'c', 'd']) store.set(path, thoughtOn(2));
    assert.equal(store.get('a'), undefined);
    assert.equal(store.get('b')?.gradients.size, 0);
  });
});
