import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_MATCH, NgramCache, type Match } from '../../../src/memory/ngramCache';

const VOCABULARY = 50;
const memoryOf = (...documents: number[][]) => {
  const memory = new NgramCache({ vocabulary: VOCABULARY });
  documents.forEach((tokens, i) => memory.put(`${i}`, tokens));
  return memory;
};
const found = (matches: Match[]) => matches.map(({ token, length }) => [token, length]);

/** Numbers below `below`, the same for the same seed (Park & Miller 1988). */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number) => (state = (state * 48271) % 2147483647) % below;
}

/** Every place at which a document goes on after the end of a context, by looking everywhere. */
function everywhere(documents: readonly number[][], context: readonly number[]) {
  return documents.flatMap((tokens) =>
    tokens.flatMap((token, at) => {
      let length = 0;
      while (length < Math.min(MAX_MATCH, at, context.length) && tokens[at - 1 - length] === context.at(-1 - length))
        length++;
      return length > 0 ? [`${token} after ${length}`] : [];
    }),
  );
}

describe('what followed a context', () => {
  const table: [name: string, documents: number[][], context: number[], expected: number[][]][] = [
    ['nothing is known', [], [1, 2], []],
    ['an empty context', [[1, 2, 3]], [], []],
    ['one token', [[1, 2, 3]], [9, 1], [[2, 1]]],
    ['two tokens', [[1, 2, 3]], [9, 1, 2], [[3, 2]]],
    ['the end of a document is followed by nothing', [[1, 2, 3]], [2, 3], []],
    ['a document that is one token long', [[3]], [3], []],
    ['nothing is matched across two documents', [[1, 2], [3, 4]], [1, 2, 3], [[4, 1]]], // prettier-ignore
    ['the most recent first', [[1, 2, 1, 3], [1, 4]], [1], [[4, 1], [3, 1], [2, 1]]], // prettier-ignore
    ['longer contexts first', [[5, 6, 7, 8], [4, 7, 9]], [5, 6, 7], [[8, 3], [9, 1]]], // prettier-ignore
    ['the longest order first', [[1, 2, 3, 4, 5, 6, 7], [6, 8]], [1, 2, 3, 4, 5, 6], [[7, 6], [8, 1]]], // prettier-ignore
    ['a row of one token', [[1, 1, 1, 1]], [1, 1], [[1, 2], [1, 2], [1, 1]]], // prettier-ignore
  ];
  for (const [name, documents, context, expected] of table) {
    test(name, () => assert.deepEqual(found(memoryOf(...documents).matches(context)), expected));
  }

  test('a match is compared up to the longest length', () => {
    const tokens = Array.from({ length: 100 }, (_, i) => i % 40);
    assert.deepEqual(found(memoryOf(tokens.slice(0, 41)).matches(tokens.slice(0, 40))), [[0, MAX_MATCH]]);
  });

  test('the places looked at are bounded, and the newest are among them', () => {
    const tokens = Array.from({ length: 10_000 }, (_, i) => (i % 2 ? 2 + (i % 37) : 1));
    const matches = memoryOf(tokens).matches([1]);
    assert.ok(matches.length <= 64);
    assert.equal(Math.max(...matches.map(({ position }) => position)), 9999);
  });
});

describe('documents that change', () => {
  test('a document takes the place of the one under the same key', () => {
    const memory = memoryOf([1, 2], [1, 3]);
    memory.put('0', [1, 4]);
    assert.deepEqual(found(memory.matches([1])), [[4, 1], [3, 1]]); // prettier-ignore
    assert.deepEqual(memory.keys, ['1', '0']);
  });

  test('what is deleted is not found', () => {
    const memory = memoryOf([1, 2], [1, 3], [1, 4]);
    memory.delete('1');
    memory.delete('unknown');
    assert.deepEqual(found(memory.matches([1])), [[4, 1], [2, 1]]); // prettier-ignore
    memory.delete('2');
    assert.deepEqual(found(memory.matches([1])), [[2, 1]]);
  });

  test('the last document grows and shrinks at its end as if it had been written so at once', () => {
    const random = randomFrom(3);
    const grown = memoryOf([1, 2, 3, 1, 2]);
    let tokens: number[] = [];
    for (let i = 0; i < 200; i++) {
      tokens = [...tokens.slice(0, tokens.length - random(4)), ...Array.from({ length: random(5) }, () => random(6))];
      grown.put('open', tokens);
      const fresh = memoryOf([1, 2, 3, 1, 2]);
      fresh.put('open', tokens);
      const context = tokens.slice(-8);
      assert.deepEqual(grown.matches(context), fresh.matches(context));
      assert.equal(grown.length, fresh.length);
    }
  });

  test('the last document does not grow over what was forgotten after it', () => {
    const memory = new NgramCache({ vocabulary: 6 });
    for (const [key, tokens] of [['a', []], ['c', [1]], ['b', []]] as const) memory.put(key, tokens); // prettier-ignore
    memory.delete('c');
    memory.delete('b');
    memory.put('a', [0, 5, 0]);
    assert.deepEqual(found(memory.matches([5])), [[0, 1]]);
    memory.put('d', [1, 2]);
    memory.put('e', []);
    memory.delete('d');
    memory.delete('e');
    memory.delete('a');
    memory.put('f', [5, 3]);
    assert.deepEqual(found(memory.matches([5])), [[3, 1]]);
    assert.deepEqual(found(memory.matches([1])), []);
  });

  test('more dead than alive is taken out', () => {
    const memory = memoryOf(...Array.from({ length: 10 }, (_, i) => Array.from({ length: 100 }, () => i)));
    for (let i = 0; i < 8; i++) memory.delete(`${i}`);
    assert.equal(memory.live, 200);
    assert.ok(memory.length < 2 * memory.live + 10, `${memory.length} positions for ${memory.live} tokens`);
    assert.equal(memory.matches([9])[0]?.token, 9);
    assert.deepEqual(memory.matches([3]), []);
  });

  test('beyond the capacity the oldest documents leave', () => {
    const memory = new NgramCache({ vocabulary: VOCABULARY, capacity: 6 });
    for (const key of [1, 2, 3, 4]) memory.put(`${key}`, [key, key + 10]);
    assert.deepEqual(memory.keys, ['2', '3', '4']);
    memory.put('4', [4, 14, 5, 15]);
    assert.deepEqual(memory.keys, ['3', '4']);
    memory.put('long', [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.deepEqual([memory.keys, memory.live], [['long'], 6]);
    assert.deepEqual(found(memory.matches([2])), []);
    assert.deepEqual(found(memory.matches([7])), [[8, 1]]);
  });

  test('ids need not fit two bytes', () => {
    const memory = new NgramCache({ vocabulary: 2 ** 17 });
    const large = 2 ** 16;
    memory.put('a', [large + 1, large + 2, large + 3, 1, 2, 4]);
    assert.deepEqual(found(memory.matches([large + 1, large + 2])), [[large + 3, 2]]);
    assert.deepEqual([...(memory.tokensOf('a') ?? [])], [large + 1, large + 2, large + 3, 1, 2, 4]);
  });

  test('a token outside the vocabulary is refused', () => {
    assert.throws(() => memoryOf([VOCABULARY]), /token 50 is not in the vocabulary/);
  });
});

test('what is found is what looking everywhere finds, whatever was put and deleted', () => {
  const random = randomFrom(11);
  for (let round = 0; round < 60; round++) {
    const memory = new NgramCache({ vocabulary: VOCABULARY, orders: [1] });
    const documents = new Map<string, number[]>();
    for (let i = 0; i < 12; i++) {
      const key = `${random(5)}`;
      memory.delete(key);
      documents.delete(key);
      if (random(4) === 0) continue;
      // Few enough of each token that none is beyond the bound on what is looked at.
      const tokens = Array.from({ length: random(30) }, () => random(8));
      memory.put(key, tokens);
      documents.set(key, tokens);
    }
    const context = Array.from({ length: 10 }, () => random(8));
    const matches = memory.matches(context).map(({ token, length }) => `${token} after ${length}`);
    const expected = everywhere([...documents.values()], context);
    if (expected.length <= 20) assert.deepEqual(matches.sort(), expected.sort());
  }
});

test('several orders find what one finds, each place once', () => {
  const random = randomFrom(5);
  for (let round = 0; round < 60; round++) {
    const documents = Array.from({ length: 3 }, () => Array.from({ length: 40 }, () => random(6)));
    const context = Array.from({ length: 12 }, () => random(6));
    const matches = memoryOf(...documents).matches(context);
    const expected = everywhere(documents, context);
    assert.deepEqual(matches.map(({ token, length }) => `${token} after ${length}`).sort(), expected.sort());
    assert.equal(new Set(matches.map(({ position }) => position)).size, matches.length);
  }
});
