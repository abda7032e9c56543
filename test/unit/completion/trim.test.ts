import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { covered, trim, unmatchedClosers } from '../../../src/completion/trim';

describe('what already follows', () => {
  type Row = [name: string, text: string, prefix: string, suffix: string, kept: string, replaceSuffix: number];
  const table: Row[] = [
    ['nothing follows', 'foo();', '  ', '\nbar', 'foo();', 0],
    ['blanks at the end go', 'foo();  ', '  ', '\nbar', 'foo();', 0],
    ['the rest of the line is covered', 'a, b);', 'f(', ');\n', 'a, b);', 2],
    ['its beginning is covered', 'a, b)', 'f(', ');\n', 'a, b)', 1],
    ['a bracket closed by the editor is covered, and more', 'a, b);', 'f(', ')\n', 'a, b);', 1],
    ['two of them', '{ a }]);', 'f([', '])\n', '{ a }]);', 2],
    ['a bracket of its own is none', 'g(a)', 'f(', ')\n', 'g(a)', 0],
    ['a quote closed by the editor is covered', "./a';", "import '", "'\n", "./a';", 1],
    ['quote and bracket', './a");', 'require("', '")\n', './a");', 2],
    ['a string of its own is none', '"a"', 'f(', ')\n', '"a"', 0],
    ['the next line is not repeated', 'a();\n  b();', '  ', '\n  b();\n}', 'a();', 0],
    ['the next lines are not repeated', 'a();\n\n  b();\n  c();', '  ', '\n  b();\n  c();\n}', 'a();', 0],
    ['blank lines between do not matter', 'a();\n  b();', '  ', '\n\n  b();\n}', 'a();', 0],
    ['a closing bracket is not repeated', 'a();\n}', '  ', '\n}\n', 'a();', 0],
    ['a bracket of another level stays', 'a();\n  }', '  ', '\n}\n', 'a();\n  }', 0],
  ];
  for (const [name, text, prefix, suffix, kept, replaceSuffix] of table) {
    test(name, () => assert.deepEqual(trim(text, prefix, suffix), { text: kept, replaceSuffix }));
  }

  const nothing: [name: string, text: string, prefix: string, suffix: string, reason: RegExp][] = [
    ['an empty suggestion', '', 'a', '', /nothing to add/],
    ['a blank suggestion', '\n  ', 'a', '', /nothing to add/],
    ['the next line on a blank line', 'b();', '  ', '\n  b();\n', /what follows anyway/],
    ['the next line after a finished line', '\n  b();', '  a();', '\n  b();\n', /what follows anyway/],
    ['the rest of the line', ');', 'f(a', ');\n', /what follows anyway/],
    ['the line above', 'mu: Float32Array,', 'f(\n  mu: Float32Array,\n  ', '\n) {}', /repeated itself/],
    ['the finished line', '\n  mu: Float32Array,', 'f(\n  mu: Float32Array,', '\n) {}', /repeated itself/],
    [
      'a long piece twice',
      ` to replace the size of each step${' to replace the size of each step'}`,
      '//',
      '',
      /repeated itself/,
    ],
    ['one letter again and again', 'r'.repeat(40), 'Float32A', '', /repeated itself/],
    ['one piece again and again', `${'a.b.'.repeat(8)}`, '', '', /repeated itself/],
  ];
  for (const [name, text, prefix, suffix, reason] of nothing) {
    test(`${name} is none`, () => {
      const trimmed = trim(text, prefix, suffix);
      assert.equal(trimmed.text, '');
      assert.match(trimmed.reason ?? '', reason);
    });
  }
});

describe('repetition', () => {
  test('a line again and again is suggested once', () => {
    assert.equal(trim('a();\n  b();\n  b();\n  b();', '  ', '').text, 'a();\n  b();');
    assert.equal(trim('const a = b;\n  const a = b;', '  ', '').text, 'const a = b;');
    assert.equal(trim(' = b;\n  const a = b;', '  const a', '').text, ' = b;');
  });
  test('a rule of one sign is none', () => {
    assert.equal(trim(`// ${'-'.repeat(60)}`, '', '').text, `// ${'-'.repeat(60)}`);
  });
  test('two lines that are alike are none', () => {
    assert.equal(trim('0,\n  0,', '  ', '').text, '0,\n  0,');
  });
});

describe('unmatched closers', () => {
  const table: [text: string, closers: string][] = [
    ['', ''],
    ['f(a)', ''],
    ['a)', ')'],
    ['a]) }', '])}'],
    ["a', 'b')", "')"],
    ['"a)"', ''],
    ['"\\")"', ''],
    ["./x'", "'"],
    ['a${b}`', '`'],
  ];
  for (const [text, closers] of table) {
    test(JSON.stringify(text), () => assert.equal(unmatchedClosers(text), closers));
  }
});

test('nothing of an empty rest is covered', () => assert.equal(covered('a);', ''), 0));
