import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unitOf, whitenedComponents } from '../../../src/adopt/features';
import { normal, randomFrom } from '../../../src/model/random';

const WIDTH = 12;
const ROWS = 600;

/** Three components of deviations 9, 4 and 2, beside noise of 0.1, around a mean that is not zero. */
function states(): Float32Array {
  const random = randomFrom(5);
  const components = [0, 1, 2].map((k) => Float64Array.from({ length: WIDTH }, (_, i) => Math.cos((k + 1) * (i + 0.5) * (Math.PI / WIDTH)) * Math.sqrt(2 / WIDTH))); // prettier-ignore
  return Float32Array.from(
    Array.from({ length: ROWS }, () => {
      const along = [9, 4, 2].map((deviation) => deviation * normal(random));
      return Array.from({ length: WIDTH }, (_, i) => {
        const sum = along.reduce((total, value, k) => total + value * components[k]![i]!, 0);
        return 5 + sum + 0.1 * normal(random);
      });
    }).flat(),
  );
}

/** f(n) of every row, [rows, count]. */
function featuresOf(rows: Float32Array, count: number, scale: number): Float32Array[] {
  const { components, means } = whitenedComponents(rows, WIDTH, count, scale);
  return Array.from({ length: ROWS }, (_, row) =>
    Float32Array.from({ length: count }, (_unused, k) => {
      let sum = -means[k]!;
      for (let i = 0; i < WIDTH; i++) sum += rows[row * WIDTH + i]! * components[i * count + k]!;
      return sum;
    }),
  );
}

describe('features of a thought', () => {
  test('have no mean, one deviation, and nothing in common', () => {
    const found = featuresOf(states(), 3, 0.5);
    for (const k of [0, 1, 2]) {
      const mean = found.reduce((sum, row) => sum + row[k]!, 0) / ROWS;
      assert.ok(Math.abs(mean) < 1e-3, `mean ${mean}`);
      for (const other of [0, 1, 2]) {
        const covariance = found.reduce((sum, row) => sum + row[k]! * row[other]!, 0) / ROWS;
        assert.ok(Math.abs(covariance - (k === other ? 0.25 : 0)) < 5e-3, `${k}, ${other}: ${covariance}`);
      }
    }
  });

  test('are the largest components: they hold what a state is but for the noise', () => {
    const rows = states();
    const { components, means } = whitenedComponents(rows, WIDTH, 3, 1);
    // Lengths of whitened components are one over the deviations.
    const lengths = [0, 1, 2].map((k) =>
      Math.hypot(...Array.from({ length: WIDTH }, (_, i) => components[i * 3 + k]!)),
    );
    for (const [k, deviation] of [9, 4, 2].entries()) assert.ok(Math.abs(lengths[k]! * deviation - 1) < 0.1);
    assert.equal(means.length, 3);
  });

  test('are the same every time', () => {
    assert.deepEqual(whitenedComponents(states(), WIDTH, 2, 1), whitenedComponents(states(), WIDTH, 2, 1));
  });

  test('are measured in units of the median channel, which massive channels do not change', () => {
    const outputs = Float32Array.from({ length: 4 * 5 }, (_, i) => (i % 5 === 4 ? 1000 : (i % 5) + 1));
    assert.equal(unitOf(outputs, 5, 4), 3 / 2);
  });
});
