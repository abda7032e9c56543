import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleThoughts } from '../../../src/thought/sample';
import { priorThought } from '../../../src/thought/thought';

describe('samples of a thought', () => {
  const thought = priorThought(new Float32Array(2 * 4000).fill(1));
  const deviation = [0.5, 2];
  const ends = [4000, 8000];

  it('begin with the mean, so that one sample is the thought itself', () => {
    assert.deepEqual(sampleThoughts(thought, deviation, ends, 1), [thought]);
    assert.equal(sampleThoughts(thought, deviation, ends, 3)[0], thought);
  });

  it('have the posterior’s mean and the deviation of each layer', () => {
    const [, sample] = sampleThoughts(thought, deviation, ends, 2);
    assert.ok(sample);
    deviation.forEach((wanted, layer) => {
      const values = [...sample.mu.subarray(layer * 4000, (layer + 1) * 4000)];
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
      assert.ok(Math.abs(mean - 1) < 0.1 * wanted, `${mean}`);
      assert.ok(Math.abs(spread / wanted - 1) < 0.05, `${spread}`);
    });
  });

  it('are the same every time, differ from one another, and have versions of their own', () => {
    const [first, again] = [sampleThoughts(thought, deviation, ends, 4), sampleThoughts(thought, deviation, ends, 4)];
    assert.deepEqual(
      first.map(({ mu }) => mu),
      again.map(({ mu }) => mu),
    );
    assert.equal(new Set(first.map(({ mu }) => mu[0])).size, 4);
    assert.equal(new Set([...first, ...again].slice(1).map(({ version }) => version)).size, 7);
  });
});
