import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { trim } from '../../../src/completion/trim';

/** A document with `¦` at the cursor, a text, and the document once it is taken; undefined: it is not offered. */
type Row = readonly [path: string, document: string, text: string, taken: string | undefined];

function take(path: string, document: string, text: string): string | undefined {
  const [prefix = '', suffix = ''] = document.split('¦');
  const { text: kept, replaceSuffix } = trim(text, prefix, suffix, path);
  return kept === '' ? undefined : prefix + kept + suffix.slice(replaceSuffix);
}

function check(rows: readonly Row[]): void {
  for (const [path, document, text, taken] of rows) {
    test(`${path}: ${JSON.stringify(document)} + ${JSON.stringify(text)}`, () => {
      assert.equal(take(path, document, text), taken);
    });
  }
}

describe('as many closers are replaced as the text closes', () => {
  check([
    ['a.go', 'fmt.Println(len(count(open(t¦))))', 'rim(path)))', 'fmt.Println(len(count(open(trim(path)))))'],
    ['a.py', 'print(len(read_¦))', 'rows(path))', 'print(len(read_rows(path)))'],
    ['a.py', 'print(len(read_¦))', 'rows(path)))', 'print(len(read_rows(path)))'],
    ['a.py', 'print(len(read_¦))', 'rows(path)', 'print(len(read_rows(path)))'],
    ['a.ts', 'f(¦)', 'Object.keys(getAll())', 'f(Object.keys(getAll()))'],
    ['a.ts', 'f(¦)', 'Object.keys(getAll()))', 'f(Object.keys(getAll()))'],
    ['a.ts', 'f(g(¦))', 'a).b', 'f(g(a).b)'],
    ['a.ts', 'g(f(¦)', 'a))', 'g(f(a))'],
    ['a.ts', 'f([a, ¦])', 'b[0]])', 'f([a, b[0]])'],
    ['a.ts', 'f({ a: {¦}}', ' b: 1 }, c', 'f({ a: { b: 1 }, c}'],
    ['a.ts', 'x = `${f(¦)}`;', 'a)} b`;', 'x = `${f(a)} b`;'],
    ['a.py', 'x = f"{d[\'k¦\']}"', 'ey\']}"', 'x = f"{d[\'key\']}"'],
    ['a.sh', 'echo "${a¦}"', 'bc}"', 'echo "${abc}"'],
    ['a.kt', 'println("${a¦}")', '.b()}")', 'println("${a.b()}")'],
    ['a.rb', 'puts "#{a¦}"', '.b(1)}"', 'puts "#{a.b(1)}"'],
    ['a.swift', 'print("\\(a¦)")', '.b())")', 'print("\\(a.b())")'],
    // What closes nothing that is open here is not written.
    ['a.ts', 'f(a¦)', ', b]', 'f(a, b)'],
    ['a.ts', 'f([a¦', ', b)', 'f([a, b'],
    ['a.sh', '  a¦', ') echo b ;;', '  a) echo b ;;'],
    // Brackets in strings, comments and expressions close nothing.
    ['a.ts', 'f(¦)', '")", a)', 'f(")", a)'],
    ['a.ts', 'f(¦)', '/[)]/)', 'f(/[)]/)'],
    ['a.c', 'f(¦)', "')', a)", "f(')', a)"],
    ['a.ts', '// see (here¦)', ' and there)', '// see (here and there)'],
    ['a.ts', '"see (here¦)"', ' and there)"', '"see (here and there)"'],
    ['a.ts', '// 参照（ここ¦）', 'と（そこ））', '// 参照（ここと（そこ））'],
    ['a.md', '- 「¦」', 'はい」と', '- 「はい」と'],
  ]);
});

describe('blanks before a closer are passed over', () => {
  check([
    ['a.ts', 'useEffect(() => { lo¦ })', 'ad(); },', 'useEffect(() => { load(); },)'],
    ['a.ts', 'useEffect(() => { lo¦ })', 'ad();}, [])', 'useEffect(() => { load(); }, [])'],
    ['a.ts', 'const { ¦ } = props;', 'a, b } = props;', 'const { a, b } = props;'],
    ['a.ts', "import { ¦ } from './b';", "c, d } from './c';", "import { c, d } from './b';"],
    ['a.ts', "import { ¦ } from './b';", "c, d } from './b';", "import { c, d } from './b';"],
    ['a.sh', 'if [ -f "$a¦" ]; then', 'b" ]; then', 'if [ -f "$ab" ]; then'],
    ['a.rb', 'a.map { |x| x¦ }', '.to_s }', 'a.map { |x| x.to_s }'],
    ['a.rs', 'S { a: 1, ¦ }', 'b }', 'S { a: 1, b }'],
    ['a.ts', 'f(a¦ ) ;', ', b);', 'f(a, b ) ;'],
    ['a.ts', '/* a ¦ */', 'note */', '/* a note */'],
  ]);
});

describe('apostrophes that open no string, and what else only looks like a quote or a bracket', () => {
  check([
    ['a.rs', "pub fn third<'a>(te¦)", "xt: &'a str) -> &'a str {", "pub fn third<'a>(text: &'a str) -> &'a str {"],
    ['a.rs', "'outer: loop { f(¦) }", 'a); }', "'outer: loop { f(a); }"],
    ['a.rs', "f('(', ¦)", "')')", "f('(', ')')"],
    ['a.rs', 'f(r#"(¦"#)', 'a"b"#)', 'f(r#"(a"b"#)'],
    ['a.cpp', 'f(R"x(¦)x")', ')" a)x")', 'f(R"x()" a)x")'],
    ['a.cpp', "f(1'000, ¦)", "2'000)", "f(1'000, 2'000)"],
    ['a.hs', "f' (¦)", "g' x)", "f' (g' x)"],
    ['a.ml', "let f (x : 'a¦)", ' list) =', "let f (x : 'a list) ="],
    ['a.ts', "// it doesn't (¦)", 'matter)', "// it doesn't (matter)"],
    ['a.py', "# it doesn't (¦)", 'matter)', "# it doesn't (matter)"],
    ['a.md', "it doesn't (¦)", 'matter)', "it doesn't (matter)"],
    ['a.html', "<p>it doesn't¦</p>", ' matter</p>', "<p>it doesn't matter</p>"],
    ['a.tsx', "<p>it doesn't¦</p>", ' matter</p>', "<p>it doesn't matter</p>"],
    ['a.py', "f(b'a¦')", "c')", "f(b'ac')"],
    ['a.sql', "SELECT f('it''s¦')", " a')", "SELECT f('it''s a')"],
    ['a.lua', 'f([[(¦]])', 'a]])', 'f([[(a]])'],
    ['a.go', 'f(`\\¦`)', 'd)`)', 'f(`\\d)`)'],
    ['a.ps1', 'f("a`"¦")', 'b")', 'f("a`"b")'],
    ['a.sh', 'cat <<EOF > $(f ¦)', "a)\nit doesn't (\nEOF", "cat <<EOF > $(f a)\nit doesn't (\nEOF"],
    ['a.ts', 'const m: Map<string, ¦>', 'number>();', 'const m: Map<string, number>();'],
    ['a.ts', 'if (a > b && ¦)', 'c > d)', 'if (a > b && c > d)'],
    ['a.ts', 'f(a => ¦)', 'a > 1)', 'f(a => a > 1)'],
    ['a.cpp', 'std::vector<int¦> a;', '> a;', undefined],
    ['a.html', '<a class="na¦">', 'v" href="/two">Two</a>', '<a class="nav" href="/two">Two</a>'],
    ['a.html', '<a class="na¦">Two</a>', 'v">Two</a>', '<a class="nav">Two</a>'],
    ['a.html', '<a class="na¦">\n</a>', 'v">Two</a>', '<a class="nav">\n</a>'],
    ['a.html', '   class="na¦">', 'v" id="two">', '   class="nav" id="two">'],
    ['a.html', '<p><br><b>a¦</b></p>', ' < b</b> c</p>', '<p><br><b>a < b</b> c</p>'],
    ['a.vue', '<a :href="f(¦)">', 'a)">', '<a :href="f(a)">'],
    ['a.svelte', '<a href={f(¦)}>', 'a)}>', '<a href={f(a)}>'],
  ]);
});

describe('what is right of the cursor is passed over or replaced, and never lost', () => {
  check([
    ['a.html', '<p>Hello¦</p>', ' world</p>', '<p>Hello world</p>'],
    ['a.html', '<li><p>Hello¦</p></li>', ' world</p></li>', '<li><p>Hello world</p></li>'],
    ['a.tsx', '<Foo a={x¦} />', '.y} />', '<Foo a={x.y} />'],
    ['a.tsx', '<Foo a={x¦} />', '.y}>', '<Foo a={x.y} />'],
    ['a.tsx', '{a && <b>{c¦}</b>}', '.d}</b>}', '{a && <b>{c.d}</b>}'],
    ['a.tsx', 'return <p>{f(¦)}</p>;', 'a)}</p>;', 'return <p>{f(a)}</p>;'],
    ['a.c', '/* a¦ */', ' note */', '/* a note */'],
    ['a.c', ' * a¦ */', ' note (b) */', ' * a note (b) */'],
    ['a.html', '<!-- a¦ -->', ' note -->', '<!-- a note -->'],
    ['a.py', '    """Says ¦"""', 'it."""', '    """Says it."""'],
    ['a.py', '    says ¦"""', 'it."""', '    says it."""'],
    ['a.php', '<?= $x¦ ?>', '->name ?>', '<?= $x->name ?>'],
    ['a.html', '<%= x¦ %>', '.name %>', '<%= x.name %>'],
    ['a.ts', 'if (a¦) {', ' && b) {', 'if (a && b) {'],
    ['a.ts', 'if (a¦) {', ' && b) { return; }', 'if (a && b) {'],
    ['a.ts', 'f(a¦): void {', ', b: string): void {', 'f(a, b: string): void {'],
    ['a.ts', 'f(a¦): void {', ', b: string): string {', 'f(a, b: string): void {'],
    ['a.ts', 'xs.map((x¦) => {})', ', i) => {', 'xs.map((x, i) => {})'],
    ['a.ts', 'xs.map((x¦) => {})', ', i) => { f(i); })', 'xs.map((x, i) => { f(i); })'],
    ['a.py', 'def f(a¦) -> int:', ', b) -> int:', 'def f(a, b) -> int:'],
    ['a.ts', 'f(a¦); // note', ', b);', 'f(a, b); // note'],
    ['a.ts', 'f(a¦) // note', ', b);', 'f(a, b); // note'],
    ['a.ts', 'f(¦, b)', 'a)', 'f(a, b)'],
    ['a.ts', 'f(¦, b)', 'a, c', 'f(a, c, b)'],
    ['a.ts', 'f(¦a, c)', 'a, b, c)', 'f(a, b, c)'],
    ['a.ts', 'f(¦"a")', '"a", 3)', 'f("a", 3)'],
    ['a.ts', 'f(a¦) + g(b);', ', c);', 'f(a, c) + g(b);'],
    ['a.ts', 'f(a¦)\u0301', ', b)', 'f(a, b)\u0301'],
    ['a.ts', 'a[¦]', 'b.c', 'a[b.c]'],
    // The lines below close what the text would close in the middle of a line.
    ['a.ts', 'foo(\n  bar(¦)\n);\n', 'a, b));', 'foo(\n  bar(a, b)\n);\n'],
    ['a.ts', '  foo(¦\n    b,\n  );\n', 'a);', '  foo(a\n    b,\n  );\n'],
    ['a.ts', 'f() {\n  if (a) {¦\n}\n', ' return; }', 'f() {\n  if (a) { return; }\n}\n'],
  ]);
});

describe('words, escapes and characters of the user stay whole', () => {
  check([
    ['a.ts', 'return ¦status.ok', 'this', undefined],
    ['a.ts', 'return ¦status.ok', 'this.', 'return this.status.ok'],
    ['a.ts', 'return ¦status.ok', 'this.status.ok', 'return this.status.ok'],
    ['a.ts', 'return ¦status.ok', 'this.sta', 'return this.status.ok'],
    ['a.ts', 'tot¦al2', 'al.reduce((acc, idx) => {', undefined],
    ['a.ts', 'tot¦al2;', 'al2 + x', 'total2 + x;'],
    ['a.ts', 'x¦s', ' = a.rows', undefined],
    ['a.ts', 'a += ¦b;', 'b', undefined],
    ['a.py', 'größ¦e', 'e + ä', 'größe + ä'],
    ['a.md', '漢¦字', '語', '漢語字'],
    ['a.ts', '"a\\¦n"', 't', undefined],
    ['a.ts', '"a\\¦n"', 'n, b', '"a\\n, b"'],
    ['a.ts', '"a\\n¦b"', 'c ', '"a\\nc b"'],
    ['a.ts', "'👍¦🏽'", 'a', undefined],
  ]);
});

describe('what the line becomes is not the next line over again', () => {
  check([
    ['a.ts', "import { j¦\nimport { join } from 'node:path';\n", "oin } from 'node:path';", undefined],
    ['a.ts', "import { j¦ }\nimport { join } from 'node:path';\n", "oin } from 'node:path';", undefined],
    ['a.ts', '  re¦\n  return sum;\n', 'turn sum;', undefined],
    ['a.ts', '  re¦\n\n  return sum;\n', 'turn sum;', undefined],
    ['a.ts', '  re¦\n  return sum;\n}\n', 'turn sum;\n}', undefined],
    ['a.ts', '  re¦\n  return sum;\n}\n', 'turn sum;\n  // more', undefined],
    ['a.py', 'imp¦\nimport os\n', 'ort os', undefined],
    ['a.ts', '  if (a) re¦\n  return sum;\n', 'turn sum;', '  if (a) return sum;\n  return sum;\n'],
    [
      'a.ts',
      '  if (a) {\n    re¦\n  }\n  return sum;\n',
      'turn sum;',
      '  if (a) {\n    return sum;\n  }\n  return sum;\n',
    ],
  ]);
});

describe('a text begins as deep as the line above allows', () => {
  const yaml = 'services:\n    web:\n        image: web\n    db:\n';
  check([
    ['a.yaml', `${yaml}    image: db\n    ¦\n`, '    restart: always', `${yaml}    image: db\n    restart: always\n`],
    ['a.yml', 'a:\n  b: 1\n  ¦', '  c: 2\n    d: 3', 'a:\n  b: 1\n  c: 2\n  d: 3'],
    ['a.yaml', 'a:\n  b: 1\n¦', '    c: 2', 'a:\n  b: 1\n  c: 2'],
    ['a.yaml', 'a:\n  b:\n  ¦', '  c: 2', 'a:\n  b:\n    c: 2'],
    ['a.yaml', '- name: db\n  ¦', '    image: x', '- name: db\n  image: x'],
    ['a.yaml', '- name: db\n¦', '  image: x', '- name: db\n  image: x'],
    ['a.yaml', 'a: |\n  text\n  ¦', '  more', 'a: |\n  text\n    more'],
    ['a.yaml', 'a: &b\n¦', '  c: 1', 'a: &b\n  c: 1'],
    ['a.py', 'def f():\n    a = 1\n    ¦', '    b = 2\n        c = 3', 'def f():\n    a = 1\n    b = 2\n    c = 3'],
    ['a.py', 'def f():\n    # note\n    ¦', '    b = 2', 'def f():\n    # note\n        b = 2'],
    ['a.py', 'if a:\n¦', '    b = 2', 'if a:\n    b = 2'],
    ['a.py', 'f(\n    a,\n    ¦', '    b)', 'f(\n    a,\n        b)'],
    ['a.ts', '  a();\n  ¦', '  b();', '  a();\n  b();'],
    ['a.ts', '  a()\n  ¦', '  .b();', '  a()\n    .b();'],
    ['a.ts', 'case 1:\n  ¦', '  b();', 'case 1:\n    b();'],
  ]);
});

describe('usual places of many languages', () => {
  check([
    ['a.ts', 'const x = foo(¦);', 'bar, {\n  a: 1,\n});', 'const x = foo(bar, {\n  a: 1,\n});'],
    ['a.ts', 'foo(¦)', 'bar, {\n  a: 1,\n})', 'foo(bar, {\n  a: 1,\n})'],
    ['a.ts', 'foo({¦})', ' a: 1, b: 2 });', 'foo({ a: 1, b: 2 });'],
    ['a.ts', 'foo({ ¦ })', 'a: 1, b: 2 });', 'foo({ a: 1, b: 2 });'],
    ['a.ts', 'if (¦)', 'a === b) {', 'if (a === b) {'],
    ['a.ts', 'if (¦) {\n}\n', 'a === b) {\n  return;\n}', 'if (a === b) {\n}\n'],
    ['a.ts', 'for (let i = 0; ¦)', 'i < n; i++) {', 'for (let i = 0; i < n; i++) {'],
    ['a.ts', 'console.log(`¦`)', 'total: ${sum}`);', 'console.log(`total: ${sum}`);'],
    ['a.ts', 'console.log(`a ${¦}`)', 'sum} b`);', 'console.log(`a ${sum} b`);'],
    ['a.ts', 'const { a, ¦ } = props', 'b } = props', 'const { a, b } = props'],
    ['a.ts', 'const f = (¦) => a', 'x, y) => a', 'const f = (x, y) => a'],
    ['a.ts', 'const f = async (¦) => {\n}', 'x) => {\n  await x;\n}', 'const f = async (x) => {\n}'],
    ['a.ts', "import ¦ from 'a'", "x from 'a';", "import x from 'a';"],
    ['a.ts', "import ¦ from 'a'", "x, { y } from 'a'", "import x, { y } from 'a'"],
    ['a.ts', "import x from '¦'", "./a';", "import x from './a';"],
    ['a.ts', 'type A = Array<¦>', 'Map<string, number>>;', 'type A = Array<Map<string, number>>;'],
    ['a.ts', "describe('¦', () => {\n});", "adds', () => {", "describe('adds', () => {\n});"],
    ['a.ts', "it('¦')", "adds', () => {", "it('adds', () => {)"],
    ['a.ts', "a['¦']", "b'].c", "a['b'].c"],
    ['a.ts', 'x = a ? ¦ : c;', 'b : c;', 'x = a ? b : c;'],
    ['a.ts', 'x = a ? ¦ : c;', 'b', 'x = a ? b : c;'],
    ['a.ts', 'return [¦];', '...a, b];', 'return [...a, b];'],
    ['a.ts', 'a.¦b()', 'c().', 'a.c().b()'],
    ['a.ts', '  ¦}', 'return 1; }', '  return 1; }'],
    ['a.tsx', '<div className="¦">', 'a b">', '<div className="a b">'],
    ['a.tsx', '<div ¦>', 'className="a">', '<div className="a">'],
    ['a.tsx', '<div¦></div>', ' className="a">Hello</div>', '<div className="a">Hello</div>'],
    ['a.tsx', '<div>¦</div>', '\n  <p>a</p>\n</div>', '<div>\n  <p>a</p>\n</div>'],
    ['a.tsx', '<Foo onClick={() => ¦} />', 'go(1)} />', '<Foo onClick={() => go(1)} />'],
    ['a.tsx', '<Foo onClick={() => ¦} b={c} />', 'go(1)} d={e} />', '<Foo onClick={() => go(1)} b={c} />'],
    ['a.tsx', '{xs.map((x) => ¦)}', '<li key={x}>{x}</li>)}', '{xs.map((x) => <li key={x}>{x}</li>)}'],
    ['a.tsx', '{xs.map((x) => (¦))}', '<li>{x}</li>))}', '{xs.map((x) => (<li>{x}</li>))}'],
    ['a.html', '<a href="¦">x</a>', '/b">x</a>', '<a href="/b">x</a>'],
    ['a.html', '<img src="¦">', 'a.png" alt="b">', '<img src="a.png" alt="b">'],
    ['a.html', '<script src="¦"></script>', 'a.js"></script>', '<script src="a.js"></script>'],
    ['a.css', 'a { ¦ }', 'color: red; }', 'a { color: red; }'],
    ['a.css', 'a:hover::before { content: "¦"; }', 'x"; }', 'a:hover::before { content: "x"; }'],
    ['a.py', 'print(f"{x:¦}")', '>10}")', 'print(f"{x:>10}")'],
    ['a.py', "d = {'a': ¦}", "1, 'b': 2}", "d = {'a': 1, 'b': 2}"],
    ['a.py', 'x = [i for i in ¦]', 'range(10)]', 'x = [i for i in range(10)]'],
    ['a.py', 'def f(self, ¦):', 'x: int) -> str:', 'def f(self, x: int) -> str:'],
    ['a.py', '@app.route("¦")', '/a")\ndef a():', '@app.route("/a")\ndef a():'],
    ['a.py', '"""¦"""', 'Says hello."""', '"""Says hello."""'],
    ['a.rs', 'println!("{}", ¦);', 'x);', 'println!("{}", x);'],
    ['a.rs', "let x: Option<&'a ¦> = None;", 'str> = None;', "let x: Option<&'a str> = None;"],
    ['a.rs', 'match x { Some(¦) => y }', 'z) => y }', 'match x { Some(z) => y }'],
    ['a.rs', 'v.iter().map(|x| ¦)', 'x + 1).collect();', 'v.iter().map(|x| x + 1).collect();'],
    ['a.go', 'if err := f(¦); err != nil {', 'x); err != nil {', 'if err := f(x); err != nil {'],
    ['a.go', 'm := map[string]int{¦}', '"a": 1}', 'm := map[string]int{"a": 1}'],
    ['a.c', 'printf("%d\\n", ¦);', 'x);', 'printf("%d\\n", x);'],
    ['a.c', '#include <¦>', 'stdio.h>', '#include <stdio.h>'],
    ['a.cpp', 'std::vector<¦> v;', 'int> v;', 'std::vector<int> v;'],
    ['a.sh', 'for f in "$(ls ¦)"; do', '*.txt)"; do', 'for f in "$(ls *.txt)"; do'],
    ['a.sh', '[[ "$a" == ¦ ]]', '"b" ]] && echo c', '[[ "$a" == "b" ]] && echo c'],
    ['a.sql', 'SELECT * FROM a WHERE b IN (¦);', 'SELECT c FROM d);', 'SELECT * FROM a WHERE b IN (SELECT c FROM d);'],
    ['a.sql', "INSERT INTO a (b) VALUES ('¦');", "c');", "INSERT INTO a (b) VALUES ('c');"],
    ['a.json', '{"a": [¦]}', '1, 2]}', '{"a": [1, 2]}'],
    ['a.json', '{"a": "¦"}', 'b", "c": "d"}', '{"a": "b", "c": "d"}'],
    ['a.yaml', 'a: [¦]', 'b, c]', 'a: [b, c]'],
    ['a.yaml', "a: '¦'", "it''s'", "a: 'it''s'"],
    ['a.md', '[a](¦)', 'b.md) and', '[a](b.md) and'],
    ['a.md', '`¦`', 'code` and', '`code` and'],
    ['a.tex', '\\frac{a}{¦}', 'b} + c', '\\frac{a}{b} + c'],
    ['a.tex', '\\begin{¦}', 'itemize}', '\\begin{itemize}'],
    ['a.clj', '(defn f [¦])', 'x] (inc x))', '(defn f [x] (inc x))'],
    ['a.kt', 'val x = listOf<¦>()', 'String>()', 'val x = listOf<String>()'],
    ['a.java', '@Test(expected = ¦)', 'A.class)', '@Test(expected = A.class)'],
    ['a.cs', 'var x = $"{¦}";', 'a} b";', 'var x = $"{a} b";'],
    ['a.php', "$x['¦']", "a'] = 1;", "$x['a'] = 1;"],
    ['a.rb', 'x = [¦]', '1, 2].map { |a| a }', 'x = [1, 2].map { |a| a }'],
    ['a.lua', 'print("¦")', 'a" .. b)', 'print("a" .. b)'],
    ['a.ps1', 'Write-Host "$(¦)"', '$a.b)"', 'Write-Host "$($a.b)"'],
    ['a.swift', 'func f(¦) -> Int {', 'x: Int) -> Int {', 'func f(x: Int) -> Int {'],
    ['a.vue', '<p :class="{ ¦ }">', 'a: b }">', '<p :class="{ a: b }">'],
    ['a.svelte', '{#each xs as x}¦{/each}', '<li>{x}</li>{/each}', '{#each xs as x}<li>{x}</li>{/each}'],
  ]);
});
