import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { openGguf, type GgufValue } from '../../../src/adopt/gguf';
import { cacheFolder } from '../../../src/adopt/sources/folders';
import { adoptTokenizer } from '../../../src/adopt/tokenizer';
import { UserError } from '../../../src/model/errors';
import { Tokenizer } from '../../../src/model/tokenizer';
import { ROOT } from '../../fixtures';

const fixture = (name: string) => JSON.parse(readFileSync(join(ROOT, 'test', 'fixtures', name), 'utf8')) as unknown;

/**
 * 700 merges learned on this project's sources, among them some that join line breaks to what stands before and behind
 * them, and three special tokens.
 */
const vocabulary = fixture('byte-level-vocabulary.json') as { tokens: string[]; types: number[]; merges: string[] };

/**
 * Texts, and by pre-tokenizer the ids that the Python package tokenizers 0.23.3 gives them with this vocabulary and the
 * pre-tokenizer as models of that kind have it on Hugging Face (`ByteLevel`, `Digits`, `Split`). Made once.
 */
const { texts, ...cases } = fixture('pre-tokenizer-cases.json') as { texts: string[] } & Record<string, number[][]>;

function metadata(changes: Record<string, GgufValue | undefined> = {}): ReadonlyMap<string, GgufValue> {
  const values: Record<string, GgufValue | undefined> = {
    model: 'gpt2',
    pre: 'qwen2',
    tokens: vocabulary.tokens,
    token_type: vocabulary.types,
    merges: vocabulary.merges,
    ...changes,
  };
  const known = Object.entries(values).filter((entry): entry is [string, GgufValue] => entry[1] !== undefined);
  return new Map(known.map(([name, value]) => [`tokenizer.ggml.${name}`, value]));
}

function tokenizerWith(changes: Record<string, GgufValue | undefined> = {}): Tokenizer {
  const { json, pieces } = adoptTokenizer(metadata(changes), 'model.gguf');
  return new Tokenizer(json, pieces);
}

/** What texts are made of where tokens may reach across a line break. */
const character = fc.oneof(
  fc.constantFrom(...' \t\n\r', '\r\n', '\n\n', '    ', ';\n', '{\n\n'),
  fc.constantFrom(
    'a',
    'if',
    "'s",
    '1',
    '23',
    '(',
    ');',
    '//',
    '<|endoftext|>',
    '<|fim_prefix|>',
    '\u0085',
    '\u00a0',
    '\u2028',
  ),
  fc.constantFrom('\ufeff', '\u0301', 'é', '漢', '🙂', '\u200d', '\0'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }),
);
const text = fc.array(character, { maxLength: 40 }).map((parts) => parts.join('').toWellFormed());

for (const [pre, ids] of Object.entries(cases)) {
  describe(`pre-tokenizer ${pre}`, () => {
    const tokenizer = tokenizerWith({ pre });

    test('the ids that the Python tokenizer gives, in pieces, too', () => {
      assert.equal(ids.length, texts.length);
      texts.forEach((text, i) => {
        assert.deepEqual(tokenizer.encode(text), ids[i], JSON.stringify(text));
        const pieces = tokenizer.pieces(text).flatMap((piece) => tokenizer.encodePiece(piece));
        assert.deepEqual(pieces, ids[i], JSON.stringify(tokenizer.pieces(text)));
      });
    });

    test('any text in pieces is the whole text, and comes back', () => {
      fc.assert(
        fc.property(text, (text) => {
          const pieces = tokenizer.pieces(text);
          assert.ok(pieces.every((piece) => piece !== ''));
          assert.equal(pieces.join(''), text);
          const ids = tokenizer.encode(text);
          assert.deepEqual(
            pieces.flatMap((piece) => tokenizer.encodePiece(piece)),
            ids,
          );
          assert.equal(tokenizer.decode(ids), text);
        }),
        { numRuns: 500 },
      );
    });

    test('a text of many lines has many pieces', () => {
      assert.ok(tokenizer.pieces('const a = 1;\n\n  b();\n}\n'.repeat(50)).length >= 150);
    });
  });
}

test('names of the same pre-tokenizers', () => {
  const encode = (pre: string | undefined) => texts.map((text) => tokenizerWith({ pre }).encode(text));
  for (const pre of ['starcoder', 'refact', 'codeshell']) assert.deepEqual(encode(pre), cases['smollm']);
  for (const pre of ['default', undefined]) assert.deepEqual(encode(pre), cases['gpt-2']);
});

test('no text spells a special token, and none is decoded', () => {
  const { special, size } = adoptTokenizer(metadata(), 'model.gguf');
  const last = vocabulary.types.lastIndexOf(1);
  assert.deepEqual(
    [...special],
    [
      ['<|endoftext|>', last + 1],
      ['<|fim_prefix|>', last + 2],
    ],
  );
  assert.equal(size, vocabulary.tokens.length);
  for (const pre of ['qwen2', 'llama-bpe']) {
    const tokenizer = tokenizerWith({ pre });
    const ids = tokenizer.encode('<|endoftext|><|fim_prefix|><pad0>');
    assert.ok(ids.every((id) => id <= last));
    for (let id = 0; id <= last; id++) assert.ok(tokenizer.isText(id) && tokenizer.bytes(id).length > 0);
    for (let id = last + 1; id < size + 2; id++) assert.ok(!tokenizer.isText(id) && tokenizer.bytes(id).length === 0);
  }
});

test('without types of tokens, what is written in bytes is text', () => {
  const tokens = [...vocabulary.tokens.slice(0, -3), '<pad 0>'];
  const changes = { tokens, token_type: undefined };
  texts.forEach((text, i) => assert.deepEqual(tokenizerWith(changes).encode(text), cases['qwen2']?.[i]));
  assert.equal(tokenizerWith(changes).isText(tokens.length - 1), false);
});

/** Coder's weights, if they were fetched on this machine. */
const coder = JSON.parse(readFileSync(join(ROOT, 'models', 'coder.json'), 'utf8')) as { file: string; bytes: number };
const weights = join(cacheFolder(), 'weights', coder.file);
const absent = statSync(weights, { throwIfNoEntry: false })?.size === coder.bytes ? false : `${weights} is not there`;

test("coder's tokenizer gives the ids that transformers gives", { skip: absent }, async () => {
  // By transformers 5.24.0 from the same GGUF file, its special tokens not looked for.
  const cases = fixture('coder-tokenizer-cases.json') as { text: string; ids: number[] }[];
  const file = await openGguf(weights);
  await file.close();
  const { json, pieces, special } = adoptTokenizer(file.metadata, weights);
  assert.equal(special.get('<|fim_middle|>'), 151_660);
  const tokenizer = new Tokenizer(json, pieces);
  for (const { text, ids } of cases) {
    assert.deepEqual(tokenizer.encode(text), ids, JSON.stringify(text));
    assert.deepEqual(
      tokenizer.pieces(text).flatMap((piece) => tokenizer.encodePiece(piece)),
      ids,
    );
    assert.equal(tokenizer.decode(ids), text);
  }
});

describe('a tokenizer that cannot be adopted is refused in one line', () => {
  const { tokens, types, merges } = vocabulary;
  const table: [name: string, changes: Record<string, GgufValue | undefined>, message: RegExp][] = [
    ['of another kind', { model: 'llama' }, /tokenizer\.ggml\.model is "llama", not gpt2 .*; get a model/],
    ['none at all', { model: undefined }, /tokenizer\.ggml\.model is missing/],
    [
      'an unknown pre-tokenizer',
      { pre: 'tekken' },
      /tokenizer\.ggml\.pre is "tekken"; get a model with one of default,/,
    ],
    ['a pre-tokenizer of no name', { pre: 'constructor' }, /tokenizer\.ggml\.pre is "constructor"/],
    ['no tokens', { tokens: undefined }, /tokenizer\.ggml\.tokens is no list of strings; get the file again/],
    ['no merges', { merges: 3 }, /tokenizer\.ggml\.merges is no list of strings/],
    ['tokens of numbers', { tokens: [1, 2] }, /tokenizer\.ggml\.tokens is no list/],
    ['a byte without token', { tokens: ['zz', ...tokens.slice(1)] }, /no token stands for the byte 33/],
    ['a token twice', { tokens: [...tokens, 'a'], token_type: [...types, 1] }, /token 959 is there twice; get/],
    [
      'a token of a wide character',
      { tokens: [...tokens, '漢'], token_type: [...types, 1] },
      /token 959 is not byte-l/,
    ],
    ['a merge to nowhere', { merges: [...merges, 'a 漢'] }, /merge 700 is of tokens that do not exist/],
    ['a merge of one', { merges: [...merges, 'a'] }, /merge 700 is/],
  ];
  for (const [name, changes, message] of table) {
    test(name, () => {
      assert.throws(
        () => adoptTokenizer(metadata(changes), 'model.gguf'),
        (error) => {
          assert.ok(error instanceof UserError, String(error));
          assert.match(error.message, message);
          return error.message.startsWith('model.gguf: ') && !error.message.includes('\n');
        },
      );
    });
  }
});
