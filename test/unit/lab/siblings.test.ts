import assert from 'node:assert/strict';
import { test } from 'node:test';
import { siblingsOf } from '../../../lab/siblings';
import { randomFrom, shuffle } from '../../../src/model/random';

test('siblings: of the same folder first, the nearest by name first', () => {
  const paths = ['a/x.ts', 'b/1.ts', 'b/2.ts', 'b/3.ts', 'b/4.ts', 'c/y.ts'];
  assert.deepEqual(siblingsOf(paths, 'b/2.ts', 4), ['b/1.ts', 'b/3.ts', 'b/4.ts', 'a/x.ts']);
  assert.deepEqual(siblingsOf(paths, 'c/y.ts', 2), ['b/4.ts', 'b/3.ts']);
  assert.deepEqual(siblingsOf(['a.ts'], 'a.ts', 3), []);
});

test('shuffling keeps every item', () => {
  const items = Array.from({ length: 50 }, (_, i) => i);
  const shuffled = shuffle(items, randomFrom(3));
  assert.notDeepEqual(shuffled, items);
  assert.deepEqual(
    [...shuffled].sort((a, b) => a - b),
    items,
  );
});
