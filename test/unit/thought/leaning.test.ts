import assert from 'node:assert/strict';
import { test } from 'node:test';
import { likelierWords } from '../../../src/thought/leaning';

const TEXTS = [' foo', '(', 'x', '  foo', '\n  ', '$bar', 'ndle', 'Été', ' less'];
const tokenizer = { decode: (ids: readonly number[]) => ids.map((id) => TEXTS[id]).join('') };

test('the words that a thought makes likelier: the most first, each once, no signs, no pieces, and nothing that it makes less likely', () => {
  const leaning = Float32Array.of(0.5, 3, 2, 0.9, 1, 0.7, 0.8, 0.1, -1);
  assert.deepEqual(likelierWords(leaning, tokenizer, 9), ['foo', '$bar', 'Été']);
  assert.deepEqual(likelierWords(leaning, tokenizer, 1), ['foo']);
  assert.deepEqual(likelierWords(new Float32Array(9), tokenizer, 9), []);
  assert.deepEqual(likelierWords(new Float32Array(0), tokenizer, 9), []);
});
