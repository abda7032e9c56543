import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chunkTokens } from '../../../src/thought/calibrate';

describe('tokens of a chunk', () => {
  const table: [name: string, trained: number, millisecondsPerToken: number, tokens: number][] = [
    ['as trained on a fast machine', 128, 0.2, 128],
    ['half where a gradient takes too long', 128, 0.8, 64],
    ['a quarter where it takes far too long', 128, 2, 32],
    ['never fewer than 32', 128, 100, 32],
    ['as trained where that is little already', 32, 100, 32],
  ];
  for (const [name, trained, slope, tokens] of table) {
    test(name, async () => {
      assert.equal(await chunkTokens(trained, (count) => Promise.resolve(count * slope)), tokens);
    });
  }
});
