import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { SyntaxChecker } from '../../../src/syntax/checker';

/** Source with `|` at the cursor. */
function at(source: string): [prefix: string, suffix: string] {
  const [prefix = '', suffix = ''] = source.split('|');
  return [prefix, suffix];
}

const checkers = new Map<string, SyntaxChecker>();

before(async () => {
  for (const path of ['a.ts', 'a.tsx', 'a.js', 'a.py']) {
    const checker = await SyntaxChecker.open(path);
    assert.ok(checker, path);
    checkers.set(path, checker);
  }
});

function checked(path: string, source: string, text: string, replaceSuffix = 0) {
  const [found] = (checkers.get(path) as SyntaxChecker).check(...at(source), [{ text, replaceSuffix }]);
  assert.ok(found);
  return found;
}

describe('whether a suggestion parses in its place', () => {
  const cases: [path: string, source: string, text: string, parses: boolean | undefined, replaceSuffix?: number][] = [
    ['a.ts', 'const a = |;\n', '1 + 2', true],
    ['a.ts', 'const a = |;\n', '1 + + ) 2', false],
    ['a.ts', 'const a = f(|\n', 'b);', true],
    ['a.ts', 'const a = f(|)\n', 'b, c);', true, 1],
    ['a.ts', 'const a = f(|\n', 'b));', false],
    // What opens a block is not an error: its end is yet to be written.
    ['a.ts', 'let x = 1;\n|\nlet y = 2;\n', 'if (x) {', true],
    ['a.ts', 'let x = 1;\n|\nlet y = 2;\n', 'for (const a of [x, 2]) {\n  f(a', true],
    ['a.ts', 'let x = 1;\n|\n', 'if x) {', false],
    // In the middle of an expression nothing can be said.
    ['a.ts', 'const a = |\n', 'b +', undefined],
    ['a.ts', 'type A = |;\n', 'Record<string, number>', true],
    ['a.ts', 'type A = |;\n', 'Record<string, number', false],
    ['a.tsx', 'const a = |;\n', '<div className="x">{b}</div>', true],
    ['a.tsx', 'const a = |;\n', 'b ? : c', false],
    ['a.js', 'class A {\n  |\n}\n', 'get x() { return 1; }', true],
    ['a.js', 'class A {\n  |\n}\n', 'get x() { return 1; }}}', false],
    ['a.py', 'def f(x):\n    |\n', 'return x + 1', true],
    ['a.py', 'def f(x):\n    |\n', 'if x > 1:', true],
    ['a.py', 'def f(x):\n    |\n', 'return x +) 1', false],
    // Errors elsewhere are not the suggestion's.
    ['a.ts', 'let = = 3;\n\n\nconst a = |;\n', '1', true],
  ];
  for (const [path, source, text, parses, replaceSuffix] of cases) {
    it(`${path}: ${JSON.stringify(source.trim())} + ${JSON.stringify(text)}: ${parses}`, () => {
      assert.equal(checked(path, source, text, replaceSuffix).parses, parses);
    });
  }

  it('knows no other languages', async () => {
    assert.equal(await SyntaxChecker.open('a.md'), undefined);
  });

  it('checks one file after the other as it checks each alone', async () => {
    const sources = ['const a = |;\n', 'function f(p) {\n  return |\n}\n', 'class A { x = |\n}\n', '// nothing\n|'];
    const texts = ['p', 'f(', 'g(1))', 'a + 1;', '`${x}`', '"', '\n  b();'];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...sources), fc.constantFrom(...texts)), { minLength: 1, maxLength: 6 }),
        async (rounds) => {
          const checker = (await SyntaxChecker.open('a.ts')) as SyntaxChecker;
          for (const [source, text] of rounds) {
            const alone = (await SyntaxChecker.open('a.ts')) as SyntaxChecker;
            const insertion = [{ text, replaceSuffix: 0 }];
            assert.deepEqual(checker.check(...at(source), insertion), alone.check(...at(source), insertion));
          }
        },
      ),
      { numRuns: 60, seed: 4 },
    );
  });
});

describe('names that nothing declares', () => {
  const cases: [source: string, text: string, undeclared: string[]][] = [
    ['const a = 1;\n|\n', 'f(a);', ['f']],
    ['function f() {}\n|\n', 'f();', []],
    // In another function's scope, it cannot be seen.
    ['function f() { const inner = 1; }\n|\n', 'g = inner;', ['g', 'inner']],
    ['function f() { var hoisted = 1; if (hoisted) { | } }\n', 'hoisted++;', []],
    ['function f() { { var hoisted = 1; } | }\n', 'hoisted++;', []],
    ['function f({ a, b: [c, ...d], e = 1 }) { | }\n', 'a + c + d + e;', []],
    ['function f({ a, b: c }) { | }\n', 'x(b);', ['x', 'b']],
    ['import one, { two as three } from "m";\nimport * as all from "n";\n|\n', 'one(three, all);', []],
    ['import { two as three } from "m";\n|\n', 'three(two);', ['two']],
    ['const list = [1];\n|\n', 'list.map((item) => item.other);', []],
    ['const list = [1];\n|\n', 'for (const x of list) { console.log(x, Math.PI); }', []],
    ['try { a(); } catch (error) { | }\n', 'throw error;', []],
    ['type Point = { x: number };\n|\n', 'let p: Point | Path;', ['Path']],
    ['function f<T>(x: T) { | }\n', 'const y: T = x;', []],
    ['class A { go() { | } }\n', 'this.stop(); new A();', []],
    // What the file uses without declaring may come from anywhere.
    ['ambient(1);\n|\n', 'ambient(2);', []],
    // A name that the parser put in to go on has no letters.
    ['const a = 1;\nlet = 2;\n|\n', 'a + ; const = a;', []],
    ['function f(p) {\n  return p.|;\n}\n', '\n  log(p', []],
    ['|\n', 'const own = 1; own++;', []],
    ['const a = 1;\n|\n', 'const o = { a, key: a };', []],
    ['const a = 1;\n|\n', 'import { q } from "q"; q(a);', []],
  ];
  for (const [source, text, undeclared] of cases) {
    it(`${JSON.stringify(source.trim())} + ${JSON.stringify(text)}`, () => {
      assert.deepEqual(checked('a.ts', source, text).undeclared, undeclared);
    });
  }

  it('leaves JSX elements and attributes out, and takes components', () => {
    assert.deepEqual(checked('a.tsx', 'const a = |;\n', '<div title="x"><Card a={b} /></div>').undeclared, [
      'Card',
      'b',
    ]);
  });
});

describe('any text', () => {
  it('is checked: whatever is put together, and wherever', () => {
    const pieces = [
      'a',
      '(',
      ')',
      '{',
      '}',
      '.',
      ',',
      ';',
      '=',
      '=>',
      'const ',
      'function ',
      'if ',
      '`',
      '"',
      '\n',
      ':',
      '<',
      '>',
      'x',
      '…',
      '\u{1f600}',
    ];
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, text, text, (prefix, suffix, inserted) => {
        for (const checker of checkers.values()) {
          const [found] = checker.check(prefix, suffix, [{ text: inserted, replaceSuffix: 0 }]);
          assert.ok(found && found.undeclared.every((name) => name !== '' && inserted.includes(name)));
          checker.repair(prefix, suffix, { text: inserted, replaceSuffix: 0 });
        }
      }),
      { numRuns: 400, seed: 11 },
    );
  });
});

describe('repair', () => {
  const cases: [source: string, text: string, repaired: string | undefined][] = [
    ['const a = f(|\n', 'b));', 'b)'],
    ['const a = f|\n', '(b))', '(b)'],
    ['let x = 1;\n|\nlet y = 2;\n', 'f(x);\nconst = ;', 'f(x);'],
    ['let x = |;\n', '= =', undefined],
  ];
  for (const [source, text, repaired] of cases) {
    it(`${JSON.stringify(text)}: ${JSON.stringify(repaired)}`, () => {
      const checker = checkers.get('a.ts') as SyntaxChecker;
      assert.equal(checker.repair(...at(source), { text, replaceSuffix: 0 }), repaired);
    });
  }
});
