import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  applyHunk,
  beginning,
  BUCKETS,
  bucketOf,
  choose,
  editsToFollow,
  hunksBetween,
  insertedText,
  isScorable,
  placeOfHunk,
  shuffle,
  type EditSession,
  type Hunk,
} from '../../../src/cli/replay';
import { randomFrom } from '../../../src/model/random';
import { textLines } from '../../../src/model/lines';

/** Texts of few different lines, so that they share many; with and without a newline at the end. */
const text = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '', '  c();', '}', 'é💩'), { maxLength: 24 }), fc.boolean())
  .map(([lines, closed]) => lines.join('\n') + (closed && lines.length > 0 ? '\n' : ''));

function hunks(before: string, after: string): Hunk[] {
  const found = hunksBetween(before, after);
  assert.ok(found);
  return found;
}

describe('replaying edits', () => {
  test('hunks applied in order from top to bottom give exactly the new text', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = hunks(before, after).reduce(applyHunk, textLines(before));
        assert.equal(lines.join(''), after);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('a hunk changes nothing above it, and each one lies below the one before', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        let below = 0;
        for (const hunk of hunks(before, after)) {
          assert.ok(hunk.line >= below);
          assert.ok(hunk.removed > 0 || hunk.inserted.length > 0);
          below = hunk.line + hunk.inserted.length;
        }
      }),
      { seed: 2 },
    );
  });

  test('writing the inserted text at its place gives the text after the edit; none of it is there before', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        let lines: readonly string[] = textLines(before);
        for (const hunk of hunks(before, after)) {
          const { prefix, suffix } = placeOfHunk(lines, hunk);
          lines = applyHunk(lines, hunk);
          const rest = suffix === '' ? '' : suffix.slice(1);
          assert.equal(prefix + hunk.inserted.join('') + rest, lines.join(''));
          assert.ok(prefix === '' || prefix.endsWith('\n'));
        }
      }),
      { seed: 3 },
    );
  });

  test('the cursor stands in an empty line, in place of the lines that give way', () => {
    const [hunk] = hunks('one\ntwo\nthree\n', 'one\n2\n2b\nthree\n');
    assert.ok(hunk);
    assert.deepEqual(hunk, { line: 1, removed: 1, inserted: ['2\n', '2b\n'] });
    assert.deepEqual(placeOfHunk(textLines('one\ntwo\nthree\n'), hunk), { prefix: 'one\n', suffix: '\nthree\n' });
    assert.equal(insertedText(hunk), '2\n2b');
  });

  const table: [name: string, before: string, after: string, expected: [number, number, string][]][] = [
    ['nothing', 'a\n', 'a\n', []],
    ['at the end', 'a\n', 'a\nb\n', [[1, 0, 'b\n']]],
    ['at the end, no newline there', 'a', 'a\nb', [[0, 1, 'a\nb']]],
    ['at the beginning', 'a\n', 'b\na\n', [[0, 0, 'b\n']]],
    ['into an empty file', '', 'b\n', [[0, 0, 'b\n']]],
    ['everything goes', 'a\nb\n', '', [[0, 2, '']]],
    ['two places', 'a\nb\nc\n', 'x\na\nb\ny\n', [[0, 0, 'x\n'], [3, 1, 'y\n']]], // prettier-ignore
  ];
  for (const [name, before, after, expected] of table) {
    test(`hunks: ${name}`, () => {
      const found = hunks(before, after).map(({ line, removed, inserted }) => [line, removed, inserted.join('')]);
      assert.deepEqual(found, expected);
    });
  }

  test('texts with nothing in common are no edit of each other', () => {
    const lines = (letter: string) => Array.from({ length: 3000 }, (_, i) => `${letter}${i}\n`).join('');
    assert.equal(hunksBetween(lines('a'), lines('b')), undefined);
  });

  test('a hunk that only deletes, or inserts blank lines, cannot be scored', () => {
    assert.equal(isScorable({ line: 0, removed: 2, inserted: [] }), false);
    assert.equal(isScorable({ line: 0, removed: 0, inserted: ['\n', '  \n'] }), false);
    assert.equal(isScorable({ line: 0, removed: 0, inserted: ['\n', ' x\n'] }), true);
  });
});

describe('the beginning of an insertion', () => {
  /** One token a character. */
  const count = (text: string) => text.length;
  const cases: [text: string, limit: number, expected: string][] = [
    ['ab\ncd', 10, 'ab\ncd'],
    ['ab\ncd\nef', 6, 'ab\ncd'],
    ['ab\ncd\nef', 5, 'ab'],
    ['abcdefgh', 4, 'abcd'],
    ['abcdefgh', 3, 'ab'],
    ['\n\nabcdefgh', 4, '\n'],
    ['\nabcdefgh', 5, '\nabc'],
    ['x', 1, 'x'],
  ];
  for (const [text, limit, expected] of cases) {
    test(`${JSON.stringify(text)} in ${limit} tokens`, () => {
      const found = beginning(text, limit, count);
      assert.ok(text.startsWith(found));
      assert.ok(count(found) <= limit);
      if (expected.trim() !== '') assert.equal(found, expected);
    });
  }
});

describe('which edits the thought must follow', () => {
  const cases: [name: string, followings: string, scored: number[], expected: number[]][] = [
    ['nothing scored: the first', 'cww', [], [1]],
    ['all warm: all up to the scored one', 'cwwww', [4], [1, 2, 3, 4]],
    ['anew in between: from there on', 'cwwcwkw', [6], [1, 4, 5, 6]],
    ['the scored one is made anew', 'cwwcw', [4], [1, 4]],
    ['edits that nothing follows are left out', '-c-w-cw-w', [9], [2, 6, 7, 9]],
    ['two scored ones', 'cwcwwcw', [2, 7], [1, 2, 6, 7]],
    ['no chunk at first', 'kkcw', [4], [1, 3, 4]],
  ];
  const modes = { c: 'cold', w: 'warm', k: 'keep' } as const;
  for (const [name, word, scored, expected] of cases) {
    test(name, () => {
      const followings = [...word].map((letter) => modes[letter as keyof typeof modes] as 'cold' | undefined);
      assert.deepEqual(
        [...editsToFollow(followings, scored)].sort((a, b) => a - b),
        expected,
      );
    });
  }
});

describe('choosing the edits to score', () => {
  const session = (name: string, path: string, edits: number, scorable = () => true): EditSession => ({
    package: name,
    path,
    versions: ['1.0.0', '1.1.0'],
    scorable: Array.from({ length: edits }, scorable),
  });
  const many = Array.from({ length: 60 }, (_, i) => session(`p${i % 6}`, `f${i}.ts`, [3, 30, 120, 250][i % 4] ?? 0));

  test('buckets', () => {
    const of = [1, 10, 11, 50, 51, 200, 201, 5000].map(bucketOf);
    assert.deepEqual(of, [0, 0, 1, 1, 2, 2, 3, 3]);
  });

  test('as many as wanted, each once, evenly over the buckets, and from many files', () => {
    const chosen = choose(many, 200, randomFrom(1));
    const edits = chosen.flatMap((one) => one.edits);
    assert.equal(edits.length, 200);
    BUCKETS.forEach((_, bucket) => {
      const files = chosen.filter((one) => one.edits.some((edit) => bucketOf(edit) === bucket));
      const count = edits.filter((edit) => bucketOf(edit) === bucket).length;
      assert.ok(Math.abs(count - 50) <= 12, `${count} edits of bucket ${bucket}`);
      assert.ok(files.length >= 5, `${files.length} files of bucket ${bucket}`);
    });
    for (const { session, edits } of chosen) {
      assert.equal(new Set(edits).size, edits.length);
      assert.deepEqual(
        edits,
        [...edits].sort((a, b) => a - b),
      );
      assert.ok(edits.every((edit) => session.scorable[edit - 1]));
    }
  });

  test('the same seed gives the same edits, another one others', () => {
    const plan = (seed: number) => JSON.stringify(choose(many, 60, randomFrom(seed)));
    assert.equal(plan(5), plan(5));
    assert.notEqual(plan(5), plan(6));
  });

  test('what cannot be scored is not chosen; fewer edits than wanted are all taken', () => {
    let n = 0;
    const few = [session('p', 'a.ts', 9, () => n++ % 3 === 0), session('p', 'b.ts', 4, () => false)];
    const chosen = choose(few, 100, randomFrom(1));
    assert.deepEqual(chosen.map(({ session, edits }) => [session.path, edits]), [['a.ts', [1, 4, 7]]]); // prettier-ignore
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
});
