import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cutUnfinished, cursorContext, restOfLine, stopAt, type CursorContext } from '../../../src/completion/stop';

const cursor = (change: Partial<CursorContext> = {}): CursorContext => ({
  indentation: 2,
  finishedLine: false,
  maxLines: 1,
  ...change,
});
const finished = cursor({ finishedLine: true });
const block = cursor({ maxLines: 8, finishedLine: true });

describe('context of the cursor', () => {
  const table: [name: string, prefix: string, suffix: string, expected: CursorContext][] = [
    ['end of a line', 'a\n  foo();', '\n}', { indentation: 2, finishedLine: true, maxLines: 8 }],
    ['end of the file', 'foo', '', { indentation: 0, finishedLine: true, maxLines: 8 }],
    ['blank line', 'a\n\t', '\nb', { indentation: 4, finishedLine: false, maxLines: 8 }],
    ['within a line', '  foo(', ');\n', { indentation: 2, finishedLine: false, maxLines: 1 }],
    ['before trailing blanks', '  foo', '  \n', { indentation: 2, finishedLine: true, maxLines: 8 }],
  ];
  for (const [name, prefix, suffix, expected] of table) {
    test(name, () => assert.deepEqual(cursorContext(prefix, suffix, 8), expected));
  }
  test('rest of the line', () => {
    assert.equal(restOfLine('ab\ncd'), 'ab');
    assert.equal(restOfLine('ab'), 'ab');
  });
});

describe('end of a suggestion', () => {
  const table: [name: string, text: string, cursor: CursorContext, expected: ReturnType<typeof stopAt>][] = [
    ['a line goes on', 'foo(', cursor(), undefined],
    ['a line ends at its newline', 'foo();\n', cursor(), { stop: 'newline', text: 'foo();' }],
    ['blanks alone go on', '   ', cursor(), undefined],
    ['a newline at once, where the line is not finished', '\n', cursor(), { stop: 'newline', text: '' }],
    ['a newline at once, after a finished line', '\n', finished, undefined],
    ['… and then the line', '\n  foo();\n', finished, { stop: 'newline', text: '\n  foo();' }],
    ['… and a blank line and then the line', '\n\n  foo();\n', finished, { stop: 'newline', text: '\n\n  foo();' }],
    ['two blank lines end it', '\n\n\n', finished, { stop: 'block', text: '' }],
    ['a block goes on over lines', ' {\n    a();\n    b();\n', block, undefined],
    ['a block ends at a dedent', 'a();\n}', block, { stop: 'block', text: 'a();' }],
    [
      'a block ends with its closing bracket',
      ' {\n    a();\n  }\n',
      block,
      { stop: 'block', text: ' {\n    a();\n  }' },
    ],
    ['… which may have something after it', '\n    a();\n  });\n', block, { stop: 'block', text: '\n    a();\n  });' }],
    ['… unless it opens another', ' {\n    a();\n  } else {\n', block, undefined],
    [
      'after deeper lines, the next statement is outside',
      ' {\n    a();\n  b',
      block,
      { stop: 'block', text: ' {\n    a();' },
    ],
    ['statements of one level belong together', 'a();\n  b();\n  c', block, undefined],
    ['two blank lines end a block', 'a();\n\n\n', block, { stop: 'block', text: 'a();' }],
    [
      'a block has at most its lines',
      'a();\n  b();\n  c',
      cursor({ maxLines: 2 }),
      { stop: 'block', text: 'a();\n  b();' },
    ],
    [
      'a newline at the beginning is no line of its own',
      '\n  a();\n  b();\n',
      cursor({ maxLines: 2, finishedLine: true }),
      { stop: 'block', text: '\n  a();\n  b();' },
    ],
  ];
  for (const [name, text, where, expected] of table) {
    test(name, () => assert.deepEqual(stopAt(text, where), expected));
  }
});

describe('a text that says one thing again and again', () => {
  const table: [text: string, kept: string | undefined][] = [
    ['sum of those three three three three three three', 'sum of those three'],
    ['sum of those three three three', undefined],
    ['return result.result.result.result', 'return result'],
    ['a, b, c, a, b, c, a, b, c, a, b, c, ', 'a, b, c'],
    ['x = foo + bar + foo + bar + foo + bar + ', 'x = foo + bar'],
    ['foo(); foo(); foo(); foo();', 'foo();'],
    ['f(a)\nf(a)\nf(a)\nf(a)\nf(a)\n', 'f(a)'],
    ['if a:\n  if a:\n  if a:\n  if a:\n', 'if a:'],
    ['// größer als größer als größer als ', '// größer als'],
    ['größere größere größere größere ', 'größere'],
    ["'👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽", "'👍🏽"],
    ["'🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪", "'🇩🇪"],
    ['"\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9', '"\\u00e9'],
    ['x = abcabcabcabcabcabcabcabcabcabc', 'x'],
    ['// ----------------------------', undefined],
  ];
  for (const [text, kept] of table) {
    test(JSON.stringify(text), () => {
      const stopped = stopAt(text, text.includes('\n') ? cursor({ maxLines: 8 }) : cursor());
      assert.equal(stopped?.text, kept);
    });
  }
});

describe('a text that was cut off', () => {
  test('a block keeps its whole lines', () => assert.equal(cutUnfinished('a();\n  b(', block), 'a();'));
  test('a block of one line keeps it', () => assert.equal(cutUnfinished('\n  a(', block), '\n  a('));
  const table: [text: string, kept: string][] = [
    ['foo(a, b', 'foo(a,'],
    ['foo(', 'foo('],
    ['größ', ''],
    ["'six', '🇩", "'six', '"],
    ["'six', '👩\u200D", "'six', '"],
    ["'six', '👍", "'six', '"],
    ["'six', 'e\u0301", "'six', '"],
    ['"a\\u00', '"a'],
    ['"a\\u{1F', '"a'],
    ['"a\\', '"a'],
    ['"a\\\\', '"a\\\\'],
    ['"漢字', '"漢'],
  ];
  for (const [text, kept] of table) {
    test(`${JSON.stringify(text)} keeps nothing that may be half`, () => {
      assert.equal(cutUnfinished(text, cursor()), kept);
    });
  }
});
