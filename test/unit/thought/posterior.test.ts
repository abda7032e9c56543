import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { quantiseRows } from '../../../src/model/quantisedRows';
import {
  addGradient,
  addRounded,
  coldRule,
  kullbackLeibler,
  rms,
  sharesOf,
  step,
  warmRule,
} from '../../../src/thought/posterior';

const constants = {
  features: 1,
  defaultSteps: 1,
  maxSteps: 2,
  stepSize: [
    [0.2, 0.4],
    [0.1, 0.3],
  ],
  warmStepSize: [0.05, 0.06],
  priorPull: [
    [0, 0.1],
    [0.2, 0],
  ],
  warmPriorPull: [0.01, 0.02],
  priorDeviation: [1, 2],
  posteriorDeviation: [1, 2],
};

describe('rule of a step', () => {
  const table: [t: number, stepSize: number[], priorPull: number[]][] = [
    [0, [0.2, 0.4], [0, 0.1]],
    [1, [0.1, 0.3], [0.2, 0]],
    [2, [(0.1 * 2) / 3, (0.3 * 2) / 3], [0.2, 0]],
    [7, [(0.1 * 2) / 8, (0.3 * 2) / 8], [0.2, 0]],
  ];
  for (const [t, stepSize, priorPull] of table) {
    test(`step ${t}`, () => {
      const rule = coldRule(constants, t);
      assert.deepEqual(rule.priorPull, priorPull);
      rule.stepSize.forEach((size, layer) => assert.ok(Math.abs(size - (stepSize[layer] ?? 0)) < 1e-12));
    });
  }
  test('a warm step has a rule of its own', () => {
    assert.deepEqual(warmRule(constants), { stepSize: [0.05, 0.06], priorPull: [0.01, 0.02] });
  });
});

describe('step', () => {
  const prior = Float32Array.of(0, 0, 1, 1);
  const z = Float32Array.of(1, 1, 2, 2);
  const rule = { stepSize: [0.5, 0.25], priorPull: [0.5, 0] };
  const ends = [2, 4];

  test('pulls toward the prior and goes against the gradient, each layer by its own length', () => {
    // Layer 0: 0 + 0.5·(1 − 0) − 0.5·(±1); layer 1: z − 0.25·(±1), however large the gradient.
    const next = step(z, prior, Float32Array.of(3, -3, 1000, -1000), rule, ends);
    assert.deepEqual(
      [...(next ?? [])].map((value) => Math.round(value * 1e4) / 1e4),
      [0, 1, 1.75, 2.25],
    );
  });

  test('groups may differ in size, and each has a gradient of length 1', () => {
    const next = step(z, prior, Float32Array.of(5, 2, -2, 2), { stepSize: [1, 0.5], priorPull: [0, 0] }, [1, 4]);
    assert.deepEqual(
      [...(next ?? [])].map((value) => Math.round(value * 1e4) / 1e4),
      [0, 0.5, 2.5, 1.5],
    );
  });

  test('a gradient of zero only pulls toward the prior', () => {
    assert.deepEqual([...(step(z, prior, new Float32Array(4), rule, ends) ?? [])], [0.5, 0.5, 2, 2]);
  });

  for (const bad of [NaN, Infinity, -Infinity]) {
    test(`a gradient with ${bad} is refused`, () => {
      assert.equal(step(z, prior, Float32Array.of(1, bad, 1, 1), rule, ends), undefined);
    });
  }

  test('its arguments stay as they are', () => {
    step(z, prior, Float32Array.of(1, 1, 1, 1), rule, ends);
    assert.deepEqual([...z], [1, 1, 2, 2]);
  });
});

describe('Kullback-Leibler divergence', () => {
  test('is zero between equal distributions', () => {
    const mu = Float32Array.of(1, 2, 3, 4);
    assert.equal(kullbackLeibler(mu, mu, [1, 2], [1, 2], [2, 4]), 0);
  });
  test('of a shifted mean is half the squared distance in deviations', () => {
    const kl = kullbackLeibler(Float32Array.of(3, 0, 4, 0), new Float32Array(4), [1, 2], [1, 2], [2, 4]);
    assert.ok(Math.abs(kl - 0.5 * (9 + 4)) < 1e-9);
  });
  test('of a narrower distribution is that of the variances', () => {
    const kl = kullbackLeibler(Float32Array.of(0, 0), Float32Array.of(0, 0), [1], [0.5], [2]);
    assert.ok(Math.abs(kl - 2 * 0.5 * (0.25 - 1 - Math.log(0.25))) < 1e-9);
  });
});

test('the mean gradient weighs chunks by their tokens, rounded or not', () => {
  const gradients = [Float32Array.of(2, 4), Float32Array.of(6, 0)];
  const shares = sharesOf([{ tokens: 1 }, { tokens: 3 }]);
  const [mean, ofRounded] = [new Float32Array(2), new Float32Array(2)];
  gradients.forEach((gradient, i) => addGradient(mean, gradient, shares[i]!));
  assert.deepEqual([...mean], [2, 1]);
  gradients.forEach((gradient, i) => addRounded(ofRounded, quantiseRows(gradient, 1), shares[i]!));
  assert.ok(Math.hypot(ofRounded[0]! - 2, ofRounded[1]! - 1) < 1e-6);
});

test('root mean square', () => {
  assert.ok(Math.abs(rms(Float32Array.of(3, 4)) - Math.sqrt(12.5)) < 1e-6);
  assert.equal(rms(new Float32Array(0)), 0);
});
