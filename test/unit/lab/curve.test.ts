import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { curve, validations } from '../../../scripts/curve';

const log = (...rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const first = log(
  { step: 10, tokens: 1e6, loss: 3 },
  { step: 100, tokens: 2e6, z0: 3, T4: 2.9, shuffled: 3.1 },
  { step: 120, tokens: 3e6, loss: 2.9 },
);
const second = log({ step: 100, tokens: 2e6, z0: 2.8, T4: 2.6, shuffled: 2.9 });

describe('the curve of a training', () => {
  test('a run goes on where the one before ended, validated or not', () => {
    assert.deepEqual(validations([first, second]), [
      { tokens: 2e6, z0: 3, four: 2.9, shuffled: 3.1 },
      { tokens: 5e6, z0: 2.8, four: 2.6, shuffled: 2.9 },
    ]);
    assert.deepEqual(validations([log({ step: 10, tokens: 1, loss: 3 }), '']), []);
  });

  test('values lie at their tokens, and both panels say what they show', () => {
    const drawn = curve([...validations([first, second]), { tokens: 6e6, z0: 2.7, four: 2.5, shuffled: 2.8 }]);
    const places = [...drawn.matchAll(/class="plain" cx="([^"]+)"/g)].map(([, x]) => Number(x));
    assert.equal(places.length, 3 + 1); // three values and the legend
    const [a = 0, b = 0, c = 0] = places;
    assert.ok(Math.abs((b - a) / (c - b) - 3) < 0.02, `${places.join(' ')}`);
    assert.match(drawn, /aria-label="z_0: no thinking: 3.000 at step 2, 2.700 at step 6/);
    assert.match(drawn, /T = 4 minus z_0: -0.100 at step 2, -0.200 at step 6/);
    assert.doesNotMatch(drawn, /NaN|undefined/);
  });
});
