import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { dequantize } from '../../../src/adopt/dequantize';
import type { GgmlName } from '../../../src/adopt/ggmlTypes';
import { quantizeRows, type QuantizedRows } from '../../../src/adopt/quantize';
import type { Blocks } from '../../../src/adopt/recipe';
import { NumericalError } from '../../../src/model/errors';
import { randomFrom } from '../../../src/model/random';
import { randomTensor, typeOf } from '../../tinyGguf';

/** What `MatMulNBits` multiplies with. */
function valuesOf({ weights, scales, zeroPoints }: QuantizedRows, columns: number, { bits, block }: Blocks) {
  const half = (bytes: Uint8Array, i: number) => (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
  const perRow = columns / block;
  return Float32Array.from({ length: scales.length * block }, (_, i) => {
    const at = Math.floor(i / block);
    const row = zeroPoints?.subarray(Math.floor(at / perRow) * Math.ceil(perRow / 2));
    const level = bits === 8 ? weights[i]! - 128 : half(weights, i) - half(row!, at % perRow);
    return level * scales[at]!;
  });
}

function errorOf(values: Float32Array, found: Float32Array, importance?: Float32Array): number {
  const cost = (i: number) => importance?.[i % importance.length] ?? 1;
  return values.reduce((sum, value, i) => sum + cost(i) * (value - found[i]!) ** 2, 0);
}

/** Round to nearest, the value farthest from zero at the lowest level. */
function plain(values: Float32Array, { bits, block }: Blocks): Float32Array {
  const lowest = -(2 ** (bits - 1));
  const found = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += block) {
    const part = values.subarray(at, at + block);
    const extreme = part.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    const scale = extreme / lowest;
    part.forEach((value, i) => {
      const level = scale === 0 ? 0 : Math.min(-lowest - 1, Math.max(lowest, Math.round(value / scale)));
      found[at + i] = level * scale;
    });
  }
  return found;
}

const formats: Blocks[] = [
  { bits: 4, block: 16 },
  { bits: 4, block: 32 },
  { bits: 4, block: 128 },
  { bits: 8, block: 16 },
  { bits: 8, block: 32 },
];

describe('rows in blocks', () => {
  for (const format of formats) {
    const { bits, block } = format;
    const value = fc.oneof(
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.double({ min: -1e-3, max: 1e-3, noNaN: true }),
      fc.constantFrom(0, -0, 1, -1, 40, 2 ** -140, -3e37),
    );
    const row = fc.array(value, { minLength: 3 * block, maxLength: 3 * block });
    const cost = fc.oneof(fc.double({ min: 1e-6, max: 10, noNaN: true }), fc.constantFrom(0, 1));

    test(`of ${block} with ${bits} bits never lose more than by rounding to the nearest`, () => {
      fc.assert(
        fc.property(
          fc.array(row, { minLength: 1, maxLength: 2 }),
          fc.array(cost, { minLength: 3 * block, maxLength: 3 * block }),
          fc.boolean(),
          (rows, costs, weighted) => {
            const values = Float32Array.from(rows.flat());
            const importance = weighted ? Float32Array.from(costs) : undefined;
            const found = quantizeRows(values, 3 * block, format, importance);
            assert.equal(found.weights.length, (values.length * bits) / 8);
            assert.equal(found.scales.length, values.length / block);
            const error = errorOf(values, valuesOf(found, 3 * block, format), importance);
            const max = errorOf(values, plain(values, format), importance);
            // Scales are float32: what they round is no more than this.
            const rounding = errorOf(values, new Float32Array(values.length), importance) * 1e-12;
            assert.ok(error <= max * (1 + 1e-5) + rounding, `${error} > ${max}`);
          },
        ),
        { numRuns: 300 },
      );
    });
  }

  test('of random weights lose less with scales by least squares, and less of what counts where that is known', () => {
    const random = randomFrom(3);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const values = Float32Array.from({ length: 64 * 256 }, normal);
    const importance = Float32Array.from({ length: 256 }, () => Math.exp(2 * normal()));
    const format = { bits: 4, block: 32 } as const;
    const even = valuesOf(quantizeRows(values, 256, format), 256, format);
    const weighted = valuesOf(quantizeRows(values, 256, format, importance), 256, format);
    assert.ok(errorOf(values, even) < 0.8 * errorOf(values, plain(values, format)));
    assert.ok(errorOf(values, weighted, importance) < 0.6 * errorOf(values, even, importance));
    assert.ok(errorOf(values, even) < errorOf(values, weighted));
  });

  test('of few levels come back exactly', () => {
    const exact: [GgmlName, Blocks][] = [
      ['Q4_0', { bits: 8, block: 32 }],
      ['Q5_0', { bits: 8, block: 32 }],
      ['Q5_0', { bits: 8, block: 16 }],
      ['Q8_0', { bits: 8, block: 32 }],
      ['Q6_K', { bits: 8, block: 16 }],
    ];
    for (const [type, format] of exact) {
      const { bytes } = randomTensor('a', [8, 512], type, randomFrom(9));
      // -128 is a level that no program writes in Q8_0.
      if (type === 'Q8_0') bytes.forEach((byte, i) => (bytes[i] = i % 34 > 1 && byte === 128 ? 129 : byte));
      const values = dequantize(typeOf(type), bytes);
      const zero = (value: number) => value + 0;
      assert.deepEqual(valuesOf(quantizeRows(values, 512, format), 512, format).map(zero), values.map(zero), type);
    }
  });

  test('of 4 bits hold what Q4_0 says', () => {
    const { bytes } = randomTensor('a', [8, 512], 'Q4_0', randomFrom(9));
    // The value farthest from zero has the lowest level: so ggml writes them.
    for (let at = 2; at < bytes.length; at += 18) bytes[at] = 0;
    const values = dequantize(typeOf('Q4_0'), bytes);
    const format = { bits: 4, block: 32 } as const;
    const found = valuesOf(quantizeRows(values, 512, format), 512, format);
    assert.ok(errorOf(values, found) < 1e-9 * errorOf(values, new Float32Array(values.length)));
  });

  test('of zeros are zeros', () => {
    for (const format of formats) {
      const found = valuesOf(quantizeRows(new Float32Array(128), 128, format), 128, format);
      assert.ok(found.every((value) => value === 0));
    }
  });

  test('of what is no number are refused', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (const format of formats) {
        const values = new Float32Array(128).fill(0.5);
        values[77] = bad;
        assert.throws(() => quantizeRows(values, 128, format), NumericalError);
      }
    }
  });

  test('must be whole', () => {
    assert.throws(() => quantizeRows(new Float32Array(48), 48, { bits: 4, block: 32 }), RangeError);
    assert.throws(
      () => quantizeRows(new Float32Array(64), 32, { bits: 4, block: 32 }, new Float32Array(48)),
      RangeError,
    );
    assert.throws(() => quantizeRows(new Float32Array(96), 64, { bits: 4, block: 32 }), RangeError);
  });
});
