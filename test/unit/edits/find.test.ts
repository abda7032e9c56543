import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { EditCandidate, SyntaxReading } from '../../../src/edits/candidate';
import { findEdits, type EditedText } from '../../../src/edits/find';
import { EditHistory } from '../../../src/edits/history';
import { SourceTree } from '../../../src/syntax/source';
import { processorTime } from '../../../lab/processorTime';

const trees: SourceTree[] = [];
after(() => trees.forEach((tree) => tree.close()));

const CODE: SyntaxReading = { scope: () => 'code' };

async function readingOf(path: string, text: string): Promise<SyntaxReading> {
  const tree = await SourceTree.open(path);
  if (!tree) return CODE;
  trees.push(tree);
  return tree.read(text) ? tree : CODE;
}

/**
 * What is found after an edit.
 * @param marked the text with `«old→new»` where it is edited
 */
async function found(path: string, marked: string, others: Record<string, string> = {}): Promise<EditCandidate[]> {
  const [, before = '', oldText = '', newText = '', behind = ''] =
    /^([^]*?)«([^→]*)→([^»]*)»([^]*)$/.exec(marked) ?? [];
  const history = new EditHistory();
  history.changed({ offset: before.length, removed: oldText, inserted: newText }, 0);
  const text = before + newText + behind;
  const documents: EditedText[] = [
    { uri: path, text, reading: await readingOf(path, text), recent: history.recent(text, 0) },
  ];
  for (const [uri, other] of Object.entries(others)) {
    documents.push({ uri, text: other, reading: await readingOf(uri, other), recent: [] });
  }
  return findEdits(documents);
}

/** As they are read: `line: old → new`, from 1. */
function shown(candidates: readonly EditCandidate[], texts: Record<string, string>): string[] {
  return candidates.map(({ uri, start, oldText, newText }) => {
    const line = (texts[uri] ?? '').slice(0, start).split('\n').length;
    return `${line}: ${oldText} → ${newText}`;
  });
}

describe('a renamed name that still stands in its scope', () => {
  const cases: [name: string, path: string, marked: string, edits: string[]][] = [
    [
      'a constant',
      'a.ts',
      'const «count→total» = 1;\nuse(count);\nconst x = count + 1;\n',
      ['2: count → total', '3: count → total'],
    ],
    [
      'not in an inner scope that declares it again',
      'a.ts',
      'let «n→m» = 1;\nf(n);\nfunction g(n) {\n  return n;\n}\n',
      ['2: n → m'],
    ],
    [
      'a parameter, in its function alone',
      'a.ts',
      'function f(«a1→size»: number) {\n  return a1;\n}\nconst q = a1;\n',
      ['2: a1 → size'],
    ],
    [
      'no property of the same name',
      'a.js',
      'const «name→label» = x.name;\nprint(name, y.name);\n',
      ['2: name → label'],
    ],
    [
      'not in strings and comments',
      'a.js',
      'const «name→label» = 1;\n// name\nlog("name", name);\n',
      ['3: name → label'],
    ],
    ['in a template, where it is code', 'a.js', 'const «name→label» = 1;\nlog(`name ${name}`);\n', ['2: name → label']],
    ['nothing where the old name is declared still', 'a.ts', 'let «ab→cd» = 1;\nvar ab = 2;\n', []],
    [
      'a variable of Python',
      'a.py',
      'def f():\n    «count→total» = 1\n    return count\n\ncount = 3\n',
      ['3: count → total'],
    ],
    [
      'a parameter of Python, not the argument of a call',
      'a.py',
      'def f(«size→width»=1):\n    g(size=size)\n',
      ['2: size → width'],
    ],
    [
      'an import of Python',
      'a.py',
      'from os import «path→sep»\nprint(path.join(path))\n',
      ['2: path → sep', '2: path → sep'],
    ],
    ['a function of Python', 'a.py', 'def «load→read»():\n    pass\n\nload()\nx.load()\n', ['4: load → read']],
    ['a type', 'a.ts', 'interface «Item→Entry» {}\nconst a: Item[] = [];\n', ['2: Item → Entry']],
  ];
  for (const [name, path, marked, edits] of cases) {
    it(name, async () => {
      const candidates = await found(path, marked);
      const text = marked.replace(/«[^→]*→([^»]*)»/, '$1');
      const renames = candidates.filter(({ kind }) => kind === 'rename');
      assert.deepEqual(shown(renames, { [path]: text }), edits);
    });
  }
});

describe('an edit that can be made again', () => {
  const cases: [name: string, path: string, marked: string, edits: string[]][] = [
    [
      'a call gets another argument',
      'a.ts',
      'open(file«→, options»);\nopen(file);\nclose(file);\n',
      ['2:  → , options', '3:  → , options'],
    ],
    ['a property has another name', 'a.ts', 'a.«width→size» = 1;\nb.width = 2;\n', ['2: width → size']],
    ['a word is put before a call', 'a.ts', 'const a = «→await »load();\nconst b = load();\n', ['2:  → await ']],
    ['something is taken away', 'a.ts', 'log«.debug→»("a");\nlog.debug("b");\n', ['2: .debug → ']],
    ['not where it was made already', 'a.ts', 'open(file«→, options»);\nopen(file, options);\n', []],
    ['no part of a longer name', 'a.go', 'x := «count→total»\ny := counter\n', []],
    ['not in a comment', 'a.ts', 'a.«width→size» = 1;\n// a.width = 2\n', []],
    [
      'in a comment if the edit was in one',
      'a.ts',
      '// the «width→size» of it\n// the width of it\n',
      ['2: width → size'],
    ],
    ['nothing without a word', 'a.ts', 'a«→;»\nb\n', []],
    ['nothing of several lines', 'a.ts', 'f(«a,\nb→c»);\nf(a,\nb);\n', []],
  ];
  for (const [name, path, marked, edits] of cases) {
    it(name, async () => {
      const candidates = await found(path, marked);
      const text = marked.replace(/«[^→]*→([^»]*)»/, '$1');
      assert.deepEqual(shown(candidates, { [path]: text }), edits);
    });
  }

  it('the likest comes first, then the nearest, then other files', async () => {
    const marked = 'send(user.«name→title»);\nprint(user.name);\nsend(user.name);\n';
    const other = 'send(user.name);\n';
    const text = marked.replace(/«[^→]*→([^»]*)»/, '$1');
    const candidates = await found('a.ts', marked, { 'b.ts': other });
    assert.deepEqual(
      candidates.map(({ uri }) => uri),
      ['a.ts', 'b.ts', 'a.ts'],
    );
    assert.deepEqual(shown(candidates, { 'a.ts': text, 'b.ts': other }), [
      '3: name → title',
      '1: name → title',
      '2: name → title',
    ]);
  });

  it('applied, every candidate gives the new text where the old one stood', async () => {
    const marked = 'send(user.«name→title»);\nprint(user.name, name);\nsend(user.name);\n';
    const text = marked.replace(/«[^→]*→([^»]*)»/, '$1');
    for (const { start, oldText } of await found('a.ts', marked)) {
      assert.equal(text.slice(start, start + oldText.length), oldText);
    }
  });

  it('a text of 20,000 lines full of the word costs little, and gives nothing', async () => {
    const marked = `a.«width→size» = 1;\n${'b.width = 2;\n'.repeat(20_000)}`;
    const spent = processorTime();
    assert.deepEqual(await found('a.go', marked), []);
    assert.ok(spent() < 1_000);
  });
});
