import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, test } from 'node:test';
import { textLines } from '../../../src/text';
import { pathTail } from '../../../src/model/path';
import { qwen2Tokenizer, largeTokenizer, ROOT, tinyTokenizer } from '../../fixtures';
import { processorTime } from '../../../lab/processorTime';

interface Case {
  readonly text: string;
  readonly ids: readonly number[];
}

const casesIn = (name: string) => JSON.parse(readFileSync(join(ROOT, 'test', 'fixtures', name), 'utf8')) as Case[];

const tokenizer = tinyTokenizer();

for (const [kind, tokenizer, cases] of [
  ['tokenizer', tinyTokenizer(), casesIn('tokenizer-cases.json')],
  ['tokenizer that cuts as Qwen2 does', qwen2Tokenizer(), casesIn('qwen2-tokenizer-cases.json')],
] as const) {
  describe(kind, () => {
    for (const { text, ids } of cases) {
      const name = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
      test(`${name} gives the ids that the Python tokenizer gives`, () => {
        assert.deepEqual(tokenizer.encode(text), ids);
      });
      test(`${name} comes back`, () => {
        assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
      });
      test(`${name} can be encoded line by line`, () => {
        assert.deepEqual(
          textLines(text).flatMap((line) => tokenizer.encodePiece(line)),
          ids,
        );
      });
    }
  });
}

test('ids need not fit two bytes', () => {
  const first = 70_000;
  const large = largeTokenizer(first);
  for (const { text, ids } of casesIn('qwen2-tokenizer-cases.json')) {
    assert.deepEqual(
      large.encode(text),
      ids.map((id) => first + id),
    );
    assert.equal(large.decode(large.encode(text)), text);
  }
});

describe('tokenizer', () => {
  test('no text spells a special token', () => {
    const ids = tokenizer.encode('<|pad|><|file|><|suffix|><|prefix|><|end|>');
    assert.ok(ids.every((id) => id > 7));
    for (let id = 0; id < 8; id++) assert.equal(tokenizer.bytes(id).length, 0);
  });

  test('a lone surrogate counts as the replacement character', () => {
    assert.equal(tokenizer.decode(tokenizer.encode('a\ud800b')), 'a\ufffdb');
  });

  for (const [name, line] of Object.entries({
    words: 'foo(bar), '.repeat(10_000),
    'one letter': 'a'.repeat(100_000),
    spaces: ' '.repeat(100_000),
    emoji: '💩'.repeat(25_000),
  })) {
    test(`a line of 100 kB of ${name} takes no more than linear time`, () => {
      tokenizer.encode(line.slice(0, 10_000));
      const spent = processorTime();
      const ids = tokenizer.encode(line);
      const took = spent();
      assert.equal(tokenizer.decode(ids), line);
      assert.ok(took < 1000, `${took.toFixed(0)} ms`);
    });
  }

  test('compatible tokens begin with the bytes, or are a beginning of them', () => {
    const need = Buffer.from('const');
    const ids = tokenizer.compatible(need);
    const texts = ids.map((id) => Buffer.from(tokenizer.bytes(id)).toString());
    assert.ok(texts.includes('const') && texts.includes('c'));
    assert.ok(texts.every((text) => text.startsWith('const') || 'const'.startsWith(text)));
    const all = Array.from({ length: tokenizer.size }, (_, id) => Buffer.from(tokenizer.bytes(id)).toString('latin1'));
    const expected = all.filter((text) => text !== '' && (text.startsWith('const') || 'const'.startsWith(text)));
    assert.equal(ids.length, expected.length);
  });
});

test('a line that is remembered does not keep the text that it was cut from', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = () => {
    collect();
    return process.memoryUsage().heapUsed / 1e6;
  };
  const tokenizer = tinyTokenizer();
  const base = 'export const value = compute(1, 2, 3);\n'.repeat(20_000);
  const before = held();
  for (let i = 0; i < 100; i++) {
    // As it comes from another process: 0.8 MB in a piece.
    const text = Buffer.from(`${base}const written_as_number_${i} = 1;\n`).toString('latin1');
    tokenizer.encodePiece(textLines(text).at(-1)!);
  }
  const grown = held() - before;
  assert.ok(grown < 20, `${grown.toFixed(0)} MB are held by 100 lines`);
});

describe('path tail', () => {
  const table: [path: string, tail: string][] = [
    ['a.ts', 'a.ts'],
    ['/home/me/project/src/a.ts', 'src/a.ts'],
    ['C:\\project\\src\\a.ts', 'src/a.ts'],
    [`/x/${'d'.repeat(80)}/a.ts`, `${'d'.repeat(55)}/a.ts`],
  ];
  for (const [path, tail] of table) test(path, () => assert.equal(pathTail(path), tail));
});
