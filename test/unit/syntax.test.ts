import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { scannedLanguages, scopeAtEnd, type Scope } from '../../src/server/syntax';

type Row = [languageId: string, prefix: string, scope: Scope | undefined];

describe('where a cursor stands', () => {
  const table: Row[] = [
    ['typescript', '', 'code'],
    ['typescript', 'const a = 1; // why', 'comment'],
    ['typescript', '// why\n', 'code'],
    ['typescript', '/** why\n * so', 'comment'],
    ['typescript', '/** why */ ', 'code'],
    ['typescript', "import a from './", 'string'],
    ['typescript', "import a from './a';", 'code'],
    ['typescript', "const a = 'it\\'s ", 'string'],
    ['typescript', "const a = 'not closed\nconst b = ", 'code'],
    ['typescript', 'const a = "// none";', 'code'],
    ['typescript', 'const a = `one\ntwo', 'string'],
    ['typescript', 'const a = `one ${', 'code'],
    ['typescript', 'const a = `one ${b({ c: 1 })} two', 'string'],
    ['typescript', 'const a = `one ${`in ${x', 'code'],
    ['typescript', 'const a = `one ${`in ${x}`} two`; ', 'code'],
    ['typescript', 'const a = `one ${x /* `', 'comment'],
    ['typescript', 'const a = /"/; ', 'code'],
    ['typescript', 'const a = /[/"]\\//g; ', 'code'],
    ['typescript', "return /'/.test(", 'code'],
    ['typescript', 'const a = b / c; const d = "e', 'string'],
    ['typescript', 'const a = f(x) / 2; // half "', 'comment'],
    ['typescript', 'const a = b // c', 'comment'],
    ['typescriptreact', "<p>don't</p>\nconst a = ", 'code'],
    ['javascript', '#!/usr/bin/env node', 'comment'],
    ['json', '{ "a": "', 'string'],
    ['python', 'a = 1  # why', 'comment'],
    ['python', 'def f():\n    """Says\n    what', 'string'],
    ['python', 'def f():\n    """Says what"""\n    ', 'code'],
    ['python', "a = f'{b}", 'string'],
    ['python', "a = '''it's # no", 'string'],
    ['rust', "fn f<'a>(x: &'a str) { ", 'code'],
    ['rust', "let c = '\"'; ", 'code'],
    ['rust', 'let s = r#"a " b', 'string'],
    ['rust', 'let s = r#"a " b"#; ', 'code'],
    ['rust', '/* a /* b */ c', 'comment'],
    ['go', 'a := `one\n', 'string'],
    ['go', 'a := `one\\`; ', 'code'],
    ['c', '/* a /* b */ ', 'code'],
    ['cpp', "int a = 1'000; ", 'code'],
    ['cpp', 'auto s = R"x(a )" b', 'string'],
    ['cpp', 'auto s = R"x(a )" b)x"; ', 'code'],
    ['csharp', 'var s = @"a\\"; ', 'code'],
    ['csharp', 'var s = @"a ""b', 'string'],
    ['java', 'var s = """\n  "a', 'string'],
    ['shellscript', "echo 'a\nb", 'string'],
    ['shellscript', 'echo $# ', 'code'],
    ['shellscript', 'echo "${a#b}" ', 'code'],
    ['shellscript', 'echo a # b', 'comment'],
    ['yaml', "a: it's # why", 'comment'],
    ['yaml', "a: 'it", 'string'],
    ['sql', "select 'it''s", 'string'],
    ['sql', 'select 1 -- one', 'comment'],
    ['lua', '--[[ a\nb', 'comment'],
    ['lua', '-- a\nx = ', 'code'],
    ['ruby', 'a = "b#{c}" # d', 'comment'],
    ['ocaml', '(* a (* b *) ', 'comment'],
    ['ocaml', "let f (x : 'a) = '\"' ", 'code'],
    ['html', '<!-- a', 'comment'],
    ['html', "<p>it's ", 'code'],
    ['latex', '50\\% of ', 'code'],
    ['latex', 'text % why', 'comment'],
    ['vb', "Dim a ' why", 'comment'],
    ['brainfuck', '// a', undefined],
    ['constructor', '// a', undefined],
  ];
  for (const [languageId, prefix, scope] of table) {
    test(`${languageId}: ${JSON.stringify(prefix)}`, () => assert.equal(scopeAtEnd(prefix, languageId), scope));
  }
});

test('every language reads any text to its end', () => {
  const nasty = `'"\`/*{-<#(*--[[#=<!--\\$\${R"x(@"r#"'''"""\n)x"]]-->=#*/`.repeat(20);
  for (const languageId of scannedLanguages) {
    for (let end = 0; end < nasty.length; end += 7) assert.ok(scopeAtEnd(nasty.slice(0, end), languageId), languageId);
  }
});

test('real files end in code, at every line that begins a statement', () => {
  const root = join(__dirname, '../fixtures/frozen');
  for (const name of ['src/server/syntax.ts', 'src/completion/trim.ts', 'src/extension/thoughtView.ts']) {
    const text = readFileSync(join(root, name), 'utf8');
    assert.equal(scopeAtEnd(text, 'typescript'), 'code', name);
    for (const { index, 0: line } of text.matchAll(/^(?:export|import|const|function|class|interface) .*$/gm)) {
      assert.equal(scopeAtEnd(text.slice(0, index), 'typescript'), 'code', `${name}: ${line}`);
    }
    for (const { index, 0: line } of text.matchAll(/^ *(?:\/\/|\*) .*$/gm)) {
      assert.equal(scopeAtEnd(text.slice(0, index + line.length), 'typescript'), 'comment', `${name}: ${line}`);
    }
  }
});

test('a file of a megabyte is read at once', (t) => {
  const text = readFileSync(join(__dirname, '../fixtures/frozen/src/server/syntax.ts'), 'utf8')
    .repeat(100)
    .slice(0, 1 << 20);
  const start = performance.now();
  scopeAtEnd(text, 'typescript');
  const took = performance.now() - start;
  t.diagnostic(`${took.toFixed(0)} ms`);
  assert.ok(took < 1500, `${took.toFixed(0)} ms`);
});
