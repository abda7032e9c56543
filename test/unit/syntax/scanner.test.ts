import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { familyOf } from '../../../src/syntax/families';
import { lineState } from '../../../src/syntax/lineState';
import { scan } from '../../../src/syntax/scanner';
import { processorTime } from '../../../lab/processorTime';

describe('what a text closes that it has not opened', () => {
  const table: [path: string, text: string, closers: string][] = [
    ['a.ts', '', ''],
    ['a.ts', 'f(a)', ''],
    ['a.ts', 'a)', ')'],
    ['a.ts', 'a]) }', '] ) }'],
    ['a.ts', '"a)"', ''],
    ['a.ts', '"\\")"', ''],
    ['a.ts', '`a${b})`', ''],
    ['a.ts', '// )', ''],
    ['a.ts', 'a */ b)', '*/ )'],
    ['a.ts', 'x = /[)]/', ''],
    ['a.ts', 'x / 2) / 3', ')'],
    ['a.rs', "&'a str)", ')'],
    ['a.rs', "'('", ''],
    ['a.py', "it's)", ')'],
    ['a.py', "b')'", ''],
    ['a.sh', "cat <<EOF\nit's )\nEOF\n)", ')'],
    ['a.sh', 'cat <<< "a")', ')'],
    ['a.html', 'a</p>', '</p>'],
    ['a.html', '<b>a</b></p>', '</p>'],
    ['a.html', '<br>a</p>', '</p>'],
    ['a.html', 'id="a">b', '>'],
    ['a.tsx', 'a}</p>', '} </p>'],
    ['a.md', "it's (a) b)", ''],
  ];
  for (const [path, text, closers] of table) {
    test(`${path}: ${JSON.stringify(text)}`, () => {
      const found = scan(text, familyOf(path)).closers.map((closer) => closer.text);
      assert.equal(found.join(' '), closers);
    });
  }
});

describe('what is open at a cursor', () => {
  const table: [path: string, line: string, open: string][] = [
    ['a.ts', 'f([{¦', ') ] }'],
    ['a.ts', 'f("a¦"', ') "'],
    ['a.ts', 'f(`a${b¦', ') ` }'],
    ['a.ts', 'f(a) // b¦', '\n'],
    ['a.ts', ' * a¦ */', '*/'],
    ['a.ts', 'a¦', ''],
    ['a.ts', 'const a: Map<b, ¦', '>'],
    ['a.tsx', 'return <p a={b¦', '> }'],
    ['a.tsx', 'return <p>{¦', '</p> }'],
    ['a.tsx', 'a < b¦', ''],
    ['a.html', "<p>it's <b¦", '</p> >'],
    ['a.html', '  id="a¦">', '> "'],
    ['a.py', 'says¦"""', '"""'],
    ['a.rs', "fn f<'a>(¦", ')'],
    ['a.cpp', 'R"x(¦', ')x"'],
    ['a.cpp', '#include <¦', '>'],
    ['a.lua', 'a = [==[b]]¦', ']==]'],
    ['a.php', '<?= a¦', '?>'],
  ];
  for (const [path, text, open] of table) {
    test(`${path}: ${JSON.stringify(text)}`, () => {
      const [line = '', rest = ''] = text.split('¦');
      const found = lineState(line, rest, familyOf(path)).open.map((frame) => frame.close);
      assert.equal(found.join(' '), open);
    });
  }
});

test('a long line is scanned in linear time', () => {
  const pieces = ['(', ')', '[', '"', "'", '`', '{', '${', '/', '<a', '</a>', '<', '>', '/*', '//', '\\', '（', ']'];
  const long = pieces.flatMap((piece) =>
    [piece, ` ${piece}`, `${piece}a`, `(${piece}`].map((one) => one.repeat(20_000)),
  );
  for (const path of ['a.tsx', 'a.html', 'a.rs', 'a.sh']) {
    for (const text of long) {
      const spent = processorTime();
      scan(text, familyOf(path));
      const took = spent();
      assert.ok(took < 1_000, `${path}, ${text.slice(0, 8)}: ${took} ms`);
    }
  }
});
