import assert from 'node:assert/strict';
import { test } from 'node:test';
import { belowZero, linesResult } from '../../../lab/gate';

test('a mean below zero counts beyond two standard errors only', () => {
  const table: [differences: number[], met: boolean][] = [
    [[-1, -1.2, -0.8, -1.1], true],
    [[-1, 1, -1.2, 1.1], false],
    [[-0.1, -2, 0.5, 0.3], false],
    [[0, 0, 0], false],
    [[NaN, -1], false],
    [[1, 1.2, 0.8], false],
  ];
  for (const [differences, met] of table) assert.equal(belowZero('x', differences).met, met, String(differences));
  assert.match(belowZero('x', [-1, -3]).text, /^x: -2\.0000 ± 1\.0000 nats a byte over 2 files$/);
});

test('a tenth of the lines must change, and no exact one be lost', () => {
  const lines = { count: 100, changed: 10, exactBefore: 7, exactAfter: 7 };
  assert.ok(linesResult(lines).met);
  assert.ok(!linesResult({ ...lines, changed: 9 }).met);
  assert.ok(!linesResult({ ...lines, exactAfter: 6 }).met);
  assert.ok(!linesResult({ count: 0, changed: 0, exactBefore: 0, exactAfter: 0 }).met);
});
