import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chunkFormat } from '../../../src/thought/chunkFormat';
import type { Prompt } from '../../../src/model/manifest';
import { SPECIAL, tinyTokenizer } from '../../fixtures';

const tokenizer = tinyTokenizer();
const MARKERS: Prompt = { style: 'prefix-suffix-middle', prefix: 1, suffix: 2, middle: 3, ends: [0] };
/** Ten lines of ten tokens; the first of line 3 is 1030. */
const lines = Array.from({ length: 10 }, (_, line) => Array.from({ length: 10 }, (_unused, i) => 1000 + 10 * line + i));

describe('how a chunk of evidence is read', () => {
  test('prefix, suffix, middle: only the middle is scored, behind what a window has', () => {
    const format = chunkFormat({ prompt: MARKERS }, 'src/a.ts', tokenizer, 64);
    assert.equal(format.capacity, 62);
    const { inputs, targets, weights } = format.example(lines)!;
    assert.deepEqual(targets, lines.slice(4, 8).flat());
    assert.deepEqual(inputs, [1, ...lines.slice(0, 4).flat(), 2, ...lines.slice(8).flat(), 3, ...targets.slice(0, -1)]);
    assert.deepEqual(weights, new Float32Array(40).fill(1));
    assert.ok(inputs.length <= 3 + 100 - 1);
  });

  test('without markers: what follows the first lines is scored', () => {
    const format = chunkFormat({ prompt: { style: 'prefix', begin: 7, ends: [0] } }, 'src/a.ts', tokenizer, 64);
    const { inputs, targets } = format.example(lines)!;
    assert.deepEqual(targets, lines.slice(4).flat());
    assert.deepEqual(inputs, [7, ...lines.flat().slice(0, -1)]);
  });

  test('suffix first: all of the text is scored, and nothing of the header', () => {
    const format = chunkFormat({ specialTokens: SPECIAL }, 'src/a.ts', tokenizer, 64);
    const { inputs, targets, weights } = format.example(lines)!;
    const first = inputs.indexOf(SPECIAL.prefix);
    assert.deepEqual(targets.slice(first), lines.flat());
    assert.equal(inputs.length, targets.length);
    assert.deepEqual(
      [...weights.slice(0, first)],
      Array.from({ length: first }, () => 0),
    );
    assert.ok(weights.slice(first).every((weight) => weight === 1));
  });

  test('a text of one line cannot be read as a window is', () => {
    assert.equal(chunkFormat({ prompt: MARKERS }, 'src/a.ts', tokenizer, 64).example(lines.slice(0, 1)), undefined);
    assert.equal(chunkFormat({ prompt: MARKERS }, 'src/a.ts', tokenizer, 64).example([]), undefined);
  });
});
