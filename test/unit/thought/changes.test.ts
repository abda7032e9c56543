import assert from 'node:assert/strict';
import { test } from 'node:test';
import { largestChanges } from '../../../src/thought/changes';

const tokenizer = { decode: (tokens: readonly number[]) => tokens.map((token) => 'abcd'[token]).join('') };
const logs = (...shares: number[]) => Float32Array.from(shares, (share) => Math.log(share) + 3);

test('tokens whose probability changes most, in either direction, the largest change first', () => {
  const found = largestChanges(logs(0.5, 0.3, 0.1, 0.1), logs(0.2, 0.5, 0.2, 0.1), 9, tokenizer);
  assert.deepEqual(
    found.map(({ text, before, after }) => [text, before.toFixed(2), after.toFixed(2)]),
    [
      ['a', '0.50', '0.20'],
      ['b', '0.30', '0.50'],
      ['c', '0.10', '0.20'],
    ],
  );
  assert.equal(largestChanges(logs(0.5, 0.5), logs(0.2, 0.8), 1, tokenizer).length, 1);
  assert.deepEqual(largestChanges(logs(0.5, 0.5), logs(0.5, 0.5), 9, tokenizer), []);
});
