import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KeptWindows, LITTLE_MEMORY, nextBudget, type WantedWindow } from '../../../src/model/keptWindows';

/** Something that has read tokens of ten bytes each. */
class Read {
  constructor(public tokens: readonly number[] = []) {}

  get length() {
    return this.tokens.length;
  }

  get bytes() {
    return 10 * this.tokens.length;
  }

  overlap({ tokens }: WantedWindow) {
    let shared = 0;
    while (shared < this.length && shared < tokens.length && tokens[shared] === this.tokens[shared]) shared++;
    return shared;
  }

  copy() {
    return new Read(this.tokens);
  }
}

/** Windows of ten tokens at most, so many of which are kept. */
function kept(count: number, memory: { available: number } = { available: Infinity }) {
  let time = 0;
  const windows = new KeptWindows<Read>({
    make: () => new Read(),
    windowBytes: 100,
    budget: 100 * count,
    available: () => memory.available,
    // The machine is asked each time.
    now: () => (time += 10_000),
  });
  const read = (key: string, tokens: readonly number[], prefetch = false) => {
    const cache = windows.of(key, { tokens }, 0, prefetch);
    const unread = tokens.length - cache.overlap({ tokens });
    cache.tokens = tokens;
    return unread;
  };
  return { windows, read };
}

/** Ten tokens that no other place has. */
const place = (first: number, length = 10) => Array.from({ length }, (_, i) => 100 * first + i);

describe('windows that are kept', () => {
  test('what is typed goes on in the same window', () => {
    const { windows, read } = kept(4);
    assert.equal(read('a', place(1, 8)), 8);
    assert.equal(read('a', place(1, 9)), 1);
    assert.equal(read('a', [...place(1, 7), 5, 6]), 2);
    assert.equal(windows.size, 1);
  });

  test('a cursor that goes back and forth finds both places as they were', () => {
    const { read } = kept(4);
    const both = [place(1), [...place(1, 3), ...place(2, 7)]];
    assert.deepEqual([both[0]!, both[1]!, both[0]!, both[1]!].map((tokens) => read('a', tokens)), [10, 7, 0, 0]); // prettier-ignore
  });

  test('a file has no part in another’s', () => {
    const { read } = kept(4);
    assert.deepEqual([read('a', place(1)), read('b', place(1)), read('a', place(1))], [10, 10, 0]);
  });

  test('the one used longest ago is forgotten first, and all together stay within the budget', () => {
    const { windows, read } = kept(3);
    for (const [key, first] of [['a', 1], ['b', 2], ['c', 3]] as const) read(key, place(first)); // prettier-ignore
    assert.equal(read('a', place(1)), 0);
    read('d', place(4));
    assert.deepEqual([windows.size, windows.bytes], [3, 300]);
    // b was used longest ago; then c, which makes way for b.
    assert.deepEqual([read('a', place(1)), read('d', place(4)), read('b', place(2))], [0, 0, 10]);
    assert.deepEqual([read('a', place(1)), read('c', place(3))], [0, 10]);
  });

  test('the budget is one of bytes: of short windows more are kept', () => {
    const { windows, read } = kept(3);
    for (let i = 1; i <= 12; i++) read(`${i}`, place(i, 2));
    assert.ok(windows.size > 8 && windows.bytes <= 300, `${windows.size} windows, ${windows.bytes} bytes`);
  });

  test('where the machine has little memory left it halves, again and again, and the window at hand stays', () => {
    const memory = { available: Infinity };
    const { windows, read } = kept(4, memory);
    for (let i = 1; i <= 4; i++) read('a', place(i));
    assert.equal(windows.bytes, 400);
    memory.available = LITTLE_MEMORY - 1;
    assert.deepEqual([read('a', place(4)), windows.bytes], [0, 200]);
    assert.deepEqual([read('a', place(4)), windows.bytes], [0, 100]);
    assert.deepEqual([read('a', place(4)), windows.bytes], [0, 100]);
    // Later there is memory again.
    memory.available = 2 * LITTLE_MEMORY;
    for (let i = 1; i <= 4; i++) read('a', place(i));
    assert.equal(windows.bytes, 400);
  });

  test('what is prefetched costs nothing that has been read, takes the room of one window, and then serves', () => {
    const { windows, read } = kept(3);
    read('a', place(1));
    const next = (last: number) => [...place(1, 8), last, last];
    assert.equal(read('a', next(5), true), 2);
    assert.equal(read('a', next(6), true), 2);
    assert.deepEqual([windows.size, read('a', place(1)), read('a', next(6))], [2, 0, 0]);
    // By now it is a window like any other.
    read('a', next(7), true);
    assert.deepEqual([windows.size, read('a', place(1)), read('a', next(6))], [3, 0, 0]);
  });
});

describe('the budget of kept windows', () => {
  const cases: readonly [name: string, budget: number, available: number, wanted: number][] = [
    ['stays where memory is left', 400, 4 * LITTLE_MEMORY, 400],
    ['halves where it is not', 400, LITTLE_MEMORY - 1, 200],
    ['… down to one window', 150, 0, 100],
    ['stays where there is a little more', 200, LITTLE_MEMORY, 200],
    ['grows to all of it where there is clearly more', 100, 2 * LITTLE_MEMORY, 400],
  ];
  for (const [name, budget, available, wanted] of cases) {
    test(name, () => assert.equal(nextBudget(budget, { max: 400, min: 100, available }), wanted));
  }
});
