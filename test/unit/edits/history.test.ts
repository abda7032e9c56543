import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EditHistory, type Change } from '../../../src/edits/history';
import { processorTime } from '../../../lab/processorTime';

/** A text that is changed, and its history. */
class Typed {
  readonly history = new EditHistory();
  now = 0;

  constructor(public text: string) {}

  change(offset: number, removed: number, inserted: string, after = 100): this {
    this.now += after;
    const change: Change = { offset, removed: this.text.slice(offset, offset + removed), inserted };
    this.text = this.text.slice(0, offset) + inserted + this.text.slice(offset + removed);
    this.history.changed(change, this.now);
    return this;
  }

  /** Types at the end of the first occurrence of a text. */
  typeAfter(place: string, typed: string, after = 100): this {
    const at = this.text.indexOf(place) + place.length;
    [...typed].forEach((key, i) => this.change(at + i, 0, key, i === 0 ? after : 100));
    return this;
  }

  get edits(): string[] {
    return this.history.recent(this.text, this.now).map(({ oldText, newText }) => `${oldText} → ${newText}`);
  }
}

const SOURCE = 'const count = 1;\nuse(count, total);\nuse(count);\n';

describe('keystrokes become edits', () => {
  const cases: [name: string, typed: () => Typed, edits: string[]][] = [
    [
      'typing at the end of a name replaces the name',
      () => new Typed(SOURCE).typeAfter('count', 'er'),
      ['count → counter'],
    ],
    [
      'deleting a name and typing another is one edit',
      () => {
        const typed = new Typed(SOURCE);
        for (let end = 11; end > 6; end--) typed.change(end - 1, 1, '');
        return typed.typeAfter('const ', 'size');
      },
      ['count → size'],
    ],
    [
      'replacing a selected name is one edit',
      () => new Typed(SOURCE).change(6, 5, 'n').change(7, 0, 'r'),
      ['count → nr'],
    ],
    ['what is typed next to punctuation is no name', () => new Typed(SOURCE).typeAfter('total', ', 3'), [' → , 3']],
    ['what is undone is no edit', () => new Typed(SOURCE).change(6, 5, 'size').change(6, 4, 'count'), []],
    [
      'two places are two edits, the latest first',
      () => new Typed(SOURCE).typeAfter('total', 's').change(6, 5, 'size'),
      ['count → size', 'total → totals'],
    ],
    [
      'two edits that grow together are one',
      () => new Typed('a b c').change(0, 1, 'x').change(4, 1, 'z').change(0, 5, 'xyz'),
      ['a b c → xyz'],
    ],
    [
      'what follows after a pause is another edit',
      () => new Typed('one two').typeAfter('two', 's', 100).typeAfter('twos', '()', 60_000),
      [' → ()', 'two → twos'],
    ],
    [
      'a new line begins another edit',
      () => new Typed('one two').typeAfter('two', 's').typeAfter('twos', '\nthree'),
      ['two → twos'],
    ],
  ];
  for (const [name, typed, edits] of cases) {
    it(name, () => {
      const found = typed().edits;
      if (name.startsWith('a new line')) assert.deepEqual(found.slice(-1), edits);
      else assert.deepEqual(found, edits);
    });
  }
});

describe('what is no typing is no edit, and ends all edits before it', () => {
  const before = () => new Typed(SOURCE).typeAfter('count', 'er');
  const cases: [name: string, change: (typed: Typed) => void][] = [
    ['10,000 lines are pasted', (typed) => typed.change(0, 0, 'line\n'.repeat(10_000))],
    ['10,000 lines are deleted', (typed) => typed.change(0, 0, 'line\n'.repeat(10_000)).change(0, 50_000, '')],
    ['another branch: the whole text is another', (typed) => typed.change(0, typed.text.length, 'x\n'.repeat(60))],
    ['several cursors, a formatter', (typed) => typed.history.changed(undefined, typed.now)],
  ];
  for (const [name, change] of cases) {
    it(name, () => {
      const typed = before();
      assert.equal(typed.edits.length, 1);
      change(typed);
      assert.deepEqual(typed.edits, []);
    });
  }

  it('an edit is forgotten after ten minutes', () => {
    const typed = before();
    typed.now += 600_000;
    assert.deepEqual(typed.edits, []);
  });

  it('a storm of undoing and redoing leaves nothing behind, and takes no time', () => {
    const typed = new Typed(SOURCE.repeat(200));
    const spent = processorTime();
    for (let i = 0; i < 2_000; i++) typed.change(6, 5, 'size', 1).change(6, 4, 'count', 1);
    assert.deepEqual(typed.edits, []);
    assert.ok(spent() < 2_000);
  });
});

it('every edit, put back, gives the text that was there before it', () => {
  const changes = fc.array(fc.record({ at: fc.nat(60), remove: fc.nat(6), insert: fc.string({ maxLength: 6 }) }), {
    maxLength: 7,
  });
  fc.assert(
    fc.property(changes, (list) => {
      const typed = new Typed('let alpha = beta + gamma;\nalpha(beta);\n');
      const before = typed.text;
      for (const { at, remove, insert } of list) {
        const offset = Math.min(at, typed.text.length);
        typed.change(offset, Math.min(remove, typed.text.length - offset), insert);
      }
      const edits = typed.history.recent(typed.text, typed.now);
      for (const { start, newText } of edits) assert.equal(typed.text.slice(start, start + newText.length), newText);
      // Edits of whole words may reach into one another; where none does, undoing all of them undoes everything.
      const inOrder = [...edits].sort((a, b) => b.start - a.start);
      const apart = inOrder.every((edit, i) => i === 0 || edit.start + edit.newText.length <= inOrder[i - 1]!.start);
      if (!apart) return;
      const undone = inOrder.reduce(
        (text, { start, oldText, newText }) => text.slice(0, start) + oldText + text.slice(start + newText.length),
        typed.text,
      );
      assert.equal(undone, before);
    }),
    { numRuns: 500 },
  );
});
