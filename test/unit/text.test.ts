import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBinary, lastLines, normaliseNewlines, stableStart, textLines } from '../../src/text';

test('lines of a text', () => {
  assert.equal(normaliseNewlines('a\r\nb\rc\nd'), 'a\nb\nc\nd');
  assert.deepEqual(textLines('a\n\nb'), ['a\n', '\n', 'b']);
  assert.deepEqual(textLines('a\n'), ['a\n']);
  assert.deepEqual(lastLines('a\nb\nc', 2), ['b', 'c']);
  assert.deepEqual([isBinary('a\0'), isBinary('a0')], [true, false]);
});

test('a text is read from a stable multiple on, or from the line that begins soon after it', () => {
  const lines = 'x'.repeat(30) + '\n' + 'y'.repeat(100);
  const table: [text: string, wanted: number, block: number, reach: number, start: number][] = [
    ['short', 10, 4, 4, 0],
    // Less than one block is left out.
    ['x'.repeat(13), 10, 4, 4, 0],
    ['x'.repeat(14), 10, 4, 4, 4],
    ['x'.repeat(17), 10, 4, 4, 4],
    ['x'.repeat(18), 10, 4, 4, 8],
    // The newline is at 30: the line begins at 31.
    [lines, 103, 14, 2, 31],
    [lines, 103, 14, 1, 28],
    [lines, 103, 14, Infinity, 31],
    // No line begins behind it.
    [lines, 50, 40, Infinity, 80],
  ];
  for (const [text, wanted, block, reach, start] of table) {
    assert.equal(stableStart(text, wanted, { block, reach }), start, JSON.stringify({ wanted, block, reach }));
  }
});
