import assert from 'node:assert/strict';
import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bootstrap } from '../../src/cli/evaluation/bootstrap';
import { chooseItems, meaningfulColumns, spanOf, type Item } from '../../src/cli/evaluation/items';
import { editSimilarity, exactMatch, identifierF1, identifiersOf } from '../../src/cli/evaluation/metrics';
import type { Measured } from '../../src/cli/evaluation/measure';
import { readRepository, type Repository } from '../../src/cli/evaluation/repository';
import { markdown, summarise } from '../../src/cli/evaluation/summary';
import { stepWays } from '../../src/cli/evaluation/ways';
import { randomFrom } from '../../src/model/random';

describe('the measures of CrossCodeEval', () => {
  it('match exactly but for white space at the ends of lines', () => {
    assert.ok(exactMatch(' a(b);\n  c;', 'a(b); \nc;'));
    assert.ok(!exactMatch('a( b)', 'a(b)'));
    assert.ok(!exactMatch('', 'x'));
  });

  it('similarity of edits', () => {
    for (const [a, b, wanted] of [
      ['', '', 1],
      ['abc', 'abc', 1],
      ['abc', '', 0],
      ['abcd', 'abxd', 6 / 8],
      ['kitten', 'sitting', 8 / 13],
      ['  x', 'x  ', 1],
    ] as const) {
      assert.ok(Math.abs(editSimilarity(a, b) - wanted) < 1e-12, `${a} ${b}`);
      assert.equal(editSimilarity(a, b), editSimilarity(b, a));
    }
  });

  it('identifiers outside strings, comments and keywords', () => {
    assert.deepEqual(identifiersOf('const size = await read("path", it); // old'), ['size', 'read', 'it']);
    assert.equal(identifierF1('foo(bar)', 'foo(baz)'), 0.5);
    assert.equal(identifierF1(')', ');'), undefined);
    assert.equal(identifierF1('', 'name'), 0);
  });
});

describe('bootstrap intervals', () => {
  it('hold the mean, widen with the spread between clusters, and are the same every time', () => {
    const parts = (values: readonly number[]) =>
      values.map((value, i) => ({ cluster: `r${i % 10}`, value: value + (i % 10), weight: 1 }));
    const narrow = bootstrap(parts(Array<number>(100).fill(0)).map((part) => ({ ...part, value: 1 })));
    assert.deepEqual(narrow, { mean: 1, low: 1, high: 1 });
    const wide = bootstrap(parts(Array<number>(100).fill(0)));
    assert.ok(wide && wide.low < 4.5 && wide.high > 4.5 && Math.abs(wide.mean - 4.5) < 1e-12);
    // The standard error of the mean of 0 … 9 is 0.91; 95 % are about ±1.8.
    assert.ok(wide.high - wide.low > 2.5 && wide.high - wide.low < 4.5);
    assert.deepEqual(wide, bootstrap(parts(Array<number>(100).fill(0))));
    assert.equal(bootstrap([]), undefined);
  });
});

const source = (name: string) =>
  Array.from(
    { length: 60 },
    (_, i) => `export const ${name}${i} = make${i}(${name}, ${i}).then((x) => x.value${i});`,
  ).join('\n');

function repository(name: string): Repository {
  const files = ['a', 'b', 'c'].map((path) => ({ path: `src/${path}.ts`, text: source(`${name}${path}`) }));
  return { name, files: [...files, { path: 'src/copy.ts', text: `${files[0]?.text.replaceAll('\n', '\n\n')}` }] };
}

describe('the items', () => {
  const repositories = ['one', 'two', 'three'].map(repository);
  const whole = ({ request, target }: Item) => request.prefix + target + request.suffix;

  it('are cut out of a file, which is whole again with the target in its place', () => {
    const items = chooseItems(repositories, 100, randomFrom(3));
    assert.ok(items.length >= 60, String(items.length));
    for (const item of items) {
      const files = repositories.find(({ name }) => name === item.repository)?.files ?? [];
      assert.equal(whole(item), files.find(({ path }) => path === item.request.path)?.text);
      assert.notEqual(item.target.trim(), '');
      const lines = item.target.split('\n').length;
      assert.ok(item.kind === 'block' ? lines >= 2 && lines <= 5 : lines === 1);
      if (item.kind !== 'tail') assert.equal(item.request.prefix.split('\n').at(-1)?.trim(), '');
    }
    assert.deepEqual(new Set(items.map(({ kind }) => kind)), new Set(['tail', 'line', 'block']));
    assert.deepEqual(new Set(items.map(({ repository: name }) => name)).size, 3);
  });

  it('are the same for the same seed, others for another', () => {
    const targets = (seed: number) => chooseItems(repositories, 30, randomFrom(seed)).map(whole).join() + seed * 0;
    const cuts = (seed: number) => chooseItems(repositories, 30, randomFrom(seed)).map(({ target }) => target);
    assert.equal(targets(1), targets(1));
    assert.deepEqual(cuts(1), cuts(1));
    assert.notDeepEqual(cuts(1), cuts(2));
  });

  it('have no copy of their own file among the related ones', () => {
    const twins = ['src/a.ts', 'src/copy.ts'];
    for (const { request } of chooseItems(repositories, 100, randomFrom(5))) {
      const related = request.related.map(({ path }) => path);
      assert.ok(related.length >= 2 && !related.includes(request.path));
      if (twins.includes(request.path)) assert.ok(!related.some((path) => twins.includes(path)));
    }
  });

  it('begin where the table says', () => {
    const text = '  const a = read(b.c, d => e);';
    assert.deepEqual(
      meaningfulColumns(text).map((at) => text.slice(at)),
      ['a = read(b.c, d => e);', 'read(b.c, d => e);', 'b.c, d => e);', 'c, d => e);', 'd => e);', 'e);'],
    );
    const zero = () => 0;
    assert.deepEqual(spanOf([text], 0, 'line', 'syntax', zero), { column: 2, lines: 1 });
    assert.equal(spanOf(['});'], 0, 'tail', 'random', zero), undefined);
    assert.equal(spanOf(['a();', '', 'b();'], 0, 'block', 'syntax', zero), undefined);
    assert.deepEqual(spanOf(['a();', ' b();', 'c();'], 0, 'block', 'syntax', zero), { column: 0, lines: 2 });
  });
});

describe('a repository', () => {
  it('is its hand-written sources: nothing foreign, generated, tiny or linked', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'thoughtline-'));
    for (const path of ['src', 'node_modules/x', 'dist', '.git']) await mkdir(join(folder, path), { recursive: true });
    const text = source('name');
    for (const path of [
      'src/a.ts',
      'src/types.d.ts',
      'src/x.min.js',
      'node_modules/x/b.ts',
      'dist/c.js',
      '.git/d.ts',
    ]) {
      await writeFile(join(folder, path), text);
    }
    await writeFile(join(folder, 'src/small.ts'), 'const a = 1;\n');
    await writeFile(join(folder, 'src/long.ts'), `const a = '${'x'.repeat(2000)}';\n${text}`);
    await writeFile(join(folder, 'src/windows.ts'), text.replaceAll('\n', '\r\n'));
    await symlink(folder, join(folder, 'src/loop'));
    const { files } = await readRepository(folder);
    assert.deepEqual(
      files.map(({ path }) => path),
      ['src/a.ts', 'src/windows.ts'],
    );
    assert.equal(files[1]?.text, text);
    await assert.rejects(readRepository(join(folder, '.git', 'nothing')), /no such folder/);
    await mkdir(join(folder, 'empty'));
    await assert.rejects(readRepository(join(folder, 'empty')), /empty: no source file of 400 to 200000 bytes/);
  });
});

describe('the summary', () => {
  const outcome = (nats: number, exact: boolean) => ({
    nats,
    exact,
    similarity: Number(exact),
    f1: 1,
    milliseconds: 5,
  });
  const measured: Measured[] = Array.from({ length: 40 }, (_, i) => ({
    repository: `r${i % 5}`,
    path: i % 2 ? 'a.ts' : 'b.tsx',
    kind: (['tail', 'line', 'block'] as const)[i % 3] as 'tail',
    place: 'random',
    bytes: 10,
    coverage: 0.5,
    outcomes: {
      'closing bracket': { exact: false, similarity: 0 },
      workspace: outcome(9 + i / 10, false),
      'T=4': outcome(8 + i / 10, i % 3 === 0),
      'T=0': outcome(10 + i / 10, false),
    },
  }));

  const ways = stepWays([0, 4]);
  const references = { prior: 'T=0', usual: 'T=4' };

  it('has a row for each way, in order, and differences on the same items', () => {
    const { rows, quartiles, languages, repositories } = summarise(measured, ways, references);
    assert.equal(repositories, 5);
    assert.deepEqual(
      rows.map(({ way }) => way),
      ['T=0', 'T=4', 'workspace', 'closing bracket'],
    );
    const four = rows[1];
    assert.ok(Math.abs((four?.minusPrior?.mean ?? 0) + 2 / 10 / Math.LN2) < 1e-9);
    assert.equal(four?.exactTail?.mean, 1);
    assert.equal(four?.exactLine?.mean, 0);
    assert.equal(rows[3]?.bitsPerByte, undefined);
    assert.equal(
      quartiles.reduce((sum, { items }) => sum + items, 0),
      40,
    );
    const levels = quartiles.map(({ prior }) => prior?.mean ?? 0);
    assert.deepEqual(
      levels,
      levels.toSorted((a, b) => a - b),
    );
    assert.deepEqual(
      languages.map(({ name }) => name),
      ['.ts', '.tsx'],
    );
  });

  it('reads as a table', () => {
    const text = markdown(summarise(measured, ways, references));
    assert.match(text, /^40 items, 5 repositories; the thought rests on 50\.0 %/);
    assert.match(text, /\| T=4 \| 1\.\d+ \| −0\.289 \(−0\.289 to −0\.289\) \| 100\.0 \(100\.0–100\.0\)/);
    assert.match(text, /\| closing bracket \| – \| – \|/);
    assert.match(markdown(summarise(measured.slice(0, 1), ways, references)), /1 repository;.*\n.*\n.*by file/);
  });
});
