import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { memorySources } from '../../../src/completion/lookupMemory';
import { ContextMemory, type Source } from '../../../src/memory/context';
import { EncodedText } from '../../../src/memory/encoded';
import { textLines } from '../../../src/text';
import { tinyTokenizer } from '../../fixtures';

const tokenizer = tinyTokenizer();
const encode = (text: string) => textLines(text).flatMap((line) => [...tokenizer.encodePiece(line)]);
const newMemory = () => new ContextMemory(tokenizer, tokenizer.size);
const source = (key: string, text: string, own = false): Source => ({ key, text, own });

describe('a text and its tokens', () => {
  const versions = [
    '',
    'const a = 1;',
    'const a = 1;\n',
    'const a = 1;\nconst b',
    'const a = 1;\nconst bc = 2;\n\nfoo();\n',
    'const a = 1;\nconst bc = 3;\n\nfoo();\n',
    'let a = 1;\nconst bc = 3;\n\nfoo();\n',
    '\n\n\n',
    '\n\nx',
    'x',
    '',
  ];
  test('after every edit they are those of the text', () => {
    const encoded = new EncodedText();
    for (const text of [...versions, ...versions.toReversed()]) {
      assert.equal(encoded.update(text, tokenizer), true);
      assert.deepEqual(encoded.tokens, encode(text));
    }
  });

  test('encoding goes on where it was interrupted', () => {
    const text = 'export const value = compute(1);\n'.repeat(500);
    const encoded = new EncodedText();
    let calls = 0;
    // The clock ticks at every look.
    while (!encoded.update(text, tokenizer, calls + 3, () => ++calls)) assert.ok(calls < 1000);
    assert.ok(calls > 5);
    assert.deepEqual(encoded.tokens, encode(text));
  });
});

describe('what stands around the cursor', () => {
  const request = {
    path: 'src/a.ts',
    prefix: 'const first = 1;\nconst sec',
    suffix: 'ond = HIDDEN;\nconst third = 3;\n',
    related: [
      { path: 'src/b.ts', text: 'b();\n' },
      { path: 'src/a.ts', text: 'the open file once more' },
      { path: 'src/b.ts', text: 'b, too' },
      { path: 'src/c.bin', text: 'c\0' },
    ],
  };

  test('the text before the cursor and the lines after its own, apart; related files, each once', () => {
    assert.deepEqual(
      memorySources(request).map(({ key, text }) => [key, text]),
      [
        ['related src/b.ts', 'b();\n'],
        ['after src/a.ts', 'const third = 3;\n'],
        ['before src/a.ts', 'const first = 1;\nconst sec'],
      ],
    );
  });

  test('nothing is matched across the cursor', () => {
    const memory = newMemory();
    memory.show(memorySources(request), 0);
    // Before the cursor nothing follows; the lines after it have nothing before them.
    assert.deepEqual(
      memory.lookUp(encode('const first = 1;\nconst sec')).filter(({ length }) => length > 2),
      [],
    );
  });

  test('tokens that are to be written again are not known', () => {
    const memory = newMemory();
    const tokens = encode('alpha beta gamma');
    const sources = [source('before', 'alpha beta gamma')];
    memory.show(sources, 0);
    assert.equal(memory.lookUp(tokens.slice(0, -1))[0]?.token, tokens.at(-1));
    memory.show(sources, 1);
    assert.deepEqual(memory.lookUp(tokens.slice(0, -1)), []);
  });

  test('what it holds depends on what it is shown, not on what it was shown before', () => {
    const words = ['alpha();\n', 'beta(1);\n', 'alpha(2);\n', 'if (alpha) {\n', '}\n'];
    let state = 7;
    const random = (below: number) => (state = (state * 48271) % 2147483647) % below;
    const text = () => Array.from({ length: random(6) }, () => words[random(words.length)]).join('');
    const texts = new Map(['a', 'b', 'c', 'd'].map((key) => [key, text()]));
    const memory = newMemory();
    for (let i = 0; i < 100; i++) {
      const edited = ['a', 'b', 'c', 'd'][random(4)]!;
      texts.set(edited, random(2) ? `${texts.get(edited)}${text()}` : text());
      const keys = ['a', 'b', 'c', 'd'].filter(() => random(5) > 0).sort(() => random(3) - 1);
      const sources = keys.map((key, at) => source(key, texts.get(key)!, at >= keys.length - 2));
      const taken = random(3);
      memory.show(sources, taken);
      const fresh = newMemory();
      fresh.show(sources, taken);
      for (const context of words.map(encode)) {
        assert.deepEqual(memory.lookUp(context), fresh.lookUp(context));
        assert.deepEqual(memory.draft(context, 5), fresh.draft(context, 5));
      }
      assert.deepEqual(memory.inFileMask, fresh.inFileMask);
    }
  });

  test('of the tokens that occur, only those of its own file count, without what is to be written again', () => {
    const memory = newMemory();
    const tokens = encode('alpha beta gamma');
    memory.show([source('far', 'delta'), source('after', 'epsilon', true), source('own', 'alpha beta gamma', true)], 1);
    const inFile = [...memory.inFileMask.keys()].filter((token) => memory.inFileMask[token]);
    assert.deepEqual(new Set(inFile), new Set([...tokens.slice(0, -1), ...encode('epsilon')]));
  });

  test('its own file is told from others, and the nearest is the most recent', () => {
    const memory = newMemory();
    const context = encode('call(');
    memory.show(
      [source('far', 'call(second)'), source('near', 'call(near)'), source('own', 'call(own);\ncall(', true)],
      0,
    );
    const tokens = ['second', 'near', 'own'].map((word) => encode(`call(${word})`)[context.length]);
    const hits = memory.lookUp(context);
    const longest = hits.filter(({ length }) => length === context.length);
    assert.deepEqual(longest.map(({ token }) => token), tokens.toReversed()); // prettier-ignore
    assert.deepEqual(longest.map(({ own }) => own), [true, false, false]); // prettier-ignore
    const distances = longest.map(({ distance }) => distance);
    assert.deepEqual(distances.toSorted((a, b) => a - b), distances); // prettier-ignore
  });

  test('a draft is what followed the longest match', () => {
    const memory = newMemory();
    memory.show([source('a', 'return compute(first);\n'), source('b', 'compute(second);\n')], 0);
    const context = encode('return compute(');
    const tokens = encode('return compute(first);\n').slice(context.length).slice(0, 3);
    assert.deepEqual(memory.draft(context, 3), { tokens, length: context.length });
    assert.deepEqual(memory.draft(encode('§'), 3), { tokens: [], length: 0 });
  });

  test('what is not encoded in time is left out, and comes later', () => {
    const memory = newMemory();
    const long = source('long', 'unusual(words, 1);\n'.repeat(2000));
    const short = source('short', 'compute(second);\n', true);
    assert.equal(memory.show([long, short], 0, performance.now() - 1), false);
    assert.deepEqual(memory.lookUp(encode('unusual')), []);
    assert.equal(memory.lookUp(encode('compute(')).length > 0, true);
    for (let i = 0; i < 1000 && !memory.show([long, short], 0, performance.now() - 1); i++);
    assert.equal(memory.show([long, short], 0), true);
    assert.ok(memory.lookUp(encode('unusual')).length > 0);
  });
});
