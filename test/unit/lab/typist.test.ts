import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { quantile } from '../../../lab/quantile';
import { middle, type, type Keystroke } from '../../../lab/typist';
import { randomFrom } from '../../../src/model/random';

const source = readFileSync('test/fixtures/frozen/src/thought/refine.ts', 'utf8');

function typeAll(seed: number): { keystrokes: Keystroke[]; text: string } {
  const { start, typed, cursor } = middle(source);
  const keystrokes = [...type(start, typed, cursor, randomFrom(seed))];
  let text = start;
  for (const { edit } of keystrokes) if (edit) text = text.slice(0, edit.from) + edit.text + text.slice(edit.to);
  return { keystrokes, text };
}

const bare = (text: string) => text.replaceAll('// seen', '').replace(/\s+/g, '');

test('the typist ends with the file as it was, up to white space and remarks', () => {
  for (let seed = 1; seed <= 20; seed++) assert.ok(bare(typeAll(seed).text) === bare(source), `seed ${seed}`);
});

test('the typist does all that users do, the same for the same seed', () => {
  const { keystrokes } = typeAll(3);
  assert.deepEqual(typeAll(3).keystrokes, keystrokes);
  for (const kind of ['type', 'newline', 'delete', 'jump']) {
    assert.ok(
      keystrokes.some((keystroke) => keystroke.kind === kind),
      kind,
    );
  }
  assert.ok(
    keystrokes.some(({ edit }) => edit?.text === '()'),
    'a bracket closed by the editor',
  );
  assert.ok(
    keystrokes.some(({ kind, edit }) => kind === 'type' && !edit),
    'a bracket typed over',
  );
  const pauses = keystrokes.map(({ pause }) => pause).sort((a, b) => a - b);
  const median = pauses[pauses.length >> 1]!;
  assert.ok(median > 80 && median < 250, `median pause ${median} ms`);
});

test('quantiles count what was cut short as longer than it was seen to last', () => {
  const ends = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100].map((ms) => ({ ms }));
  assert.equal(quantile(ends, 0.5), 50);
  assert.equal(quantile(ends, 0.9), 90);
  // The two that were cut at 45 would have lasted longer: half of the whole is reached one later.
  const cut = [...ends.slice(0, 4), { ms: 45, cut: true }, { ms: 45, cut: true }, ...ends.slice(6)];
  assert.equal(quantile(cut, 0.5), 70);
  assert.equal(quantile([{ ms: 5, cut: true }], 0.5), undefined);
  assert.equal(quantile([], 0.5), undefined);
});
