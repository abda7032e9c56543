import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { cutWindow, RESERVE, type WindowSource, type WindowShape } from '../../../src/completion/window';
import type { InfillPrompt } from '../../../src/model/manifest';
import { FROZEN, tinyTokenizer } from '../../fixtures';

const tokenizer = tinyTokenizer();
const prompt: InfillPrompt = {
  style: 'prefix-suffix-middle',
  prefix: 9001,
  suffix: 9002,
  middle: 9003,
  ends: [9000],
};
const shape: WindowShape = { window: { tokens: 400, suffixTokens: 48, hop: 32 }, prompt };
const text = readFileSync(join(FROZEN, 'src/completion/window.ts'), 'utf8').replaceAll('\r\n', '\n');

const NAMES: Readonly<Record<number, string>> = {
  9001: '<prefix>',
  9002: '<suffix>',
  9003: '<middle>',
};

/** A window as text, its markers by name. */
function shown(context: WindowSource, how = shape): string {
  const { head, prefix } = cutWindow(context, tokenizer, how);
  const parts: string[] = [];
  let run: number[] = [];
  for (const token of [...head, ...prefix, -1]) {
    const name = token === -1 ? '' : NAMES[token];
    if (name === undefined) run.push(token);
    else {
      parts.push(tokenizer.decode(run), name);
      run = [];
    }
  }
  return parts.join('');
}

const at = (marked: string): WindowSource => {
  const [prefix = '', suffix = ''] = marked.split('¦');
  return { path: 'shop/src/a.ts', prefix, suffix };
};

describe('a window of prefix, suffix and middle', () => {
  const cases: readonly [name: string, context: WindowSource, wanted: string][] = [
    ['what is typed on the line stands behind the middle marker', at('a();\nret¦\nb();\n'), '<prefix>a();\n<suffix>\nb();\n<middle>ret'],
    ['at the beginning of a line nothing does', at('a();\n¦\nb();\n'), '<prefix>a();\n<suffix>\nb();\n<middle>'],
    ['indentation stands before the suffix: the line is what is said on it', at('f() {\n    ret¦\n}\n'), '<prefix>f() {\n    <suffix>\n}\n<middle>ret'],
    ['closers right of the cursor are not read: they come while one types', at('f(x¦);\nb();\n'), '<prefix><suffix>\nb();\n<middle>f(x'],
    ['… nor quotes and blanks', at("say('¦') ;  \nb();\n"), "<prefix><suffix>\nb();\n<middle>say('"],
    ['any other text right of the cursor is read', at('const x = ¦ + y;\nb();\n'), '<prefix><suffix> + y;\nb();\n<middle>const x = '],
    ['there may be nothing before the cursor', at('¦a();\n'), '<prefix><suffix>a();\n<middle>'],
    ['… and nothing after it', at('a();\n¦'), '<prefix>a();\n<suffix><middle>'],
  ]; // prettier-ignore
  for (const [name, context, wanted] of cases) test(name, () => assert.equal(shown(context), wanted));

  test('nothing is lost or doubled at any cursor, and there is room to write', () => {
    for (let offset = 0; offset <= text.length; offset += 97) {
      const context = { path: 'a.ts', prefix: text.slice(0, offset), suffix: text.slice(offset) };
      const { head, prefix, parts, context: before, prefixStart } = cutWindow(context, tokenizer, shape);
      assert.equal(tokenizer.decode([...before, ...prefix]), context.prefix.slice(prefixStart));
      assert.ok(head.length + prefix.length <= 400 - RESERVE);
      assert.deepEqual([head[parts!.suffixStart], head[parts!.suffixEnd - 1]], [prompt.suffix, prompt.middle]);
      assert.deepEqual(head.slice(parts!.suffixStart - before.length, parts!.suffixStart), before);
    }
  });

  test('while a line is typed the head stays the same, however long the line gets', () => {
    const line = 'const value = compute(first, second, third) + another(one, two, three) * factor; '.repeat(12);
    const heads = new Set<string>();
    for (let length = 0; length <= line.length; length += 3) {
      const context = { path: 'a.ts', prefix: `a();\n${line.slice(0, length)}`, suffix: '\nb();\n' };
      const { head, prefix, prefixStart, context: before } = cutWindow(context, tokenizer, shape);
      heads.add(head.join());
      assert.ok(prefix.length <= 48);
      assert.equal(tokenizer.decode([...before, ...prefix]), context.prefix.slice(prefixStart));
    }
    assert.ok(heads.size <= 1 + tokenizer.encode(line).length / 16, `${heads.size} heads`);
  });

  test('a decoder without markers reads the text before the cursor alone', () => {
    const plain: WindowShape = { window: shape.window, prompt: { style: 'prefix', begin: 9001, ends: [9000] } };
    assert.equal(shown(at('a();\nret¦urn\n'), plain), '<prefix>a();\nret');
  });
});
