import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { evidenceSources } from '../../../src/completion/sources';
import { cutWindow, type Window } from '../../../src/completion/window';
import { FROZEN, SPECIAL, tinyTokenizer } from '../../fixtures';
import { processorTime } from '../../../lab/processorTime';

const tokenizer = tinyTokenizer();
const manifest = { window: { tokens: 256, suffixTokens: 48, hop: 32 }, specialTokens: SPECIAL };
const text = readFileSync(join(FROZEN, 'src/completion/window.ts'), 'utf8').replaceAll('\r\n', '\n');

const at = (offset: number, source = text) => ({
  path: 'src/a.ts',
  prefix: source.slice(0, offset),
  suffix: source.slice(offset),
});
const cut = (offset: number, source = text) => cutWindow(at(offset, source), tokenizer, manifest);
const size = (window: Window) => window.head.length + window.prefix.length;

describe('window', () => {
  const middle = text.indexOf('const suffix = ');

  test('has the form [file] path [suffix] suffix [prefix] prefix', () => {
    const { head, suffixTokens } = cut(middle);
    const path = tokenizer.encode('src/a.ts');
    assert.deepEqual(head.slice(0, path.length + 2), [SPECIAL.file, ...path, SPECIAL.suffix]);
    assert.equal(head.length, path.length + 3 + suffixTokens);
    assert.equal(head.at(-1), SPECIAL.prefix);
  });

  test('the suffix begins after the line of the cursor', () => {
    const { head, suffixTokens } = cut(middle);
    const next = text.slice(text.indexOf('\n', middle) + 1);
    assert.ok(next.startsWith(tokenizer.decode(head.slice(-1 - suffixTokens, -1))));
  });

  test('without a next line there is no suffix', () => {
    const { head, suffixTokens } = cut(text.length);
    assert.equal(suffixTokens, 0);
    assert.ok(!head.includes(SPECIAL.suffix));
  });

  test('leaves room to generate, wherever the cursor is', () => {
    for (let offset = 0; offset <= text.length; offset += 97) assert.ok(size(cut(offset)) <= 256 - 64);
  });

  test('the prefix is the end of the text before the cursor', () => {
    for (let offset = 0; offset <= text.length; offset += 97) {
      const { prefix, prefixStart } = cut(offset);
      assert.equal(tokenizer.decode(prefix), text.slice(prefixStart, offset));
    }
  });

  test('its beginning hops: while the user types, it mostly stays where it is', () => {
    const starts = new Set<number>();
    for (let offset = middle; offset < middle + 400; offset++) starts.add(cut(offset).prefixStart);
    assert.ok(starts.size >= 2 && starts.size <= 6, `${starts.size} beginnings over 400 keystrokes`);
  });

  test('is cut inside of a line that is longer than itself', () => {
    const line = 'value(1), '.repeat(2000);
    const { prefix, prefixStart } = cut(line.length, line);
    assert.equal(tokenizer.decode(prefix), line.slice(prefixStart));
    assert.ok(prefix.length > 60);
  });

  for (const [name, large] of [
    ['a file of 5 MB', text.repeat(Math.ceil(5e6 / text.length))],
    ['a line of 100 kB', 'value(1), '.repeat(10_000)],
    ['100 kB of newlines', '\n'.repeat(100_000)],
  ] as const) {
    test(`${name} costs little more than another`, () => {
      const spent = processorTime();
      const window = cut(Math.floor(large.length / 2), large);
      assert.ok(size(window) <= 192 && window.prefix.length > 60);
      assert.ok(spent() < 500);
    });
  }

  test('an empty file has a window, too', () => {
    const { prefix, prefixStart, suffixEnd } = cut(0, '');
    assert.deepEqual([prefix.length, prefixStart, suffixEnd], [0, 0, 0]);
  });
});

describe('evidence of a window', () => {
  const offset = text.indexOf('const suffix = ');
  const request = {
    ...at(offset),
    related: [
      { path: 'src/b.ts', text: 'b' },
      { path: 'src/a.ts', text: 'itself' },
      { path: 'c', text: '\0' },
    ],
  };
  const window = cut(offset);
  const sources = evidenceSources(request, window);

  test('is the text before and after it, and the other files', () => {
    assert.deepEqual(
      sources.map(({ path, nearest, own }) => [path, nearest, own]),
      [
        ['src/a.ts', 'end', true],
        ['src/a.ts', 'start', true],
        ['src/b.ts', 'start', false],
      ],
    );
    assert.equal(sources[0]?.text, text.slice(0, window.prefixStart));
    assert.equal(sources[1]?.text, text.slice(offset + window.suffixEnd));
  });

  test('holds neither the window nor the line of the cursor', () => {
    const line = text.slice(text.lastIndexOf('\n', offset) + 1, text.indexOf('\n', offset));
    for (const source of sources) assert.ok(!source.text.includes(line));
  });

  test('knows its lines', () => {
    const after = sources[1];
    assert.equal(after?.line, text.slice(0, offset + window.suffixEnd).split('\n').length);
  });
});
