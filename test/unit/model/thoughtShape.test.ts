import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromBfloat16, toBfloat16 } from '../../../src/model/arrays';
import type { Manifest } from '../../../src/model/manifest';
import { groupEnds, thoughtShape, thoughtSize, topLayers } from '../../../src/model/thoughtShape';

const manifest = (thought?: Partial<Manifest['thought']>) =>
  ({ architecture: { width: 4, layers: 5, trunkLayers: 2 }, thought }) as Manifest;

describe('the shape of a thought', () => {
  test('a number for each top layer, feature and channel, each layer a group', () => {
    const read = manifest({ features: 2 });
    assert.equal(topLayers(read), 3);
    assert.deepEqual(thoughtShape(read), [3, 2, 4]);
    assert.equal(thoughtSize(read), 24);
    assert.deepEqual(groupEnds(read), [8, 16, 24]);
  });

  test('a decoder that reads no thought has none', () => {
    assert.equal(thoughtSize(manifest()), 0);
    assert.deepEqual(groupEnds(manifest()), []);
  });
});

test('numbers of 16 bits are right to a part in 256, and whole ones to the last bit', () => {
  const values = Float32Array.of(0, 1, -2.5, 1e-3, -3e20, 0.3);
  const back = fromBfloat16(toBfloat16(values));
  values.forEach((value, i) => assert.ok(Math.abs((back[i] as number) - value) <= Math.abs(value) / 256));
  assert.deepEqual([...back.subarray(0, 3)], [0, 1, -2.5]);
});
