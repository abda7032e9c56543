import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepted, continuation, couldServe, mayServe, type Suggestion } from '../../src/server/continuation';
import { delayUntil, nextThinking, skipReason, restMs, stepsWanted, type Thinking } from '../../src/server/schedule';
import { SuggestionCache, type Remembered } from '../../src/server/suggestionCache';
import { isSubsequence } from '../../src/syntax/edit';

/** `before|after` → a context. */
function at(text: string): { prefix: string; suffix: string } {
  const [prefix = '', suffix = ''] = text.split('|');
  return { prefix, suffix };
}

function suggestion(where: string, text: string, replaceSuffix = 0): Suggestion {
  return { ...at(where), text, replaceSuffix };
}

test('a suggestion goes on while the user types along with it', () => {
  const table: [name: string, Suggestion, string, string | undefined, number?][] = [
    ['same place', suggestion('con|', 'st a = 1;'), 'con|', 'st a = 1;', 0],
    ['typed along', suggestion('con|\nb', 'st a = 1;'), 'const |\nb', 'a = 1;', 0],
    ['typed to its end', suggestion('con|', 'st'), 'const|', undefined],
    ['typed something else', suggestion('con|', 'st a'), 'cont|', undefined],
    ['deleted', suggestion('con|', 'st a'), 'co|', undefined],
    ['deleted and typed another', suggestion('con|', 'st a'), 'cox|', undefined],
    ['text below changed', suggestion('con|\nb', 'st a'), 'cons|\nc', undefined],
    ['bracket closed by the editor', suggestion('f|\n', '(a, b)'), 'f(|)\n', 'a, b)', 1],
    ['bracket closed by the editor, rest without it', suggestion('f|\n', '(a, '), 'f(|)\n', undefined],
    ['typed over the closing bracket', suggestion('f(|)\n', 'a) {', 1), 'f(a)|\n', ' {', 0],
    ['covered text stays covered', suggestion('f(|);\n', 'a, b);', 2), 'f(a|);\n', ', b);', 2],
    ['newline typed along', suggestion('{|\n}', '\n  return 1;'), '{\n  |\n}', 'return 1;', 0],
    ['newline typed between brackets', suggestion('{|}', '\n  return 1;\n}', 1), '{\n  |\n}', undefined],
    ['surrogates', suggestion('"|', '👍🏽"'), '"👍|', '🏽"', 0],
  ];
  for (const [name, from, now, text, replaceSuffix] of table) {
    const expected = text === undefined ? undefined : { text, replaceSuffix };
    assert.deepEqual(continuation(from, at(now)), expected, name);
  }
});

test('accepting what is left of a suggestion gives the text that accepting it at once had given', () => {
  const whole = suggestion('let x = f|\nend', '([1, 2], {a: "b"});');
  const accepted = whole.prefix + whole.text + whole.suffix.slice(whole.replaceSuffix);
  for (let typed = 0; typed < whole.text.length; typed++) {
    const here = { prefix: whole.prefix + whole.text.slice(0, typed), suffix: whole.suffix };
    const left = continuation(whole, here);
    assert.ok(left, `${typed}`);
    assert.equal(here.prefix + left.text + here.suffix.slice(left.replaceSuffix), accepted);
  }
});

test('a run in flight is waited for only while its answer may still fit', () => {
  const table: [string, string, boolean][] = [
    ['con|', 'con|', true],
    ['con|\nx', 'cons|\nx', true],
    ['f|\nx', 'f(|)\nx', true],
    ['con|', 'co|', false],
    ['con|', 'car|', false],
    ['con|\nx', 'cons|\ny', false],
    ['a|', `a${'b'.repeat(81)}|`, false],
  ];
  for (const [run, now, expected] of table) assert.equal(mayServe(at(run), at(now)), expected, `${run} → ${now}`);
});

test('a run is stopped once its answer cannot fit the text any more', () => {
  const table: [run: string, text: string, could: boolean][] = [
    ['con|\nx', 'con\nx', true],
    ['con|\nx', 'const\nx', true],
    ['f(|)\nx', 'f(a)\nx', true],
    ['f(|)\nx', 'f(\nx', true],
    ['con|\nx', 'co\nx', false],
    ['con|\nx', 'con\ny', false],
    ['con|\nx', '', false],
    ['a|', `a${'b'.repeat(81)}`, false],
    ['aa|\naa', 'aa', false],
  ];
  for (const [run, text, could] of table) assert.equal(couldServe(at(run), text), could, `${run} → ${text}`);
});

test('any part of a suggestion can be accepted: what is left of it stays', () => {
  const whole = suggestion('  if (|)\n}', 'a < b) {\n    return c;\n  }', 1);
  for (const part of ['a', 'a <', 'a < b) {', 'a < b) {\n    return']) {
    const left = continuation(whole, { prefix: whole.prefix + part, suffix: part.includes(')') ? '\n}' : ')\n}' });
    assert.equal(left?.text, whole.text.slice(part.length), part);
  }
});

test('what follows an accepted suggestion stands where it ends', () => {
  const table: [where: string, text: string, replaceSuffix: number, then: string][] = [
    ['con|\nx', 'st', 0, 'const|\nx'],
    ['f(|)\nx', 'a);', 1, 'f(a);|\nx'],
  ];
  for (const [where, text, replaceSuffix, then] of table) {
    assert.deepEqual(accepted(at(where), { text, replaceSuffix }), at(then));
  }
});

test('what was prefetched serves when the suggestion is accepted, whatever was thought meanwhile', () => {
  const memory = new SuggestionCache();
  memory.add({ ...suggestion('a|', 'bc'), thought: 1 });
  memory.addPrefetched({ ...suggestion('abc|', 'de'), thought: 1 });
  assert.equal(memory.find(at('ab|'), 2)?.left.text, 'c', 'the one on screen stays on screen');
  const next = memory.find(at('abc|'), 2);
  assert.equal(next?.left.text, 'de');
  assert.equal(memory.find(at('abc|'), 2, true), undefined, 'triggered manually: not of an older thought');
  memory.show(next.entry);
  assert.equal(memory.find(at('abcd|'), 3)?.path, 'typedAlong', 'it is the one on screen now');
  memory.add({ ...suggestion('x|', 'y'), thought: 3 });
  assert.equal(memory.find(at('abc|'), 3), undefined);
});

test('what the memory was sure of stays on screen; only what goes on with it takes its place', () => {
  const early = { ...suggestion('a|', 'bc'), thought: -1 };
  const later = (text: string, shown: Remembered = early) => {
    const memory = new SuggestionCache();
    memory.add(early);
    if (shown !== early) memory.add(shown);
    memory.addAfter(early, { ...suggestion('a|', text), thought: 1 });
    return ['a|', 'ab|', 'ax|'].map((where) => memory.find(at(where), 1)?.left.text);
  };
  assert.deepEqual(later('bcde'), ['bcde', 'cde', undefined]);
  assert.deepEqual(later('xyz'), ['bc', 'c', 'yz']);
  assert.deepEqual(later('xyz', { ...suggestion('q|', 'r'), thought: 1 }), ['xyz', undefined, 'yz']);
});

test('where the model had nothing it is not asked again, until it thinks otherwise', () => {
  const memory = new SuggestionCache();
  memory.addEmpty(at('a|b'), 1, 'nothing to add');
  assert.equal(memory.emptyResult(at('a|b'), 1), 'nothing to add');
  assert.equal(memory.emptyResult(at('a|b'), 2), undefined);
  assert.equal(memory.emptyResult(at('ab|b'), 1), undefined);
  for (let i = 0; i < 8; i++) memory.addEmpty(at(`x${i}|`), 1, 'again');
  assert.equal(memory.emptyResult(at('a|b'), 1), undefined, 'the oldest is forgotten');
  memory.outdate();
  assert.equal(memory.emptyResult(at('x7|'), 1), undefined);
});

test('an automatic suggestion is asked for only where nothing but closers is to the right', () => {
  const table: [boolean, string, boolean, string?][] = [
    [false, 'a|', true],
    [false, 'f(a|)', true],
    [false, 'f(() => {|});', true],
    [false, 'a|name)', false],
    [false, 'a| + 1', false],
    [false, 'a|Of(items)', false],
    [false, '<p>Hello|</p>', true, 'html'],
    [false, '<p>Hello|</p>', false],
    [true, 'f(|name)', true],
  ];
  for (const [invoked, text, worth, ending = 'ts'] of table) {
    const here = at(text);
    assert.equal(skipReason(invoked, here, here.suffix, `a.${ending}`) === undefined, worth, text);
  }
});

test('a model that reads what is right of the cursor is asked before text, too, but not inside a word', () => {
  const table: [text: string, worth: boolean][] = [
    ['f(a, |b)', true],
    ['const |= compute(a);', true],
    ['a| + 1', true],
    ['f(a|)', true],
    ['a|Of(items)', false],
    ['größe|größe', false],
  ];
  for (const [text, worth] of table) {
    const here = at(text);
    assert.equal(skipReason(false, here, here.suffix, 'a.ts', true) === undefined, worth, text);
  }
});

test('when and how to think', () => {
  const rested: Thinking = {
    steps: 4,
    now: 4,
    thoughtSteps: 4,
    thoughtAtCursor: true,
    cursorKnown: true,
    changed: true,
    unread: true,
  };
  const table: [string, Partial<Thinking>, string][] = [
    ['after an edit', {}, 'follow'],
    ['nothing changed', { changed: false }, 'none'],
    ['first time', { thoughtSteps: undefined }, 'cold'],
    ['the dial was turned up', { steps: 8, now: 8, changed: false }, 'cold'],
    ['the dial was turned down', { steps: 2, now: 1, changed: false }, 'cold'],
    ['idle, and more steps are wanted', { thoughtSteps: 1, changed: false }, 'cold'],
    ['at rest those that pay are taken', { now: 1, thoughtSteps: undefined }, 'cold'],
    ['at rest it follows, however many steps it has', { now: 1 }, 'follow'],
    ['no more at rest', { now: 1, thoughtSteps: 1, changed: false }, 'none'],
    ['the cursor was a guess', { thoughtAtCursor: false }, 'cold'],
    ['still a guess, a sibling changed', { thoughtAtCursor: false, cursorKnown: false }, 'follow'],
    ['no thinking wanted: the window is read', { steps: 0, now: 0 }, 'prepare'],
    ['none at rest: the window is read', { now: 0 }, 'prepare'],
    ['the window has been read', { now: 0, unread: false }, 'none'],
    ['where the cursor is nobody knows', { now: 0, cursorKnown: false }, 'none'],
  ];
  for (const [name, change, expected] of table) assert.equal(nextThinking({ ...rested, ...change }), expected, name);
  assert.equal(delayUntil(restMs, 0), restMs);
  assert.equal(delayUntil(restMs, 100), restMs - 100);
  assert.equal(delayUntil(restMs, 5000), 0);
});

test('steps that pay are taken at rest, more of them when the machine is idle, and on a GPU all at once', () => {
  const table: [wanted: number | undefined, paying: number, onGpu: boolean, atRest: number, idle: number][] = [
    [undefined, 1, false, 1, 1],
    [undefined, 0, false, 0, 0],
    [16, 1, false, 1, 16],
    [4, 0, false, 0, 4],
    [0, 1, false, 0, 0],
    [2, 4, false, 2, 2],
    [16, 1, true, 16, 16],
    [undefined, 1, true, 1, 1],
  ];
  for (const [wanted, paying, onGpu, atRest, idle] of table) {
    assert.deepEqual(stepsWanted(wanted, paying, onGpu), { atRest, idle });
  }
});

test('suggestions are remembered: the one on screen always serves, others only under their thought', () => {
  const memory = new SuggestionCache(3);
  const entry = (where: string, text: string, thought: number): Remembered => ({
    ...suggestion(where, text),
    thought,
  });
  memory.add(entry('a|', 'bcd', 1));
  assert.equal(memory.find(at('ab|'), 2)?.path, 'typedAlong');
  assert.equal(memory.find(at('ab|'), 2, true), undefined, 'asked for explicitly: not of an older thought');
  memory.add(entry('x|', 'yz', 2));
  assert.equal(memory.find(at('ab|'), 2), undefined, 'not on screen any more, and of an older thought');
  assert.equal(memory.find(at('ab|'), 1)?.path, 'cache');
  assert.equal(memory.find(at('x|'), 2)?.path, 'cache');
  memory.add(entry('p|', 'q', 2));
  memory.add(entry('r|', 's', 2));
  assert.equal(memory.find(at('ab|'), 1), undefined, 'the oldest is forgotten');
  memory.outdate();
  assert.equal(memory.find(at('p|'), 2), undefined);
  assert.equal(memory.find(at('r|'), 2)?.path, 'cache', 'the one on screen outlives the process');
  assert.equal(memory.find(at('r|'), 2, true), undefined);
});

test('what can be chosen instead of the suggestion on screen goes on like it', () => {
  const memory = new SuggestionCache();
  const entry = (text: string, thought = 1): Remembered => ({ ...suggestion('a|', text), thought });
  memory.add(entry('bcd'));
  memory.addAlternatives([entry('bcd'), entry('bce'), entry('xy')]);
  const texts = (where: string, shown: string) => memory.alternatives(at(where), shown).map(({ text }) => text);
  assert.equal(memory.find(at('a|'), 1)?.left.text, 'bcd', 'the one on screen stays the first');
  assert.deepEqual(texts('a|', 'bcd'), ['bce', 'xy']);
  assert.deepEqual(texts('ab|', 'cd'), ['ce']);
  memory.addPrefetched({ ...suggestion('abcd|', 'e'), thought: 1 });
  assert.equal(memory.find(at('abcd|'), 2)?.left.text, 'e');
  // The user typed along with another, and a new thought serves.
  const found = memory.find(at('ax|'), 2);
  assert.equal(found?.left.text, 'y');
  memory.show(found.entry);
  assert.deepEqual(texts('a|', ''), [], 'something else is on screen now');
  assert.equal(memory.find(at('ab|'), 2), undefined);
});

test('isSubsequence', () => {
  const table: [string, string, boolean][] = [
    ['', 'abc', true],
    ['ac', 'abc', true],
    ['ca', 'abc', false],
    ['aa', 'a', false],
    [')', 'a, b)', true],
    ['👍', 'a👍b', true],
  ];
  for (const [part, whole, expected] of table) assert.equal(isSubsequence(part, whole), expected, `${part} ${whole}`);
});

test('of a long document fewer suggestions are kept, and the last two always', () => {
  const kept = (length: number) => {
    const memory = new SuggestionCache();
    const prefix = 'x'.repeat(length);
    for (let i = 0; i < 24; i++)
      memory.add({ prefix: prefix + i, suffix: '', text: 'y', replaceSuffix: 0, thought: 1 });
    return Array.from({ length: 24 }, (_, i) => memory.find({ prefix: prefix + i, suffix: '' }, 1)).filter(Boolean)
      .length;
  };
  assert.deepEqual([kept(1000), kept(1 << 20), kept(1 << 23)], [24, 3, 2]);
});
