import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onlyCloses } from '../../../src/syntax/lineRest';
import { processorTime } from '../../../lab/processorTime';

test('what is right of the cursor only closes what stands before it', () => {
  const table: [path: string, text: string, expected: boolean][] = [
    ['a.ts', 'a¦', true],
    ['a.ts', 'f(¦)', true],
    ['a.ts', 'f(["¦"]);', true],
    ['a.ts', 'f(¦) {', true],
    ['a.ts', 'function f(a¦): void {', true],
    ['a.ts', 'function f(a¦): Map<string, number[]> {', true],
    ['a.ts', 'xs.map((x¦) => {})', true],
    ['a.ts', 'xs.map(x¦ => {})', true],
    ['a.ts', 'if (a¦) { // the first', true],
    ['a.ts', 'f(a¦); // note', true],
    ['a.ts', 'f(a¦) /* note */', true],
    ['a.ts', 'f({ a: {¦}}', true],
    ['a.ts', 'const a = `x${y¦}`;', true],
    ['a.ts', '} ¦} else {', true],
    ['a.ts', 'f(¦a)', false],
    ['a.ts', 'f(a¦) + b(c)', false],
    ['a.ts', 'f(a¦).then(b)', false],
    ['a.ts', 'a = ¦b ? c : d', false],
    ['a.ts', 'f(a¦, "b")', false],
    ['a.ts', '¦name', false],
    ['a.ts', '/** says ¦ */', true],
    ['a.ts', ' * says ¦ */', true],
    ['a.tsx', '<Foo a={x¦} />', true],
    ['a.tsx', '<Foo a={x¦} b={y} />', false],
    ['a.tsx', '<p className="¦">', true],
    ['a.tsx', '<div><p>Hello¦</p></div>', true],
    ['a.jsx', '{a && <b>{c¦}</b>}', true],
    ['a.jsx', '<></¦>', true],
    ['a.html', '<p>Hello¦</p>', true],
    ['a.html', '<p>Hello¦</p><p>', false],
    ['a.html', '<a href="¦">two</a>', false],
    ['a.html', '<!-- note¦ -->', true],
    ['a.vue', '<p>{{ name¦ }}</p>', true],
    ['a.svelte', '{#if a¦}', true],
    ['a.php', '<?= $x¦ ?>', true],
    ['a.css', 'a { color: r¦; }', true],
    ['a.css', '/* note¦ */', true],
    ['a.py', 'def f(a¦) -> int:', true],
    ['a.py', 'def f(a¦): # note', true],
    ['a.py', 'print(f"{a¦}")', true],
    ['a.py', '    """Says¦"""', true],
    ['a.py', '    says¦"""', true],
    ['a.py', '[a for¦ in b]', false],
    ['a.rs', 'fn f(a: &¦) -> Option<u8> {', true],
    ['a.rs', 'let v: Vec<¦>', true],
    ['a.rs', 'let s = r#"a¦"#;', true],
    ['a.go', 'func f(a¦) error {', true],
    ['a.java', 'void f(a¦) throws IOException {', true],
    ['a.sh', 'if [ "$a¦" ]; then', true],
    ['a.sh', 'for a in $(ls¦); do', true],
    ['a.lua', 'local a = [[b¦]]', true],
    ['a.md', '(see 「ここ¦」)', true],
    ['a.ts', '// 参照（ここ¦）', true],
    ['a.unknown', 'f(a¦);', true],
  ];
  for (const [path, text, expected] of table) {
    const [line = '', rest = ''] = text.split('¦');
    assert.equal(onlyCloses(line, rest, path), expected, `${path}: ${text}`);
  }
});

test('a line of a million characters costs no more than a moment', () => {
  const spent = processorTime();
  assert.equal(onlyCloses('('.repeat(1e6), ')'.repeat(1e6), 'a.ts'), true);
  assert.equal(onlyCloses('f(', `${'{ '.repeat(5e5)}x`, 'a.ts'), false);
  assert.ok(spent() < 1_000);
});
