import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromBfloat16, toBfloat16 } from '../../../src/model/arrays';
import type { Manifest } from '../../../src/model/manifest';
import { byFeature, groupEnds, leaningOf, thoughtRows } from '../../../src/model/thoughtShape';

/** Three top layers of 2 × 4 numbers; 13 tokens, which take two rows of z. */
const shape = (more: Partial<Manifest['architecture']>) => ({
  architecture: { vocabulary: 13, width: 4, thoughtVectors: 2, layers: 5, trunkLayers: 2, ...more } as Manifest['architecture'],
}); // prettier-ignore

describe('the shape of a thought', () => {
  const cases: [name: string, more: Partial<Manifest['architecture']>, rows: number, ends: number[]][] = [
    ['of layers alone', {}, 3, [8, 16, 24]],
    ['that speaks of tokens', { tokenGroups: 2 }, 5, [8, 16, 24, 32, 40]],
    ['that speaks of features', { tokenGroups: 2, tokenFeatures: 3 }, 11, [8, 16, 24, 32, 40, 88]],
  ];
  for (const [name, more, rows, ends] of cases) {
    test(`${name}: rows, and where its groups end`, () => {
      assert.equal(thoughtRows(shape(more)), rows);
      assert.deepEqual(groupEnds(shape(more)), ends);
    });
  }

  test('numbers of tokens lie behind the layers’, those of features behind them', () => {
    const all = shape({ tokenGroups: 2, tokenFeatures: 3 });
    const z = Float32Array.from({ length: 88 }, (_, i) => i);
    const leaning = leaningOf(z, all);
    assert.deepEqual([leaning.length, leaning[0], leaning[12]], [13, 24, 36]);
    const { numbers, stride } = byFeature(z, all);
    assert.deepEqual([stride, numbers[0], numbers[stride], numbers.length], [16, 40, 56, 48]);
  });

  test('a thought that speaks of no token leans toward none', () => {
    assert.equal(leaningOf(new Float32Array(24), shape({})).length, 0);
  });
});

test('numbers of 16 bits are right to a part in 256, and whole ones to the last bit', () => {
  const values = Float32Array.of(0, 1, -2.5, 1e-3, -3e20, 0.3);
  const back = fromBfloat16(toBfloat16(values));
  values.forEach((value, i) => assert.ok(Math.abs((back[i] as number) - value) <= Math.abs(value) / 256));
  assert.deepEqual([...back.subarray(0, 3)], [0, 1, -2.5]);
});
