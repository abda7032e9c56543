import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusals, smallest } from '../../src/server/refusals';

/** A text with its cursor. */
function split(marked: string) {
  const [prefix = '', suffix = ''] = marked.split('¦');
  return { prefix, suffix };
}

/** What a user does: the text after each change, with the cursor; the change is what differs from the one before. */
function typed(...texts: string[]): Refusals {
  const refusals = new Refusals();
  for (const [i, marked] of texts.entries()) {
    if (i === 0) continue;
    const [removed, inserted] = [texts[i - 1]!, marked].map((text) => text.replace('¦', '')) as [string, string];
    // As a client tells it that tells whole texts.
    refusals.changed({ offset: 0, removed, inserted }, inserted);
  }
  return refusals;
}

const above = 'function f() {\n';
const table: [name: string, texts: string[], at: string, offered: string, refused: boolean][] = [
  ['accepted and undone', ['a = ¦', 'a = load(x);¦', 'a = ¦'], 'a = ¦', 'load(x);', true],
  ['… a longer one that begins so', ['a = ¦', 'a = load(x);¦', 'a = ¦'], 'a = ¦', 'load(x);\nsave();', true],
  ['… its beginning', ['a = ¦', 'a = load(x);¦', 'a = ¦'], 'a = ¦', 'load(x)', true],
  ['… another', ['a = ¦', 'a = load(x);¦', 'a = ¦'], 'a = ¦', 'open(x);', false],
  ['… elsewhere', ['a = ¦\nb = ', 'a = load(x);¦\nb = ', 'a = ¦\nb = '], 'a = \nb = ¦', 'load(x);', false],
  ['… once its first letter is typed', ['a = ¦', 'a = load(x);¦', 'a = ¦', 'a = l¦'], 'a = l¦', 'oad(x);', false],
  ['… another letter typed and taken back', ['a = ¦', 'a = load();¦', 'a = ¦', 'a = x¦', 'a = ¦'], 'a = ¦', 'load();', true],
  ['… when the line above is another', [`${above}a = ¦`, `${above}a = load();¦`, `${above}a = ¦`], 'g() {\na = ¦', 'load();', false],
  ['… when a line far above is another', ['x\n1\n2\na = ¦', 'x\n1\n2\na = load();¦', 'x\n1\n2\na = ¦'], 'y\n1\n2\na = ¦', 'load();', true],
  ['… when the line below is another', ['a = ¦\nb', 'a = load();¦\nb', 'a = ¦\nb'], 'a = ¦\nc', 'load();', false],
  ['… several lines', ['a¦', 'a\n  b\n  c\nd¦', 'a¦'], 'a¦', '\n  b\n  c\nd', true],
  ['… with another line end', ['a\r\n¦', 'a\r\nb\r\nc¦', 'a\r\n¦'], 'a\n¦', 'b\nc', true],
  ['… what it covered right of the cursor came back', ['f(¦)', 'f(x)¦', 'f(¦)'], 'f(¦)', 'x)', true],
  ['its last letter deleted', ['f()¦', 'f();¦', 'f()¦'], 'f()¦', ';', true],
  ['three letters deleted', ['foBar¦', 'foBa¦', 'foB¦', 'fo¦'], 'fo¦', 'Bar', true],
  ['… one that goes on otherwise', ['foBar¦', 'foBa¦', 'foB¦', 'fo¦'], 'fo¦', 'Basis', false],
  ['… and one typed again', ['foBar¦', 'foBa¦', 'foB¦', 'foBa¦'], 'foBa¦', 'r', false],
  ['deleted forward', ['fo¦Bar', 'fo¦ar', 'fo¦r', 'fo¦'], 'fo¦', 'Bar', true],
  ['a typing error taken back', ['cons¦', 'consr¦', 'cons¦'], 'cons¦', 't a = 1;', false],
  ['blanks deleted', ['a\n    ¦', 'a\n  ¦'], 'a\n  ¦', '  b();', false],
  ['a line joined', ['a\n¦', 'a¦'], 'a¦', '\nb();', false],
  ['a word replaced', ['a = foo¦', 'a = b¦'], 'a = b¦', 'foo', false],
]; // prettier-ignore
for (const [name, texts, at, offered, refused] of table) {
  test(`what was deleted at a place ${refused ? 'is refused' : 'is not refused'}: ${name}`, () => {
    assert.equal(typed(...texts).refuses(split(at), offered), refused);
  });
}

test('what was dismissed is refused there, as a whole and its beginning, until somebody asks for it', () => {
  const refusals = new Refusals();
  const at = split('a = ¦;');
  refusals.dismissed(at, 'load(x)');
  assert.equal(refusals.refuses(at, 'load(x)'), true);
  assert.equal(refusals.refuses(at, 'load'), true);
  assert.equal(refusals.refuses(at, 'open(x)'), false);
  assert.equal(refusals.refuses(split('a = l¦;'), 'oad(x)'), false);
  refusals.wanted(split('b = ¦;'));
  assert.equal(refusals.refuses(at, 'load(x)'), true);
  refusals.wanted(at);
  assert.equal(refusals.refuses(at, 'load(x)'), false);
});

test('of many places the last are remembered', () => {
  const refusals = new Refusals();
  for (let i = 0; i < 40; i++) refusals.dismissed(split(`${i} = ¦`), 'x');
  assert.equal(refusals.refuses(split('0 = ¦'), 'x'), false);
  assert.equal(refusals.refuses(split('39 = ¦'), 'x'), true);
});

test('a change is no larger than it must be', () => {
  const table: [removed: string, inserted: string, smallest: [number, string, string]][] = [
    ['abc', 'abc', [13, '', '']],
    ['abc', 'axc', [11, 'b', 'x']],
    ['aaa', 'aa', [12, 'a', '']],
    ['', 'x', [10, '', 'x']],
    ['f()', 'f(x)', [12, '', 'x']],
  ];
  for (const [removed, inserted, [offset, less, more]] of table) {
    assert.deepEqual(smallest({ offset: 10, removed, inserted }), { offset, removed: less, inserted: more });
  }
});
