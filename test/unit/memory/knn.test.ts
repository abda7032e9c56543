import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { knnOf } from '../../../src/completion/lookupMemory';
import { fit, fitKnn, meanNll, sampleOf, type Sample } from '../../../lab/memoryFit';
import { mix, mixKnn, normalise } from '../../../src/memory/mixture';
import { knnDistribution, knnGateInputs, knnGate, type KnnDistribution } from '../../../src/memory/knn';
import { HiddenKeys, plainProducts } from '../../../src/model/hiddenKeys';
import { quantiseRows } from '../../../src/model/quantisedRows';
import type { MemoryWeights } from '../../../src/model/manifest';
import { neutralWeights } from '../../../lab/memoryFit';

/** A unit vector of sixteen numbers at an angle to the first axis, in degrees. */
const at = (degrees: number) => {
  const angle = (degrees * Math.PI) / 180;
  return [Math.cos(angle), Math.sin(angle), ...Array.from({ length: 14 }, () => 0)];
};
const pointed = (...degrees: number[]) => quantiseRows(Float32Array.from(degrees.flatMap(at)), 16);
const reading = (...places: [degrees: number, token: number][]) => ({
  ...pointed(...places.map(([degrees]) => degrees)),
  tokens: places.map(([, token]) => token),
});
/** Directions have 8 bits. */
const near = (actual: number, expected: number, within = 0.01) =>
  assert.ok(Math.abs(actual - expected) < within, `${actual} is not ${expected}`);

describe('what followed like states', () => {
  const here = pointed(0);

  test('shares are a softmax of cosines, over all that has been read', () => {
    const found = knnDistribution(here, [reading([60, 3], [0, 5]), reading([60, 5])], 2, plainProducts)!;
    const [far, close] = [Math.exp(2 * (0.5 - 1)), 1];
    near(found.shares.get(3)!, far / (close + 2 * far));
    near(found.shares.get(5)!, (close + far) / (close + 2 * far));
    near(found.nearest, 1);
    near(found.nearestTokenShare, found.shares.get(5)!);
  });

  test('the sharper, the more the nearest counts; what is nothing compared with it does not', () => {
    const datastore = [reading([10, 1], [80, 2])];
    assert.ok(
      knnDistribution(here, datastore, 8, plainProducts)!.shares.get(1)! >
        knnDistribution(here, datastore, 2, plainProducts)!.shares.get(1)!,
    );
    assert.deepEqual([...knnDistribution(here, datastore, 100, plainProducts)!.shares], [[1, 1]]);
  });

  test('nothing where nothing has been read', () => {
    assert.equal(knnDistribution(here, [], 22, plainProducts), undefined);
    assert.equal(knnDistribution(here, [reading()], 22, plainProducts), undefined);
  });
});

const LENGTHS = [1, 4];
const weightsWith = (bias: number, nearest = 0): MemoryWeights => ({
  ...neutralWeights(LENGTHS),
  knn: { sharpness: 22, gate: { bias, nearest, entropy: 0, certainty: 0, agreement: 0, nearestTokenShare: 0 } },
});
const knn: KnnDistribution = { shares: new Map([[1, 0.75], [2, 0.25]]), nearest: 0.9, nearestTokenShare: 0.75 }; // prettier-ignore
const OUTSIDE = { tokens: 0, continuesWord: () => true };

describe('states in the mixture', () => {
  const logits = Float32Array.of(1, 0, 2, -Infinity);
  const p = normalise(logits).logprobs.map(Math.exp);
  const total = (logprobs: Float32Array) => logprobs.reduce((sum, logprob) => sum + Math.exp(logprob), 0);

  test('have their share of what the decoder says', () => {
    const mixed = mix(logits, [], OUTSIDE, weightsWith(0), knn);
    near(Math.exp(mixed[1]!), 0.5 * p[1]! + 0.5 * 0.75);
    near(Math.exp(mixed[0]!), 0.5 * p[0]!);
    near(total(mixed), 1);
  });

  test('and the memory of words has its share before both', () => {
    const hits = [{ token: 2, length: 1, distance: 9, own: true }];
    const mixed = mix(logits, hits, OUTSIDE, weightsWith(0), knn);
    near(Math.exp(mixed[2]!), 0.5 * (0.5 * p[2]! + 0.5 * 0.25) + 0.5);
    near(total(mixed), 1);
  });

  test('are the same without the memory of words', () => {
    const { knn: weights } = weightsWith(0.3, 0.5);
    assert.deepEqual(mixKnn(logits, weights, knn), mix(logits, [], OUTSIDE, weightsWith(0.3, 0.5), knn));
    near(Math.exp(mixKnn(logits, weightsWith(0).knn, knn)[1]!), 0.5 * p[1]! + 0.5 * 0.75);
    assert.deepEqual(mixKnn(logits, weights, undefined), normalise(logits).logprobs);
  });

  test('have none where the bundle has no weights for them', () => {
    assert.deepEqual(mixKnn(logits, undefined, knn), normalise(logits).logprobs);
    assert.deepEqual(mix(logits, [], OUTSIDE, neutralWeights(LENGTHS), knn), normalise(logits).logprobs);
  });

  test('the gate opens with nearness where its weights say so', () => {
    const view = { entropy: 1, token: 1, logprob: -1 };
    const share = (nearest: number) => knnGate(knnGateInputs({ ...knn, nearest }, view), weightsWith(-1, 2).knn!);
    assert.ok(share(0.9) > share(0.2));
  });

  test('fitting finds out when they are to be trusted', () => {
    // Near states are right, far ones wrong; the decoder knows nothing, and the memory of words has nothing.
    const samples: Sample[] = Array.from({ length: 200 }, (_, i) => {
      const nearest = i % 2 ? 0.95 : 0.3;
      const target = i % 10;
      const shares = new Map([[i % 2 ? target : (target + 1) % 10, 1]]);
      return sampleOf(new Float32Array(10), [], OUTSIDE, target, { shares, nearest, nearestTokenShare: 1 })!;
    });
    const weights = fit(samples, LENGTHS);
    assert.ok(weights.knn);
    const view = { entropy: Math.log(10), token: 0, logprob: -Math.log(10) };
    const share = (nearest: number) =>
      knnGate(knnGateInputs({ shares: new Map(), nearest, nearestTokenShare: 1 }, view), weights.knn!);
    assert.ok(share(0.95) > 0.7 && share(0.3) < 0.3, `${share(0.95)} ${share(0.3)}`);
    assert.ok(meanNll(samples, weights) < 0.7 * Math.log(10));
    const alone = fitKnn(samples);
    assert.deepEqual(alone, { weights: weights.knn, nats: meanNll(samples, weights) });
    assert.throws(() => fitKnn([]), RangeError);
  });
});

describe('what has been read, to be looked up by state', () => {
  // Window: two tokens of the head, then 7, 8, 9; each hidden key points where it says.
  const tokens = [1, 2, 7, 8, 9];
  const hiddenKeys = new HiddenKeys(16, 5);
  hiddenKeys.append(Float32Array.from([0, 40, 80, 120, 40].flatMap(at)));
  const decoder = { hiddenKeysOf: () => ({ hiddenKeys, tokens }) };
  const thought = { version: 0, mu: new Float32Array(0) };
  const sharp = 1000;
  /** The state at a row, where the text begins behind the head. */
  const stateAt = (row: number, rows = [{ start: 1, end: Infinity }]) => ({ thought, rows, row });

  test('the window as far as it goes before the context’s end', () => {
    // Behind 7, 8, 9 the state points to 40°, as behind the last token of the head, which 7 followed.
    const found = knnOf({ decoder, datastore: [] }, stateAt(4), sharp)!;
    assert.deepEqual([...found.shares], [[7, 1]]);
    near(found.nearest, 1);
    // Behind 7, at 80°, only the head's end comes before: what follows itself is not known yet.
    assert.deepEqual([...knnOf({ decoder, datastore: [] }, stateAt(2), sharp)!.shares], [[7, 1]]);
  });

  test('only rows behind which the text goes on', () => {
    const parts = [{ start: 0, end: 1 }, { start: 3, end: 4 }]; // prettier-ignore
    assert.deepEqual([...knnOf({ decoder, datastore: [] }, stateAt(4, parts), sharp)!.shares], [[2, 1]]);
    assert.equal(knnOf({ decoder, datastore: [] }, stateAt(4, []), sharp), undefined);
  });

  test('the evidence of the thought, too', () => {
    const datastore = [reading([80, 5])];
    assert.deepEqual([...knnOf({ decoder, datastore }, stateAt(2), sharp)!.shares], [[5, 1]]);
  });

  test('a branch brings its own state, and looks it up in the window', () => {
    const hiddenKey = pointed(80);
    const found = knnOf({ decoder, datastore: [] }, { ...stateAt(6), hiddenKey }, sharp)!;
    assert.deepEqual([...found.shares], [[8, 1]]);
  });

  test('nothing where hidden keys are not given, or not there yet', () => {
    const silent = { hiddenKeysOf: () => undefined };
    assert.equal(knnOf({ decoder: silent, datastore: [] }, stateAt(2), sharp), undefined);
    assert.equal(knnOf({ decoder, datastore: [] }, stateAt(5), sharp), undefined);
  });
});
