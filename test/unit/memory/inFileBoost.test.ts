import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { boostInFileTokens, fitInFileBoost, inFileMaskOf, type TokenExample } from '../../../src/memory/inFileBoost';

describe('the words of a file', () => {
  test('are those of all its texts', () => {
    assert.deepEqual([...inFileMaskOf([[1, 3, 3], [], [0]], 5)], [1, 1, 0, 1, 0]);
    assert.deepEqual([...inFileMaskOf([], 3)], [0, 0, 0]);
  });

  test('become more probable, each by the same factor, and nothing else does', () => {
    const logits = Float32Array.from([1, -2, 0, 3]);
    const raised = boostInFileTokens(logits, Uint8Array.from([1, 0, 1, 0]), Math.log(3));
    const odds = [...raised].map((logit, i) => Math.exp(logit - logits[i]!));
    for (const [i, expected] of [3, 1, 3, 1].entries()) assert.ok(Math.abs(odds[i]! - expected) < 1e-6, `${i}`);
    assert.deepEqual([...logits], [1, -2, 0, 3]);
  });

  test('are not favoured by a bundle that was fitted before there was this', () => {
    const logits = Float32Array.from([1, 2]);
    assert.equal(boostInFileTokens(logits, Uint8Array.from([1, 1]), 0), logits);
  });
});

describe('how much they are favoured', () => {
  /** Of 100 tokens, which the decoder holds to be equally probable, the first 20 occur. */
  const places = (hits: number): TokenExample[] =>
    Array.from({ length: 100 }, (_, i) => ({
      logits: new Float32Array(100),
      inFileMask: Uint8Array.from({ length: 100 }, (_, token) => (token < 20 ? 1 : 0)),
      target: i < hits ? i % 20 : 20 + (i % 80),
    }));
  const shares = [20, 50, 80];
  for (const hits of shares) {
    test(`so that they get the share that they have: ${hits} of 100`, () => {
      const amount = fitInFileBoost(places(hits), 0);
      const share = (20 * Math.exp(amount)) / (20 * Math.exp(amount) + 80);
      assert.ok(Math.abs(share - hits / 100) < 1e-6, `${share}`);
    });
  }

  test('a finite amount where every token occurs, none where nothing is known', () => {
    assert.ok(fitInFileBoost(places(100)) > 3 && fitInFileBoost(places(100)) < 20);
    assert.equal(fitInFileBoost([]), 0);
  });
});
