import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { SyntaxChecker } from '../../../src/syntax/checker';
import { cursorContext, stopAt } from '../../../src/completion/stop';

const checkers = new Map<string, SyntaxChecker>();

before(async () => {
  for (const path of ['a.ts', 'a.tsx', 'a.py']) checkers.set(path, (await SyntaxChecker.open(path)) as SyntaxChecker);
});

/** What is kept of a text that the model would go on writing for ever, a line at a time. */
function kept(path: string, source: string, text: string, maxLines = 20): string {
  const [prefix = '', suffix = ''] = source.split('|');
  const cursor = cursorContext(prefix, suffix, maxLines, (checkers.get(path) as SyntaxChecker).unit(prefix, suffix));
  for (let length = 1; length <= text.length; length++) {
    const stopped = stopAt(text.slice(0, length), cursor);
    if (stopped) return stopped.text;
  }
  return text;
}

describe('a suggestion ends where its syntax node does', () => {
  const cases: [name: string, path: string, source: string, text: string, kept: string][] = [
    ['a statement of one line', 'a.ts', 'f();\n|\ng();\n', 'const a = 1;\nconst b = 2;\n', 'const a = 1;'],
    ['… begun by the user', 'a.ts', 'f();\nconst a = |\ng();\n', '1;\nconst b = 2;\n', '1;'],
    ['… without its semicolon', 'a.ts', 'f()\n|\ng()\n', 'const a = 1\nconst b = 2\n', 'const a = 1'],
    [
      'a statement with a block',
      'a.ts',
      'function f() {\n  a();\n  |\n}\n',
      'if (b) {\n    c();\n    d();\n  }\n  e();\n',
      'if (b) {\n    c();\n    d();\n  }',
    ],
    [
      '… and with its other branch',
      'a.ts',
      'function f() {\n  a();\n  |\n}\n',
      'if (b) {\n    c();\n  } else {\n    d();\n  }\n  e();\n',
      'if (b) {\n    c();\n  } else {\n    d();\n  }',
    ],
    [
      'an object, whose lines are not indented as the first',
      'a.ts',
      'f();\nconst a = |\ng();\n',
      '{\nb: 1,\nc: 2,\n};\nh();\n',
      '{\nb: 1,\nc: 2,\n};',
    ],
    [
      'a call over several lines',
      'a.ts',
      'f();\n|\ng();\n',
      'call(a, (b) => {\n  c(b);\n});\nh();\n',
      'call(a, (b) => {\n  c(b);\n});',
    ],
    [
      'the body of a function that has none yet',
      'a.ts',
      'a();\nfunction f(b: number) {|\n',
      '\n  const c = b;\n  return c;\n}\n\nfunction g() {\n',
      '\n  const c = b;\n  return c;\n}',
    ],
    [
      '… of which the editor has written the end: all of its statements',
      'a.ts',
      'function f(b: number) {\n  |\n}\n',
      'const c = b;\n  return c;\n',
      'const c = b;\n  return c;\n',
    ],
    [
      'one statement of a body that has others',
      'a.ts',
      'function f(b: number) {\n  |\n  return c;\n}\n',
      'const c = b;\n  const d = b;\n',
      'const c = b;',
    ],
    [
      'a member of a class',
      'a.ts',
      'class A {\n  a = 1;\n  |\n}\n',
      'b() {\n    c();\n  }\n  d = 2;\n',
      'b() {\n    c();\n  }',
    ],
    ['a member of an object', 'a.ts', 'f({\n  a: 1,\n  |\n});\n', 'b: 2,\n  c: 3,\n', 'b: 2,'],
    [
      'an element that goes on after a line',
      'a.ts',
      'f();|\n',
      '\nconst a = [\n  1,\n];\ng();\n',
      '\nconst a = [\n  1,\n];',
    ],
    ['a comment: its line', 'a.ts', 'f();\n/* a |\n*/\n', 'b\nc\n', 'b'],
    ['a template: its line', 'a.ts', 'const a = `b |\nc`;\n', 'd\ne\n', 'd'],
    ['a comment and what it is about', 'a.ts', 'f();\n|\ng();\n', '// b\nconst b = 1;\nh();\n', '// b\nconst b = 1;'],
    [
      'markup',
      'a.tsx',
      'f();\nconst a = |\ng();\n',
      '(\n  <b>\n    c\n  </b>\n);\nh();\n',
      '(\n  <b>\n    c\n  </b>\n);',
    ],
    ['a statement of Python', 'a.py', 'f()\n|\ng()\n', 'a = 1\nb = 2\n', 'a = 1'],
    ['… in brackets', 'a.py', 'f()\n|\ng()\n', 'a = [\n1,\n]\nb = 2\n', 'a = [\n1,\n]'],
    [
      'a block of Python, which ends with its indentation',
      'a.py',
      'f()\n|\ng()\n',
      'if a:\n    b()\n    c()\nd',
      'if a:\n    b()\n    c()',
    ],
    [
      'the body of a function of Python',
      'a.py',
      'def f(a):\n    |\n\ng()\n',
      'b = a\n    return b\n',
      'b = a\n    return b\n',
    ],
    // Errors of the file elsewhere are not the suggestion's.
    [
      'a statement in a file with errors',
      'a.ts',
      'let = = 3;\n\n\nf();\n|\ng();\n',
      'const a = 1;\nh();\n',
      'const a = 1;',
    ],
  ];
  for (const [name, path, source, text, expected] of cases) {
    it(name, () => assert.equal(kept(path, source, text), expected));
  }

  it('has no more lines than are wanted', () => {
    assert.equal(kept('a.ts', 'f();\n|\n', 'if (a) {\n  b();\n  c();\n}\n', 2), 'if (a) {\n  b();');
  });

  it('says nothing of a text that is not whole', async () => {
    const unit = ((await SyntaxChecker.open('a.ts')) as SyntaxChecker).unit('f();\n', '\n');
    assert.equal(unit('if (a) {\n'), undefined);
    assert.equal(unit('  \n'), undefined);
    assert.equal(unit('if (a) {\n}\n'), 2);
  });
});
