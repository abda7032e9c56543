import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawn, hint, isOnScreen, spoken, takesTab, type Viewpoint } from '../../../src/extension/nextEditView';
import type { NextEdit } from '../../../src/protocol';

const at = (line: number, uri = 'a'): NextEdit => ({
  id: 1,
  uri,
  version: 1,
  range: { start: { line, character: 2 }, end: { line, character: 7 } },
  oldText: 'count',
  newText: 'total',
  kind: 'repeat',
  confidence: 0.9,
});
const view: Viewpoint = { uri: 'a', cursorLine: 3, before: '  use(', selected: false, visible: [[0, 20], [30, 40]] }; // prettier-ignore

describe('where a next edit is', () => {
  it('is on the screen in the lines that are seen of this document', () => {
    assert.deepEqual(
      [0, 20, 25, 30, 41].map((line) => isOnScreen(at(line), view)),
      [true, true, false, true, false],
    );
    assert.equal(isOnScreen(at(3, 'b'), view), false);
  });

  const cases: [name: string, edit: NextEdit, view: Viewpoint, takes: boolean][] = [
    ['Tab belongs to it while text stands before the cursor', at(9), view, true],
    ['not where Tab indents a line', at(9), { ...view, before: '    ' }, false],
    ['but in its own line', at(3), { ...view, before: '    ' }, true],
    ['not where Tab indents what is selected', at(3), { ...view, selected: true }, false],
  ];
  for (const [name, edit, seen, takes] of cases) it(name, () => assert.equal(takesTab(edit, seen), takes));
});

describe('what is drawn and said', () => {
  it('blanks are seen, long texts are cut', () => {
    assert.equal(drawn(' a b'), '\u00a0a\u00a0b');
    assert.equal(drawn('x'.repeat(200)).length, 80);
  });

  it('the hint names line and file', () => {
    assert.equal(hint(at(41), undefined), 'Tab: next edit in line 42');
    assert.equal(hint(at(41), 'b.ts'), 'Tab: next edit in b.ts, line 42');
  });

  it('a screen reader says what would happen', () => {
    const say = (edit: NextEdit, everywhere = false) => spoken(edit, undefined, everywhere);
    assert.equal(say(at(41)), 'Next edit, line 42: replace count by total. Tab accepts it, Escape dismisses it.');
    assert.match(say({ ...at(0), oldText: '' }), /insert total/);
    assert.match(say({ ...at(0), newText: '' }), /delete count/);
    assert.match(say(at(0), true), /rename count to total everywhere/);
  });
});
