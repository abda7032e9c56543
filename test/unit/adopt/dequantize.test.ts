import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dequantize, float16Values } from '../../../src/adopt/dequantize';
import { READABLE, type GgmlName } from '../../../src/adopt/ggmlTypes';
import { ROOT } from '../../fixtures';
import { typeOf } from '../../tinyGguf';

/**
 * Blocks of random bits, their scales random float16 of 10⁻⁶ to 1, and the values (float32) that the Python package
 * gguf 0.19.0 reads from them (`gguf.quants.dequantize`), both in Base64. Made once.
 */
const cases = JSON.parse(readFileSync(join(ROOT, 'test', 'fixtures', 'gguf-blocks.json'), 'utf8')) as {
  readonly type: GgmlName;
  readonly bytes: string;
  readonly values: string;
}[];

test('every type that is read has its case', () => {
  assert.deepEqual(cases.map(({ type }) => type).sort(), [...READABLE].sort());
});

for (const { type, bytes, values } of cases) {
  test(`${type} gives the values that the reference gives`, () => {
    const found = dequantize(typeOf(type), Buffer.from(bytes, 'base64'));
    assert.ok(found.length > 0);
    const wanted = new Float32Array(Uint8Array.from(Buffer.from(values, 'base64')).buffer);
    // Exactly, but that -0 is 0.
    const zero = (value: number) => value + 0;
    assert.deepEqual(found.map(zero), wanted.map(zero));
  });
}

test('part of a block is refused', () => {
  assert.throws(() => dequantize(typeOf('Q4_0'), new Uint8Array(19)), RangeError);
});

test('every float16 is what its bits say', () => {
  const known = new Map([
    [0x0000, 0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e00, NaN],
  ]);
  for (const [bits, value] of known) assert.equal(float16Values()[bits], value);
});
