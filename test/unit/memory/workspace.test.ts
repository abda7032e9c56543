import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pack, unpack, type Packed } from '../../../src/memory/packed';
import { NgramCache } from '../../../src/memory/ngramCache';
import { WorkspaceMemory } from '../../../src/memory/workspace';

const VOCABULARY = 40;
const stamp = { mtimeMs: 1, size: 2 };
const none: ReadonlySet<string> = new Set();

/** Numbers below `below`, the same for the same seed (Park & Miller 1988). */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number) => (state = (state * 48271) % 2147483647) % below;
}

describe('the memory of a workspace', () => {
  test('finds in its parts what one memory would find, in the same order and at the same distances', () => {
    const random = randomFrom(11);
    const parts = new WorkspaceMemory(VOCABULARY, { partSize: 512 });
    const whole = new NgramCache({ vocabulary: VOCABULARY, orders: [3, 6] });
    const texts: number[][] = [];
    let compared = 0;
    for (let i = 0; i < 40; i++) {
      const tokens = Array.from({ length: 40 }, () => random(8));
      texts.push(tokens);
      parts.put(`${i}`, stamp, tokens);
      whole.put(`${i}`, tokens);
    }
    for (const text of texts) {
      for (let end = 3; end < text.length; end += 5) {
        const context = text.slice(0, end);
        const expected = whole.matches(context).map(({ token, length, position }) => {
          return { token, length, distance: 7 + whole.length - position, own: false };
        });
        compared += expected.length;
        assert.deepEqual(parts.lookUp(context, none, 7), expected);
      }
    }
    assert.ok(compared > 500, `${compared}`);
  });

  test('a hidden file has no say, and leaves the others theirs', () => {
    const memory = new WorkspaceMemory(VOCABULARY, { partSize: 4096 });
    memory.put('far', stamp, [1, 2, 3, 4]);
    // More places than are looked at.
    memory.put('open', stamp, Array.from({ length: 400 }, () => [1, 2, 3, 9]).flat());
    const tokensOf = (...hidden: string[]) => memory.lookUp([1, 2, 3], new Set(hidden), 0).map(({ token }) => token);
    assert.deepEqual(new Set(tokensOf()), new Set([9]));
    assert.deepEqual(tokensOf('open'), [4]);
    assert.deepEqual(tokensOf('open', 'far', 'unknown'), []);
    assert.deepEqual(memory.draft([1, 2, 3], 2, new Set(['open'])), { tokens: [4], length: 3 });
    assert.deepEqual(memory.draft([1, 2, 3], 2, new Set(['open', 'far'])), { tokens: [], length: 0 });
  });

  test('whatever is put and deleted, exactly what is there is found', () => {
    const random = randomFrom(5);
    const memory = new WorkspaceMemory(VOCABULARY, { partSize: 128, parts: 50 });
    const held = new Map<string, number[]>();
    for (let i = 0; i < 600; i++) {
      const path = `${random(30)}`;
      if (random(3) === 0) {
        memory.delete(path);
        held.delete(path);
      } else {
        const tokens = Array.from({ length: 5 + random(60) }, () => random(6));
        assert.equal(memory.put(path, { mtimeMs: i, size: 0 }, tokens), true);
        held.set(path, tokens);
        assert.deepEqual(memory.stampOf(path), { mtimeMs: i, size: 0 });
      }
      assert.deepEqual(new Set(memory.paths), new Set(held.keys()));
      assert.equal(memory.live, [...held.values()].reduce((sum, { length }) => sum + length, 0)); // prettier-ignore
    }
    for (const [path, tokens] of held) assert.deepEqual([...memory.tokensOf(path)!], tokens);
    const followed = (context: number[]) =>
      [...held.values()].flatMap((tokens) => tokens.filter((_, at) => at >= context.length && context.every((token, i) => tokens[at - context.length + i] === token))); // prettier-ignore
    for (let i = 0; i < 50; i++) {
      const context = Array.from({ length: 5 }, () => random(6));
      const found = memory.lookUp(context, none, 0).filter(({ length }) => length >= 5);
      assert.deepEqual(found.map(({ token }) => token).sort(), followed(context).sort());
    }
    memory.clear();
    assert.deepEqual([memory.paths, memory.live, memory.bytes], [[], 0, 0]);
  });

  test('without room a file is not taken, and what was known of it is gone', () => {
    const memory = new WorkspaceMemory(VOCABULARY, { partSize: 16, parts: 2 });
    assert.equal(memory.put('a', stamp, Array(10).fill(1)), true);
    assert.equal(memory.put('b', stamp, Array(10).fill(2)), true);
    assert.equal(memory.put('c', stamp, Array(10).fill(3)), false);
    assert.deepEqual(memory.paths, ['a', 'b']);
    assert.equal(memory.put('c', stamp, [3, 3]), true);
    memory.delete('a');
    // Of a long one, its beginning.
    assert.equal(
      memory.put(
        'long',
        stamp,
        Array.from({ length: 99 }, (_, i) => i % 30),
      ),
      true,
    );
    assert.equal(memory.tokensOf('long')?.length, 15);
  });

  test('20 MB of source take less than 100 MB', () => {
    const random = randomFrom(3);
    const memory = new WorkspaceMemory(8192);
    // 3.2 bytes a token: sources of this repository have 3.4.
    for (let i = 0; i < 2000; i++) assert.ok(memory.put(`${i}`, stamp, Uint16Array.from({ length: 3125 }, () => random(8192)))); // prettier-ignore
    assert.equal(memory.live, 20e6 / 3.2);
    assert.ok(memory.bytes < 100e6, `${memory.bytes}`);
  });
});

describe('the memory of a workspace on disk', () => {
  const finish = <T>(work: Generator<void, T>): T => {
    for (;;) {
      const step = work.next();
      if (step.done) return step.value;
    }
  };
  const files: [string, Packed][] = [
    ['/ws/a.ts', { stamp: { mtimeMs: 1.5, size: 10 }, tokens: Uint16Array.of(1, 2, 300) }],
    ['/ws/ü\n.ts', { stamp: { mtimeMs: 2, size: 0 }, tokens: new Uint16Array(0) }],
    ['/ws/c.ts', { stamp: { mtimeMs: 3, size: 5 }, tokens: Uint16Array.of(8191) }],
  ];
  const packed = (of = files) => Buffer.concat(finish(pack(of, 'sum')));

  test('comes back as it was, with narrow tokens and wide ones', () => {
    assert.deepEqual(finish(unpack(packed(), 'sum')), new Map(files));
    const wide: [string, Packed][] = [['a', { stamp, tokens: Uint32Array.of(70_000, 1) }]];
    assert.deepEqual(finish(unpack(packed(wide), 'sum')), new Map(wide));
    assert.deepEqual(finish(unpack(packed([]), 'sum')), new Map());
  });

  test('is not used if it is damaged anywhere, of another version or of another tokenizer', () => {
    const whole = packed();
    assert.equal(finish(unpack(whole, 'other')), 'made with another tokenizer');
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1;
      assert.equal(typeof finish(unpack(damaged, 'sum')), 'string', `byte ${at}`);
    }
    for (let length = 0; length < whole.length; length++) {
      assert.equal(typeof finish(unpack(whole.subarray(0, length), 'sum')), 'string', `${length} bytes`);
    }
    const text = whole.toString('latin1');
    for (const version of [1, 2, 4]) {
      const other = text.replace('"version":3', `"version":${version}`);
      assert.notEqual(other, text);
      assert.equal(finish(unpack(Buffer.from(other, 'latin1'), 'sum')), 'damaged, or of another version');
    }
  });
});
