import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fit, meanNll, neutralWeights, sampleOf, type Sample } from '../../../lab/memoryFit';
import { gateInputs, mix, normalise, memoryGate, consistentSpellings } from '../../../src/memory/mixture';
import { bucketOf, predict, type CacheHit } from '../../../src/memory/prediction';
import type { OpenIdentifier } from '../../../src/memory/identifiers';
import { parseManifest } from '../../../src/model/manifest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasNano, NANO } from '../../fixtures';

const LENGTHS = [1, 2, 4, 8];
const neutral = neutralWeights(LENGTHS);
const hit = (token: number, length = 1, distance = 10, own = true): CacheHit => ({
  token,
  length,
  distance,
  own,
});
/** The text does not end in a word; or it does, and tokens below 5 would lengthen it. */
const OUTSIDE: OpenIdentifier = { tokens: 0, continuesWord: () => true };
const inWord = (tokens: number): OpenIdentifier => ({ tokens, continuesWord: (token) => token < 5 });
const logitsOf = (...values: number[]) => Float32Array.from(values);
const total = (logprobs: Float32Array) => logprobs.reduce((sum, logprob) => sum + Math.exp(logprob), 0);

describe('what hits predict', () => {
  const lengths: [length: number, bucket: number][] = [[1, 0], [2, 1], [3, 1], [4, 2], [7, 2], [8, 3], [32, 3]]; // prettier-ignore
  test('lengths fall into buckets', () => {
    for (const [length, bucket] of lengths) assert.equal(bucketOf(length, LENGTHS), bucket, `length ${length}`);
  });

  test('nothing from nothing', () => assert.equal(predict([], neutral), undefined));

  test('where all count the same, shares are counts', () => {
    const prediction = predict([hit(3), hit(5, 2), hit(3), hit(3)], neutral);
    assert.deepEqual(prediction, {
      entries: [{ token: 3, share: 0.75 }, { token: 5, share: 0.25 }], // prettier-ignore
      maxLength: 2,
      count: 1,
    });
  });

  test('longer and nearer ones, and those of the own file, count more where the weights say so', () => {
    const weights = { ...neutral, hitWeights: { length: [0, 1, 2, 3], distance: -0.5, own: 1 } };
    const pairs: [more: CacheHit, less: CacheHit][] = [
      [hit(1, 4), hit(2, 1)],
      [hit(1, 1, 10), hit(2, 1, 100)],
      [hit(1, 1, 10, true), hit(2, 1, 10, false)],
    ];
    for (const [more, less] of pairs) assert.equal(predict([less, more], weights)?.entries[0]?.token, 1);
  });
});

describe('the gate', () => {
  const weights = { ...neutral, gate: { ...neutral.gate, length: [-2, -1, 0, 1], agreement: 2, entropy: 0.5 } };
  const lambda = (hits: CacheHit[], logits: Float32Array, of = weights, word = OUTSIDE) => {
    const prediction = predict(hits, of)!;
    const { logprobs, entropy, token } = normalise(logits);
    const first = prediction.entries[0]!.token;
    const view = { entropy, token, logprob: logprobs[token]!, logprobOfHit: logprobs[first]! };
    return memoryGate(prediction, gateInputs(prediction, hits, view, word), of);
  };
  const unsure = logitsOf(0, 0, 0, 0);

  test('is a share whatever comes', () => {
    for (const logits of [unsure, logitsOf(1000, 0, 0, 0), logitsOf(0, -Infinity, 0, 0)]) {
      for (const length of [1, 32]) {
        const value = lambda([hit(1, length), hit(2)], logits);
        assert.ok(value > 0 && value < 1, `${value}`);
      }
    }
  });

  test('opens with the length of the match, with agreement, and with the decoder’s uncertainty', () => {
    const short = lambda([hit(1, 1)], unsure);
    assert.ok(lambda([hit(1, 4)], unsure) > short);
    assert.ok(lambda([hit(1, 1), hit(2, 1)], unsure) < short);
    assert.ok(lambda([hit(1, 1)], logitsOf(9, 0, 0, 0)) < short);
  });

  const spellings: [what: string, found: [token: number, length: number][], tokens: number, times: number][] = [
    ['outside a word', [[1, 4], [1, 4]], 0, 0],
    ['always the same token', [[1, 4], [1, 3], [1, 5]], 2, 3],
    ['two tokens', [[1, 4], [2, 4]], 2, 0],
    ['always an end, by whatever token', [[5, 4], [6, 3]], 2, 2],
    ['an end, or more of it', [[5, 4], [1, 4]], 2, 0],
    ['what did not begin there does not count', [[1, 4], [2, 2]], 2, 1],
    ['nothing that begins there', [[1, 2]], 2, 0],
  ]; // prettier-ignore
  for (const [what, found, tokens, times] of spellings) {
    test(`how often a word was written in one way: ${what}`, () => {
      const hits = found.map(([token, length]) => hit(token, length));
      assert.equal(consistentSpellings(hits, inWord(tokens)), times);
    });
  }

  test('opens where a word was written in one way, against a decoder that is sure of another', () => {
    const of = { ...weights, gate: { ...weights.gate, certainty: 1, consistentSpellings: 1 } };
    const sure = logitsOf(0, 0, 9, 0, 0, 0);
    const often = Array.from({ length: 4 }, () => hit(1, 3));
    assert.ok(lambda(often, sure, of, inWord(2)) > lambda(often, sure, of, OUTSIDE) + 0.05);
    assert.ok(lambda(often, sure, of, inWord(2)) > lambda([hit(1, 3)], sure, of, inWord(2)));
    assert.equal(lambda([...often, hit(2, 3)], sure, of, inWord(2)), lambda([...often, hit(2, 3)], sure, of, OUTSIDE));
  });

  test('is told whether the decoder has read the hit', () => {
    const far = hit(1, 4);
    const near = { ...far, read: true };
    const input = (hits: CacheHit[]) =>
      gateInputs(predict(hits, neutral)!, hits, { ...normalise(unsure), logprob: 0, logprobOfHit: 0 }, OUTSIDE);
    assert.equal(input([far]).unread, 1);
    assert.equal(input([far, near]).unread, 0);
    // That of another token does not count.
    assert.equal(input([far, far, { ...near, token: 2 }]).unread, 1);
    const of = { ...weights, gate: { ...weights.gate, unread: 1 } };
    assert.ok(lambda([far], unsure, of) > lambda([near], unsure, of));
  });

  if (hasNano) {
    test('of nano: long matches open it wider than short ones', () => {
      const memory = parseManifest(readFileSync(join(NANO, 'manifest.json'), 'utf8'), 'manifest.json').memory;
      assert.ok(memory);
      // A bundle from before there were these has none of them: 0.
      for (const weight of [memory.gate.insideIdentifier, memory.gate.consistentSpellings, memory.gate.unread])
        assert.ok(Number.isFinite(weight));
      const logits = new Float32Array(100);
      const at = (length: number) => lambda([hit(1, length)], logits, memory);
      assert.ok(at(32) > at(8) && at(8) > at(1), `${at(1)} ${at(8)} ${at(32)}`);
    });
  }
});

describe('the mixture', () => {
  const logits = logitsOf(1, 2, 3, -4, -Infinity);

  test('sums to one and lifts what hits say', () => {
    const hits = [hit(3, 8), hit(4, 2), hit(3, 1, 1000)];
    const mixed = mix(logits, hits, OUTSIDE, neutral);
    const decoder = normalise(logits).logprobs;
    assert.ok(Math.abs(total(mixed) - 1) < 1e-6);
    assert.ok(mixed[3]! > decoder[3]! && mixed[4]! > decoder[4]! && mixed[2]! < decoder[2]!);
    // λ = ½ and shares by count.
    assert.ok(Math.abs(Math.exp(mixed[3]!) - (Math.exp(decoder[3]!) / 2 + 1 / 3)) < 1e-6);
  });

  test('is the decoder alone without hits, and never changes what it was given', () => {
    assert.deepEqual(mix(logits, [], OUTSIDE, neutral), normalise(logits).logprobs);
    const before = logits.slice();
    mix(logits, [hit(0)], OUTSIDE, neutral);
    assert.deepEqual(logits, before);
  });
});

describe('fitting', () => {
  // Long matches are always right, short ones never; the decoder knows nothing.
  const samples: Sample[] = Array.from({ length: 200 }, (_, i) => {
    const target = i % 10;
    const wrong = (target + 1) % 10;
    const hits = i % 2 ? [hit(target, 8), hit(wrong, 1)] : [hit(wrong, 1)];
    return sampleOf(new Float32Array(10), hits, OUTSIDE, target)!;
  });

  test('finds out what is to be trusted', () => {
    const weights = fit(samples, LENGTHS);
    assert.ok(meanNll(samples, weights) < meanNll(samples, neutral) - 0.3);
    assert.ok(meanNll(samples, weights) < Math.log(10));
    const { length } = weights.hitWeights;
    assert.ok(length[3]! > length[0]!);
    assert.ok(weights.gate.length[3]! > weights.gate.length[0]!);
  });

  test('finds out that a word written once is written so again', () => {
    // The hits are the same everywhere; only inside a word it is right.
    const words: Sample[] = Array.from({ length: 200 }, (_, i) => {
      const word = i % 2 ? inWord(1) : OUTSIDE;
      return sampleOf(new Float32Array(10), [hit(3, 2), hit(3, 2)], word, i % 2 ? 3 : 7)!;
    });
    const { gate } = fit(words, LENGTHS);
    assert.ok(gate.insideIdentifier + gate.consistentSpellings * Math.log1p(2) > 3, JSON.stringify(gate));
  });

  test('what recalls nothing is no sample', () =>
    assert.equal(sampleOf(new Float32Array(3), [], OUTSIDE, 1), undefined));
});
