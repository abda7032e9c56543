import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frozenRequests } from '../../../lab/frozen';

test('frozen places: as many as are wanted, over all files, with and without the line suffix', () => {
  const lines = (name: string) => Array.from({ length: 10 }, (_, i) => `const ${name}${i} = 12345;\n`).join('\n');
  const files = ['a.ts', 'b.ts', 'c.ts'].map((path) => ({ path, text: lines(path[0]!) }));
  const requests = frozenRequests(files, 9);
  assert.equal(requests.length, 9);
  assert.deepEqual([...new Set(requests.map(({ path }) => path))], ['a.ts', 'b.ts', 'c.ts']);
  for (const [i, { path, prefix, suffix, related }] of requests.entries()) {
    assert.equal(related.length, 2);
    assert.ok(related.every((other) => other.path !== path));
    const { text } = files.find((file) => file.path === path)!;
    assert.ok(text.startsWith(prefix) && text.endsWith(suffix));
    assert.equal(prefix + suffix === text, i % 3 === 0);
    assert.match(prefix, /const $/);
    if (i % 3 !== 0) assert.match(suffix, /^(\n|$)/);
  }
});

test('frozen places: no more than there are lines to complete', () => {
  assert.equal(frozenRequests([{ path: 'a.ts', text: '}\n\nconst abcdef = 1;\n' }], 5).length, 1);
});
