import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { trim } from '../../../src/completion/trim';
import { processorTime } from '../../../lab/processorTime';

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
    [
      'a bracket that closes the text’s own stays',
      'function f() {\n  return 1;\n}',
      '',
      '\n}\n',
      'function f() {\n  return 1;\n}',
      0,
    ],
    ['one that closes what stood before does not', ' {\n    a();\n  }\n}', '  if (a)', '\n}\n', ' {\n    a();\n  }', 0],
    ['the body before a bracket that is there', '\n  return 1;\n}', 'function f() {', '\n}\n', '\n  return 1;', 0],
    ['brackets, a quote and a semicolon', 'a["b"]);', 'f(', ');\n', 'a["b"]);', 2],
    ['a template literal closed by the editor', 'a${b}`;', 'x = `', '`\n', 'a${b}`;', 1],
    ['a closing tag that is there', 'a</b>', '<b>', '</b>\n', 'a</b>', 4],
    ['text behind the cursor that it does not cover', 'a + ', 'x = ', 'b;\n', 'a + ', 0],
    ['the end of the next line is not its beginning', 'a();', '  ', '\n  b(a();\n', 'a();', 0],
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

describe('indentation', () => {
  const tabs = 'class A {\n\tb() {\n\t\tc();\n\t}\n';
  const two = 'class A {\n  b() {\n    c();\n  }\n';
  const four = 'class A {\n    b() {\n        c();\n    }\n';
  const aligned = `${tabs.repeat(5)}\t\tf(a,\n\t\t  b)\n`;
  const table: [name: string, text: string, prefix: string, kept: string][] = [
    ['tabs stay tabs', '\tb() {\n\t\tc();', tabs, '\tb() {\n\t\tc();'],
    ['spaces become tabs', '  b() {\n    c();', tabs, '\tb() {\n\t\tc();'],
    ['four spaces become tabs', 'b() {\n        c();\n    }', `${tabs}\t`, 'b() {\n\t\tc();\n\t}'],
    ['tabs become two spaces', '\tb() {\n\t\tc();', two, '  b() {\n    c();'],
    ['tabs become four spaces', '\tb() {\n\t\tc();', four, '    b() {\n        c();'],
    ['alignment behind tabs stays', '\t\tg(a,\n\t\t  b)', aligned, '\t\tg(a,\n\t\t  b)'],
    ['a file that does not tell', '\tb() {\n\t\tc();', 'class A {\n', '\tb() {\n\t\tc();'],
    ['a file of both kinds', '\tb();\n  c();', `${tabs}${two}`, '\tb();\n  c();'],
    ['a tab inside of a line', 'a = "\t";', two, 'a = "\t";'],
    ['the first line goes on where the cursor is', '  b', `${tabs}\ta =`, '  b'],
    ['the frame of a comment', '\n\t * b', `${tabs}\t/**`, '\n\t * b'],
    ['a doubled blank', ' 1;', 'return ', '1;'],
    ['a blank that puts the indentation off', ' b();', '  ', 'b();'],
    ['a level of indentation', '  b();', '  ', '  b();'],
    ['a blank that is needed', ' = 1;', 'a', ' = 1;'],
  ];
  for (const [name, text, prefix, kept] of table) {
    test(name, () => assert.equal(trim(text, prefix, '').text, kept));
  }
});

test('a long line and a large file cost no more than a moment', () => {
  const line = 'f(a, "b", [c, { d: `e${f}` }]); '.repeat(20_000);
  const file = '  foo(a, b);\n  // it is\n'.repeat(200_000);
  const cases: [prefix: string, suffix: string, text: string][] = [
    [line, line, 'a, b);'],
    ['('.repeat(300_000), ')'.repeat(300_000), 'a'.repeat(2_000)],
    [`${file}  f(`, `)\n${file}`, 'a, b);'],
    [`${file}  `, `\n${file}`, '  f(a);\n  g(b);'],
    ['"', '"', '\\'.repeat(2_000)],
    ['', 'a'.repeat(10_000), 'a'.repeat(2_000)],
    ['', ' '.repeat(100_000), '( '.repeat(1_000)],
  ];
  for (const [prefix, suffix, text] of cases) {
    const spent = processorTime();
    trim(text, prefix, suffix, 'a.ts');
    const took = spent();
    assert.ok(took < 1_000, `${prefix.slice(0, 8)}: ${took} ms`);
  }
});
