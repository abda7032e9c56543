import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EditedLines } from '../../src/server/edits';

test('lines that were changed are known, and move with what is written above them', () => {
  const table: [name: string, changes: [start: number, end: number, newlines: number][], expected: number[]][] = [
    ['nothing', [], []],
    ['a letter', [[5, 5, 0]], [5]],
    ['a new line', [[5, 5, 1]], [5, 6]],
    ['letters of one line count once', [[5, 5, 0], [5, 5, 0]], [5]],
    ['two places', [[5, 5, 0], [20, 20, 0]], [5, 20]],
    ['lines above were added', [[20, 20, 0], [5, 5, 2]], [5, 6, 7, 22]],
    ['lines above were taken out', [[20, 20, 0], [5, 7, 0]], [5, 18]],
    ['typing down goes on as one stretch', [[5, 5, 1], [6, 6, 1], [7, 7, 0]], [5, 6, 7]],
    ['the changed lines were taken out', [[6, 6, 0], [5, 8, 0]], [5]],
    ['a formatter changed the file', [[6, 6, 0], [0, 100, 120]], []],
  ]; // prettier-ignore
  for (const [name, changes, expected] of table) {
    const edited = new EditedLines();
    for (const change of changes) edited.changed(...change);
    assert.deepEqual(edited.lines, expected, name);
  }
});

test('the oldest places are forgotten, and another text has none', () => {
  const edited = new EditedLines();
  for (let i = 0; i < 20; i++) edited.changed(10 * i, 10 * i, 0);
  assert.deepEqual(edited.lines, [120, 130, 140, 150, 160, 170, 180, 190]);
  const start = { line: 3, character: 0 };
  edited.apply([{ text: 'all' }, { range: { start, end: { line: 4, character: 0 } }, text: 'a\nb' }]);
  assert.deepEqual(edited.lines, [3, 4]);
  edited.apply([{ text: 'all' }]);
  assert.deepEqual(edited.lines, []);
});

test('whatever is changed, lines are in order, each once, and few', () => {
  const change = fc.tuple(fc.nat(500), fc.nat(60), fc.nat(60));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const edited = new EditedLines();
      for (const [start, length, newlines] of changes) edited.changed(start, start + length, newlines);
      const { lines } = edited;
      assert.ok(lines.length <= 8 * 40 && lines.every((line, i) => line >= 0 && (i === 0 || line > lines[i - 1]!)));
      const last = changes.at(-1);
      if (last && Math.max(last[1], last[2]) < 40) assert.ok(lines.includes(last[0]) || lines.length > 0);
    }),
    { seed: 7 },
  );
});
