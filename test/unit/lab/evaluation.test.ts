import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withSection, writeIntoCard } from '../../../lab/evaluation/card';
import { bootstrap } from '../../../lab/evaluation/bootstrap';
import { chooseSites, isCopy, spansOf, type Item } from '../../../lab/evaluation/items';
import { editSimilarity, exactMatch, identifierF1, identifiersOf } from '../../../lab/evaluation/metrics';
import type { Measured } from '../../../lab/evaluation/measure';
import { chooseMiddles, middleOf } from '../../../lab/evaluation/middles';
import { picture } from '../../../lab/evaluation/picture';
import { beginsStatement, constructAt, meaningfulColumns } from '../../../lab/evaluation/places';
import { readRepository, type Repository } from '../../../lab/evaluation/repository';
import { summarise } from '../../../lab/evaluation/summary';
import { markdown } from '../../../lab/evaluation/table';
import { choosePassages, summariseTyping, sureVariants, typeText } from '../../../lab/evaluation/typing';
import { stepVariants } from '../../../lab/evaluation/variants';
import { verifiedPath } from '../../../src/model/checksum';
import type { BundleFile } from '../../../src/model/manifest';
import { randomFrom } from '../../../src/model/random';

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
    { length: 30 },
    (_, i) =>
      `export function ${name}${i}(value: Make${i}) {\n  const read = ${name}Make(value, ${i});\n  return read.then((x) => x.${name}${i});\n}\n`,
  ).join('\n');

function repository(name: string): Repository {
  const files = ['a', 'b', 'c', 'd', 'e', 'f'].map((path) => ({
    path: `src/${path}.ts`,
    text: source(`${name}${path}`),
  }));
  return { name, files: [...files, { path: 'src/copy.ts', text: `${files[0]?.text.replaceAll('\n', '\n\n')}` }] };
}

describe('the items', () => {
  const repositories = ['one', 'two', 'three'].map(repository);
  const whole = ({ request, target }: Item) => request.prefix + target + request.suffix;
  const itemsOf = (count: number, seed: number) =>
    chooseSites(repositories, count, randomFrom(seed)).flatMap((site) => site.items.map((item) => ({ ...item, site })));

  it('are cut out of a file, which is whole again with the target in its place', () => {
    const items = itemsOf(60, 3);
    assert.equal(items.length, 60);
    for (const item of items) {
      const files = repositories.find(({ name }) => name === item.repository)?.files ?? [];
      assert.equal(whole(item), files.find(({ path }) => path === item.request.path)?.text);
      assert.notEqual(item.target.trim(), '');
      const lines = item.target.split('\n').length;
      assert.ok(item.kind === 'block' ? lines >= 2 && lines <= 5 : lines === 1);
      if (item.kind !== 'tail') assert.equal(item.request.prefix.split('\n').at(-1)?.trim(), '');
    }
    const sorts = new Map<string, number>();
    for (const { kind, place } of items) sorts.set(`${kind} ${place}`, (sorts.get(`${kind} ${place}`) ?? 0) + 1);
    assert.equal(sorts.size, 6);
    for (const [sort, count] of sorts) assert.ok(count >= 6, `${count} of ${sort}`);
    assert.deepEqual(new Set(items.map(({ repository: name }) => name)).size, 3);
  });

  it('of a site lie in its block: the thought that serves them all has seen none of the targets', () => {
    for (const { request, target, site } of itemsOf(60, 4)) {
      const { prefix, suffix } = site.request;
      assert.ok(request.prefix.startsWith(prefix) && request.suffix.endsWith(suffix));
      const block = whole({ ...site.items[2] } as Item).slice(prefix.length, -suffix.length || undefined);
      assert.ok(block.includes(target));
    }
  });

  it('are the same for the same seed, others for another', () => {
    const targets = (seed: number) => itemsOf(30, seed).map(({ target }) => target);
    assert.deepEqual(targets(1), targets(1));
    assert.notDeepEqual(targets(1), targets(2));
  });

  it('have no copy of their own file among the related ones', () => {
    const twins = ['src/a.ts', 'src/copy.ts'];
    for (const { request } of itemsOf(90, 5)) {
      const related = request.related.map(({ path }) => path);
      assert.ok(related.length >= 4 && !related.includes(request.path));
      if (twins.includes(request.path)) assert.ok(!related.some((path) => twins.includes(path)));
    }
  });

  it('know a copy by most of its lines', () => {
    const text = source('a');
    assert.ok(isCopy(text, text.replaceAll(' ', '  ')));
    assert.ok(isCopy(text, `import x from 'y';\n${text.replaceAll('value, 1', 'value, 7')}`));
    assert.ok(isCopy(text, text.replaceAll('\n', ' ')));
    assert.ok(!isCopy(text, source('b')));
    assert.ok(!isCopy(text, text.slice(0, text.length / 3)));
  });

  it('begin where the table says', () => {
    const text = '  const a = read(b.c, d => e);';
    assert.deepEqual(
      meaningfulColumns(text).map((at) => text.slice(at)),
      ['a = read(b.c, d => e);', 'read(b.c, d => e);', 'b.c, d => e);', 'c, d => e);', 'd => e);', 'e);'],
    );
    for (const [lines, count] of [
      [['if (a) {', '  b();', '}', 'c();'], 3],
      [['if (a) {', '  b();', '} else {', '  c();', '}'], undefined],
      [['def f():', '    return 1', '', 'x = 2'], 2],
      [['def f():', '    a = 1', '', '    return a'], undefined],
      [['  call(', '    a,', '    b,', '  );'], 4],
      [['a();', 'b();'], undefined],
      [['{', ' 1', ' 2', ' 3', ' 4', '}'], undefined],
      [['fn f() {', '    1', '}'], 3],
    ] as const) {
      assert.equal(constructAt(lines, 0), count, lines.join('|'));
    }
    const lines = ['const a = b', '  .then(c)', 'call(', '  d,', '  e + f', ');', 'x =', '  g;'];
    assert.deepEqual(
      lines.filter((_, i) => beginsStatement(lines, i)),
      ['const a = b', 'call(', '  d,', '  e + f', 'x ='],
    );
    const zero = () => 0;
    assert.equal(spansOf(['a();', '', 'b();'], 0, 'random', zero), undefined);
    assert.equal(spansOf(['});', 'abc.def();'], 0, 'random', zero), undefined);
    assert.deepEqual(spansOf(['  if (abc) {', '    run(abc);', '  }'], 0, 'syntax', zero), [
      { kind: 'tail', line: 0, column: 5, lines: 1 },
      { kind: 'line', line: 0, column: 2, lines: 1 },
      { kind: 'block', line: 0, column: 2, lines: 3 },
    ]);
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

  const variants = stepVariants([0, 4]);
  const references = { prior: 'T=0', defaultSteps: 'T=4' };

  it('has a row for each way, in order, and differences on the same items', () => {
    const { rows, contrasts, quartiles, languages, repositories } = summarise(measured, variants, references);
    assert.equal(repositories, 5);
    assert.deepEqual(
      rows.map(({ variant }) => variant),
      ['T=0', 'T=4', 'workspace', 'closing bracket'],
    );
    const four = rows[1];
    assert.ok(Math.abs((four?.minusPrior?.mean ?? 0) + 2 / 10 / Math.LN2) < 1e-9);
    assert.equal(four?.exactTail?.mean, 1);
    assert.equal(four?.exactLine?.mean, 0);
    assert.equal(rows[3]?.bitsPerByte, undefined);
    assert.deepEqual(
      contrasts.map(({ variant, against }) => [variant, against]),
      [
        ['T=4', 'T=0'],
        ['T=4', 'workspace'],
      ],
    );
    // Two nats less than 10 … 13.9 in the mean 11.95.
    assert.ok(Math.abs((contrasts[0]?.nll?.mean ?? 0) + 2 / 11.95) < 1e-9);
    assert.equal(contrasts[0]?.exactTail?.mean, 1);
    assert.deepEqual(
      four?.kinds.map(({ kind, place, items, exact }) => [kind, place, items, exact?.mean]),
      [
        ['tail', 'random', 14, 1],
        ['line', 'random', 13, 0],
        ['block', 'random', 13, 0],
      ],
    );
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
    const text = markdown(summarise(measured, variants, references));
    assert.match(text, /^40 texts, 5 repositories; the thought rests on 50\.0 %/);
    assert.match(text, /\| T=4 \| 1\.\d+ \| −0\.289 \(−0\.289 to −0\.289\) \| 100\.0 \(100\.0–100\.0\)/);
    assert.match(text, /\| closing bracket \| – \| – \|/);
    assert.match(text, /\| T=4 against T=0 \| 40 \| −16\.7 \(/);
    assert.match(text, /\| line suffix, random place \| 14 \| 0\.0, 0\.0, 100\.0 \| 100\.0, 100\.0, 100\.0 \|/);
    assert.match(markdown(summarise(measured.slice(0, 1), variants, references)), /1 repository;.*\n.*\n.*by file/);
  });

  it('is drawn: a point for each number of steps, a level line for each control, intervals', () => {
    const drawn = picture(summarise(measured, variants, references));
    assert.match(drawn, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    assert.equal(drawn.match(/<svg /g)?.length, drawn.match(/<\/svg>/g)?.length);
    assert.match(drawn, /<title>the file&#39;s thought, step 4: -16\.736<\/title>/);
    assert.match(drawn, /prefers-color-scheme:dark/);
    assert.match(drawn, /thought of the other open files/);
    assert.ok(!drawn.includes('NaN') && !drawn.includes('undefined') && !drawn.includes('plain decoder'));
    assert.ok(!drawn.includes('its steps') && !drawn.includes('with lookup memory'));
  });

  it('is drawn with what its steps gave and, against the memory alone, what it gives with the memory', () => {
    const more = measured.map(({ outcomes, ...item }) => ({
      ...item,
      outcomes: {
        ...outcomes,
        'T=4, steps alone': { ...outcomes['T=4'], nats: 9, exact: false, similarity: 0, f1: 1 },
        'T=0 + memory': { ...outcomes['T=4'], nats: 5, exact: true, similarity: 1, f1: 1 },
        'T=4 + memory': { ...outcomes['T=4'], nats: 4, exact: true, similarity: 1, f1: 1 },
      },
    }));
    const drawn = picture(summarise(more, variants, references));
    assert.match(drawn, /<title>the file&#39;s thought, with lookup memory, step 4: -20\.000<\/title>/);
    assert.match(drawn, /<title>its steps, without what was read, step 0: 0\.000<\/title>/);
    assert.match(drawn, /<title>its steps, without what was read, step 4: -24\.686<\/title>/);
    assert.ok(!drawn.includes('NaN'));
  });
});

describe('the card', () => {
  it('holds a section of each title once, before its limits', () => {
    const card = '# nano\n\nText.\n\n## Limits\n\nSmall.\n';
    const once = withSection(card, 'Suggestions: a', 'one\n');
    assert.equal(once, '# nano\n\nText.\n\n## Suggestions: a\n\none\n\n## Limits\n\nSmall.\n');
    const both = withSection(once, 'Suggestions: b', 'two');
    assert.equal(
      withSection(withSection(both, 'Suggestions: a', 'new'), 'Suggestions: b', 'two').match(/^## /gm)?.length,
      3,
    );
    assert.ok(!withSection(both, 'Suggestions: a', 'new').includes('one'));
    assert.equal(withSection('# bare\n', 'T', 'x'), '# bare\n## T\n\nx\n');
  });

  it('is the one that the manifest describes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'thoughtline-card-'));
    await writeFile(join(folder, 'README.md'), '# tiny\n');
    await writeFile(join(folder, 'manifest.json'), JSON.stringify({ name: 'tiny', files: { card: {} } }));
    const summary = summarise([], stepVariants([0, 4]), { prior: 'T=0', defaultSteps: 'T=4' });
    await writeIntoCard(folder, 'these', summary, 'npm run lab -- evaluate these');
    const { files } = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as {
      files: { card: BundleFile };
    };
    assert.match(await readFile(await verifiedPath(folder, files.card), 'utf8'), /^# tiny\n## Suggestions: these\n/);
  });
});

describe('typing with suggestions', () => {
  it('of probabilities there is a way each, and what is none is refused by name', () => {
    assert.deepEqual(
      sureVariants('0.3, 0.5').map(({ variant, steps, confidence }) => [variant, steps, confidence]),
      [
        ['T=0, sure with 0.3', 0, 0.3],
        ['T=0, sure with 0.5', 0, 0.5],
      ],
    );
    for (const list of ['', '0', '1', '0.3,,0.5', 'usual']) {
      assert.throws(() => sureVariants(list), { message: new RegExp(`^--sure ${list}: give probabilities`) });
    }
  });

  const text = '  const a = f(b);\n  return a;';
  /** Suggests by what has been typed last. */
  const by = (table: Readonly<Record<string, string>>) => (typed: string) =>
    Promise.resolve(Object.entries(table).find(([end]) => typed.endsWith(end))?.[1] ?? '');

  for (const [name, table, expected] of [
    ['nothing suggested', {}, { completed: 0, accepted: 0, shown: 0, asked: 25 }],
    ['a right one', { 'const ': 'a = f(b);' }, { completed: 9, accepted: 1, shown: 1, asked: 17 }],
    ['the beginning of a line counts', { 'const ': 'a =' }, { completed: 3, accepted: 1, shown: 1, asked: 23 }],
    ['right but for its end', { 'const ': 'a = f(c);' }, { completed: 0, accepted: 0, shown: 1, asked: 19 }],
    [
      'over lines, without the indentation',
      { 'f(b);': '\n  return a;' },
      { completed: 10, accepted: 1, shown: 1, asked: 16 },
    ],
    ['longer than the text', { 'return ': 'a;\n}' }, { completed: 0, accepted: 0, shown: 1, asked: 24 }],
  ] as const) {
    it(name, async () => {
      assert.deepEqual(await typeText(text, by(table)), { characters: 25, ...expected });
    });
  }

  it('passages are whole lines, one of each repository by turns, and the same for the same seed', () => {
    const repositories = ['one', 'two'].map(repository);
    const passages = choosePassages(repositories, 6, randomFrom(1));
    assert.deepEqual(
      passages.map(({ repository: name }) => name),
      ['one', 'two', 'one', 'two', 'one', 'two'],
    );
    assert.deepEqual(passages, choosePassages(repositories, 6, randomFrom(1)));
    for (const { repository: name, request, text: passage } of passages) {
      const files = repositories.find((one) => one.name === name)?.files ?? [];
      const file = files.find(({ path }) => path === request.path);
      assert.equal(
        (request.prefix + passage + request.suffix).replaceAll(/\n+/g, '\n'),
        file?.text.replaceAll(/\n+/g, '\n'),
      );
      assert.ok(passage.length >= 200 && passage.length <= 400);
      assert.ok(!request.prefix.includes(passage) && /^(.*\n)?$/s.test(request.prefix));
    }
  });

  it('ratios are of characters, differences of the same passages', () => {
    const row = (variant: string, repository_: string, completed: number, characters: number) => ({
      ...{ repository: repository_, path: 'a.ts', variant, completed, characters, asked: 10, shown: 4, accepted: 1 },
    });
    const typed = [
      row('T=0', 'x', 10, 100),
      row('T=4', 'x', 20, 100),
      row('T=0', 'y', 0, 300),
      row('T=4', 'y', 60, 300),
      row('T=4, everything shown', 'x', 30, 100),
      row('T=4, everything shown', 'y', 30, 300),
    ];
    const { rows, difference, characters } = summariseTyping(typed);
    assert.equal(characters, 400);
    assert.deepEqual(
      rows.map(({ variant, ratio, asked }) => [variant, ratio?.mean, asked]),
      [
        ['T=0', 0.025, 20],
        ['T=4', 0.2, 20],
        ['T=4, everything shown', 0.15, 20],
      ],
    );
    assert.equal(difference?.mean, 0.175);
  });
});

describe('middles of lines', () => {
  it('are cut out where code stands on both sides, and more than what closes', () => {
    const random = randomFrom(3);
    const lines = ['  const total = compute(first, second) + offset;', '    if (isReady(this.state) && total > 3) {'];
    for (let i = 0; i < 200; i++) {
      const line = lines[i % lines.length]!;
      const cut = middleOf(line, 'a.ts', random);
      if (!cut) continue;
      assert.equal(cut.before + cut.text + cut.after, line);
      assert.ok(cut.text.length >= 4 && cut.text.length <= 32);
      assert.match(cut.before, /\S/);
      assert.match(cut.after, /\S/);
    }
    assert.equal(middleOf('});', 'a.ts', random), undefined);
  });

  it('come from repositories by turns, and are the same for the same numbers', () => {
    const file = (name: string) => ({ path: name, text: 'const total = compute(first, second) + offset;\n'.repeat(9) });
    const repositories = ['a', 'b'].map((name) => ({ name, files: [file(`${name}.ts`)] }));
    const middles = chooseMiddles(repositories, 4, randomFrom(1));
    assert.deepEqual(
      middles.map(({ repository }) => repository),
      ['a', 'b', 'a', 'b'],
    );
    for (const { request, text } of middles) {
      assert.ok(repositories.some(({ files }) => files[0]!.text === request.prefix + text + request.suffix));
    }
    assert.deepEqual(middles, chooseMiddles(repositories, 4, randomFrom(1)));
  });
});
