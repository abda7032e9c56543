import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from '../../../src/model/random';
import { summarise } from '../../../src/model/softmax';

/** As the definition has it. */
function plain(logits: Float32Array) {
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  const entropy = -logits.reduce((sum, logit) => {
    const p = Math.exp(logit - total);
    return p > 0 ? sum + p * (logit - total) : sum;
  }, 0);
  return { total, entropy, token: logits.indexOf(Math.max(...logits)) };
}

const random = randomFrom(5);
const cases: readonly [name: string, logits: Float32Array][] = [
  ['a flat distribution', new Float32Array(1000)],
  ['a steep one', Float32Array.from({ length: 1000 }, () => 30 * random())],
  ['one that is sure', Float32Array.from({ length: 1000 }, (_, i) => (i === 7 ? 60 : 0))],
  ['wide ones', Float32Array.from({ length: 20_000 }, () => 12 * (random() + random() + random() - 1.5))],
  ['what is ruled out', Float32Array.of(1, -Infinity, 3, 2)],
  ['a single token', Float32Array.of(4)],
];
for (const [name, logits] of cases) {
  test(`softmax of ${name} is that of the definition`, () => {
    const [{ total, entropy, token }, wanted] = [summarise(logits), plain(logits)];
    assert.ok(Math.abs(total - wanted.total) < 1e-6, `${total}, ${wanted.total}`);
    assert.ok(Math.abs(entropy - wanted.entropy) < 1e-5, `${entropy}, ${wanted.entropy}`);
    assert.equal(token, wanted.token);
  });
}
