import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Rotation } from '../../../src/model/rotary';
import { FRESH_TOKENS, reuseSuffix, type SuffixPlan } from '../../../src/model/suffixReuse';

const SUFFIX = Array.from({ length: 40 }, (_, i) => 1000 + i);

/** A window of a prefix of these tokens, the suffix, and what is continued. */
function window(prefix: readonly number[], suffix: readonly number[] = SUFFIX, line: readonly number[] = []) {
  return {
    tokens: [...prefix, ...suffix, ...line],
    suffixStart: prefix.length,
    suffixEnd: prefix.length + suffix.length,
  };
}

const plan = (shared: number, from: number, to: number, stale: number): SuffixPlan => ({
  shared,
  from,
  resume: to + FRESH_TOKENS,
  end: to + SUFFIX.length - 1,
  stale,
});

describe('a suffix that has been read', () => {
  const cases: readonly [name: string, before: number[], stale: number, after: number[], wanted: SuffixPlan | undefined][] = [
    ['serves behind a prefix that has grown', [1, 2, 3], 0, [1, 2, 3, 4, 5], plan(3, 3, 5, 2)],
    ['… that has become shorter', [1, 2, 3, 4], 0, [1, 2], plan(2, 4, 2, 2)],
    ['… of which the end has changed', [1, 2, 3], 0, [1, 9, 8, 7], plan(1, 3, 4, 5)],
    ['counts what has changed before', [1, 2, 3], 30, [1, 2, 3, 4], plan(3, 3, 4, 31)],
    ['is read again where too much has changed', [1, 2, 3], 40, [1, 2, 3, 4], undefined],
    ['… at once', [1], 0, Array.from({ length: 42 }, (_, i) => i + 1), undefined],
  ]; // prettier-ignore
  for (const [name, before, stale, after, wanted] of cases) {
    test(name, () => assert.deepEqual(reuseSuffix({ ...window(before), stale }, window(after), 40), wanted));
  }

  test('another suffix is read', () => {
    const read = { ...window([1, 2]), stale: 0 };
    for (const other of [SUFFIX.slice(1), [...SUFFIX, 1], SUFFIX.with(30, 7)]) {
      assert.equal(reuseSuffix(read, window([1, 2, 3], other), 40), undefined);
    }
  });

  test('what has not been read to its end does not serve', () => {
    const { tokens, ...parts } = window([1, 2]);
    assert.equal(reuseSuffix({ tokens: tokens.slice(0, 20), ...parts, stale: 0 }, window([1, 2, 3]), 40), undefined);
  });

  test('a short one is read again: nothing of it would be left', () => {
    const short = SUFFIX.slice(0, FRESH_TOKENS + 1);
    assert.equal(reuseSuffix({ ...window([1], short), stale: 0 }, window([1, 2], short), 40), undefined);
  });
});

describe('rotary positions', () => {
  /** A key at a position, as the definition has it. */
  const keyAt = (key: readonly number[], position: number, base: number) => {
    const half = key.length / 2;
    return key.map((value, i) => {
      const pair = i % half;
      const angle = position * base ** ((-2 * pair) / key.length);
      const other = (i < half ? -(key[i + half] as number) : key[i - half]) as number;
      return value * Math.cos(angle) + other * Math.sin(angle);
    });
  };

  test('a key that is turned is the key at the other position', () => {
    const key = [0.5, -1, 2, 0.25, 1, 3, -2, 0.125];
    for (const [from, to] of [
      [3, 10],
      [10, 3],
      [700, 0],
      [5, 5],
    ] as const) {
      // prettier-ignore
      const turned = Float32Array.from([...keyAt(key, from, 1e6), ...keyAt(key, from + 1, 1e6)]);
      new Rotation(to - from, key.length, 1e6).turn(turned);
      const wanted = [...keyAt(key, to, 1e6), ...keyAt(key, to + 1, 1e6)];
      wanted.forEach((value, i) => assert.ok(Math.abs(value - (turned[i] as number)) < 1e-5, `${from} → ${to}: ${i}`));
    }
  });
});
