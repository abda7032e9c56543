import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { summarise, table, type EditScore } from '../../../src/cli/editReport';
import { pairedMean } from '../../../src/cli/paired';
import { randomFrom } from '../../../src/model/random';

const close = (a: number | undefined, b: number, tolerance = 1e-12) =>
  assert.ok(a !== undefined && Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

describe('paired mean', () => {
  test('items of size 1, each its own cluster: the mean and its usual standard error', () => {
    const values = [1, 4, -2, 0.5, 3];
    const found = pairedMean(values.map((difference, i) => ({ difference, size: 1, cluster: String(i) })));
    const mean = values.reduce((a, b) => a + b) / 5;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4);
    close(found?.mean, mean);
    close(found?.error, deviation / Math.sqrt(5));
  });

  test('the mean is per unit of size', () => {
    const found = pairedMean([
      { difference: 2, size: 10, cluster: 'a' },
      { difference: 3, size: 40, cluster: 'b' },
    ]);
    close(found?.mean, 0.1);
    // d − mean·size = ±1: √(2/1 · 2) / 50
    close(found?.error, 2 / 50);
  });

  test('copies within a cluster do not make it surer', () => {
    const once = ['a', 'b', 'c'].map((cluster, i) => ({ difference: i, size: 1, cluster }));
    const often = once.flatMap((item) => Array.from({ length: 100 }, () => item));
    close(pairedMean(often)?.mean, 1);
    close(pairedMean(often)?.error, pairedMean(once)?.error ?? NaN);
  });

  test('two standard errors hold the true mean in about 19 of 20 draws', () => {
    const random = randomFrom(7);
    const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    let held = 0;
    for (let draw = 0; draw < 400; draw++) {
      const items = Array.from({ length: 40 }, (_, cluster) => {
        const offset = gauss();
        return [0, 1, 2].map(() => ({ difference: 2 * (0.3 + offset + gauss()), size: 2, cluster: String(cluster) }));
      }).flat();
      const found = pairedMean(items);
      if (found?.error !== undefined && Math.abs(found.mean - 0.3) < 2 * found.error) held++;
    }
    assert.ok(held > 365 && held < 395, `${held} of 400`);
  });

  test('one cluster has no error, none has no mean', () => {
    const one = pairedMean([{ difference: 1, size: 2, cluster: 'a' }]);
    assert.deepEqual(one, { mean: 0.5, error: undefined, items: 1, clusters: 1 });
    assert.equal(pairedMean([]), undefined);
  });
});

describe('report of the edits', () => {
  const score = (edit: number, path: string, warm: number): EditScore => ({
    ...{ package: 'p', path, release: '1.0.0', edit, tokens: 10, bytes: 40, followed: 'warm', sinceAnew: 2 },
    nats: { z_0: 20, frozen: 18, warm, cold: 16 },
    milliseconds: { warm: 10, cold: 50 },
  });
  const scores = [score(1, 'a.ts', 17), score(30, 'a.ts', 16), score(201, 'b.ts', 15), score(900, 'c.ts', 13)];

  test('groups by the number of the edit; differences are paired', () => {
    const { groups, millisecondsPerEdit } = summarise(scores);
    assert.deepEqual(groups.map(({ edits, count, files }) => [edits, count, files]), [
      ['all', 4, 3],
      ['1–10', 1, 1],
      ['11–50', 1, 1],
      ['>200', 2, 2],
    ]); // prettier-ignore
    const late = groups.at(-1);
    assert.equal(late?.levels.warm.natsPerToken, 1.4);
    close(late?.levels.warm.bitsPerByte, 28 / Math.LN2 / 80);
    const warmFrozen = late?.differences.find(({ name }) => name === 'warm − frozen');
    close(warmFrozen?.natsPerToken.mean, -0.4);
    close(warmFrozen?.natsPerToken.error, 0.1);
    close(warmFrozen?.bitsPerByte.mean, -8 / Math.LN2 / 80);
    assert.equal(warmFrozen?.byPackage.natsPerToken.error, undefined);
    assert.deepEqual(millisecondsPerEdit, { warm: 10, cold: 50 });
  });

  test('as a table', () => {
    const text = table({ ...summarise(scores), sessions: 3, steps: 4, chunkTokens: 128 });
    assert.match(text, /edits >200: 2 edits of 2 files of 1 packages, 20 tokens/);
    assert.match(text, /warm − frozen +−0\.4000 ± 0\.1000/);
    assert.match(text, /3 sessions/);
  });
});
