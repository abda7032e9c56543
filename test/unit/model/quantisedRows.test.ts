import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { normal, randomFrom } from '../../../src/model/random';
import { quantiseRows } from '../../../src/model/quantisedRows';

describe('rows in 8 bits', () => {
  test('each is right to a 254th of its largest number', () => {
    const random = randomFrom(4);
    const rows = Float32Array.from({ length: 3 * 64 }, (_, i) => normal(random) * 10 ** Math.floor(i / 64));
    const { numbers, scales } = quantiseRows(rows, 64);
    rows.forEach((value, i) => {
      const row = Math.floor(i / 64);
      const max = Math.max(...rows.subarray(row * 64, (row + 1) * 64).map(Math.abs));
      const error = Math.abs(value - (numbers[i] as number) * (scales[row] as number));
      assert.ok(error <= (max / 254) * 1.001, `${value}: ${error}`);
    });
  });

  test('a row of nothing is nothing', () => {
    assert.deepEqual([...quantiseRows(new Float32Array(16), 16).numbers], Array<number>(16).fill(0));
  });

  test('a row with something that is no finite number is none', () => {
    for (const bad of [NaN, Infinity]) {
      const { numbers, scales } = quantiseRows(Float32Array.of(1, bad, 1, 2), 2);
      assert.ok(!Number.isFinite((numbers[1] as number) * (scales[0] as number)), `${bad}`);
      assert.equal(Math.fround((numbers[3] as number) * (scales[1] as number)), 2);
    }
  });
});
