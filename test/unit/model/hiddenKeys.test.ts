import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { cosinesTo, HiddenKeys, plainProducts, unitRows, type Products } from '../../../src/model/hiddenKeys';
import { openProducts } from '../../../src/model/kernel/products';
import { normal, randomFrom } from '../../../src/model/random';
import { quantiseRows } from '../../../src/model/quantisedRows';

/** Unit vectors of a seeded generator, [count, width]. */
function units(count: number, width: number, seed: number): Float32Array {
  const random = randomFrom(seed);
  const rows = Float32Array.from({ length: count * width }, () => normal(random));
  for (let row = 0; row < count; row++) {
    const values = rows.subarray(row * width, (row + 1) * width);
    const length = Math.hypot(...values);
    values.forEach((value, i) => (values[i] = value / length));
  }
  return rows;
}

describe('hidden keys', () => {
  test('cosines are right to a hundredth', () => {
    const [one, others] = [units(1, 64, 1), units(20, 64, 2)];
    const cosines = cosinesTo(quantiseRows(one, 64), quantiseRows(others, 64), plainProducts);
    cosines.forEach((cosine, row) => {
      const exact = one.reduce((sum, value, i) => sum + value * others[row * 64 + i]!, 0);
      assert.ok(Math.abs(cosine - exact) < 0.01, `${cosine} in place of ${exact}`);
    });
  });

  test('grow beyond their capacity, and are forgotten from a row on', () => {
    const rows = units(9, 16, 3);
    const keys = new HiddenKeys(16, 2);
    for (let row = 0; row < 9; row++) keys.append(rows.subarray(row * 16, (row + 1) * 16));
    assert.deepEqual(keys.slice(), quantiseRows(rows, 16));
    keys.truncate(3);
    keys.append(rows.subarray(0, 16));
    assert.equal(keys.length, 4);
    assert.deepEqual(keys.slice(3).numbers, quantiseRows(rows.subarray(0, 16), 16).numbers);
  });
});

describe('rows of keys', () => {
  test('are moved whether they count or not, and count again', () => {
    const rows = units(6, 16, 4);
    const keys = new HiddenKeys(16, 6);
    keys.append(rows);
    keys.truncate(1);
    keys.move(2, 9, 4);
    while (keys.length < 9) keys.append(rows.subarray(0, 16));
    keys.extend(13);
    assert.deepEqual(keys.slice(9), quantiseRows(rows.subarray(2 * 16), 16));
  });

  test('become unit vectors', () => {
    assert.deepEqual(
      [...unitRows(Float32Array.of(3, 4, 0, -2), 2)].map((value) => +value.toFixed(6)),
      [0.6, 0.8, 0, -1],
    );
  });
});

describe('products on vectors of the processor', () => {
  let products: Products;
  before(async () => {
    products = await openProducts();
  });

  for (const [count, width] of [
    [1, 16],
    [7, 48],
    [300, 256],
    [0, 32],
    [3, 20],
  ] as const)
    // prettier-ignore
    test(`${count} rows of ${width} are what they are by themselves`, () => {
      const random = randomFrom(count + width);
      const whole = (length: number) => Int8Array.from({ length }, () => Math.round(254 * random()) - 127);
      const [vector, rows] = [whole(width), whole(count * width)];
      assert.deepEqual([...products(vector, rows)], [...plainProducts(vector, rows)]);
      // Again, from where they lie, for another vector.
      const other = whole(width);
      assert.deepEqual([...products(other, rows)], [...plainProducts(other, rows)]);
    });

  test('more than there is room for at once', () => {
    const vector = new Int8Array(1024).fill(1);
    const blocks = Array.from({ length: 5 }, (_, i) => new Int8Array(1024 * 4096).fill(i + 1));
    for (let round = 0; round < 2; round++)
      for (const [i, block] of blocks.entries())
        assert.ok([...products(vector, block)].every((sum) => sum === 1024 * (i + 1)));
    const large = new Int8Array(1024 * 17000).fill(1);
    assert.equal(products(vector, large)[16999], 1024);
  });
});
