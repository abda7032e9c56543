import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { aroundOf, plainAround, unjoined } from '../../../src/completion/around';
import { cutWindow, type WindowShape } from '../../../src/completion/window';
import type { InfillPrompt } from '../../../src/model/manifest';
import { FROZEN, qwen2Tokenizer } from '../../fixtures';

const tokenizer = qwen2Tokenizer('lines-with-blanks');
const prompt: InfillPrompt = { style: 'prefix-suffix-middle', prefix: 9001, suffix: 9002, middle: 9003, ends: [9000] };
const shape: WindowShape = { window: { tokens: 4000, suffixTokens: 48, hop: 32 }, prompt };
const frozen = readFileSync(join(FROZEN, 'src/completion/window.ts'), 'utf8').replaceAll('\r\n', '\n');
const texts = [frozen, frozen.replaceAll('  ', '\t'), frozen.replace(/^/gm, '  ')];

/** A cursor in a text, and what memories are told of it. */
function around(text: string, at: number) {
  const window = cutWindow({ path: 'a.ts', prefix: text.slice(0, at), suffix: text.slice(at) }, tokenizer, shape);
  return { window, ...aroundOf(window, tokenizer) };
}

describe('what memories look up', () => {
  test('behind an indentation it is the text as it is encoded as a whole', () => {
    let lines = 0;
    for (const text of texts) {
      const natural = tokenizer.encode(text);
      for (const { index, 0: blanks } of text.matchAll(/^[ \t]+(?=\S)/gm)) {
        const begun = around(text, index + blanks.length).context([]);
        const { length } = begun.tokens;
        assert.deepEqual(begun.tokens, natural.slice(0, length));
        const next = natural.slice(length, length + 3);
        assert.ok(tokenizer.decode(next).startsWith(begun.joined ?? '?'));
        const written = unjoined(next, begun.joined, tokenizer) ?? [];
        assert.equal(begun.joined + tokenizer.decode(written), tokenizer.decode(next));
        lines++;
      }
    }
    assert.ok(lines > 200, String(lines));
  });

  test('and within a line, what was typed and what is written behind it', () => {
    for (const text of texts) {
      const natural = tokenizer.encode(text);
      let at = 0;
      for (const [i, token] of natural.entries()) {
        const cursor = at;
        at += tokenizer.decode([token]).length;
        if (i % 29 > 0) continue;
        const { window, context } = around(text, cursor);
        // Where what was typed is encoded as it is in the whole text.
        const typed = tokenizer.encode(text.slice(0, cursor));
        if (window.prefix.length > 0 && typed.length === i) assert.deepEqual(context(window.prefix).tokens, typed);
      }
    }
  });

  test('rows are those behind which the text goes on', () => {
    const { window, rows } = around('a();\nif (b) {\n  c();\n}\nd();\n', 16);
    const { head, parts, context } = window;
    const followed = rows.flatMap(({ start, end }) => head.slice(start + 1, Math.min(end + 1, head.length)));
    assert.deepEqual(followed, [...context, ...head.slice(parts!.suffixStart + 1, parts!.suffixEnd - 1)]);
    assert.deepEqual(plainAround([1, 2]).rows, [{ start: 1, end: Infinity }]);
  });

  test('what goes on with deeper indentation, or without, is not what is written there', () => {
    const tokens = (text: string) => tokenizer.encode(text);
    assert.equal(unjoined(tokens('x'), ' ', tokenizer), undefined);
    assert.deepEqual(unjoined(tokens(' '), ' ', tokenizer), []);
    assert.deepEqual(unjoined(tokens(' return'), ' ', tokenizer), tokens('return'));
    assert.deepEqual(unjoined(tokens('x'), undefined, tokenizer), tokens('x'));
    assert.deepEqual(unjoined([], ' ', tokenizer), []);
  });
});
