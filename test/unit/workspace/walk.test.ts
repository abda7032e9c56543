import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { endingsOf } from '../../../src/languages';
import { readExcluded } from '../../../src/workspace/rules';
import { writeWhole } from '../../../src/workspace/storage';
import { findAt, findSources, readSource, type WalkOptions } from '../../../src/workspace/walk';
import { withScratch } from '../../model/bundles';

const endings = new Set(endingsOf(() => true));
const options: WalkOptions = { endings, limits: { files: 1000, milliseconds: 60_000 } };

async function lay(root: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

describe('the sources of a folder', () => {
  const scratch = withScratch();
  const folder = (directory: string, excluded: unknown = {}) => ({
    directory,
    name: '/ws',
    excluded: readExcluded(excluded),
  });
  const pathsIn = async (directory: string, excluded?: unknown, given = options) =>
    (await findSources([folder(directory, excluded)], given)).found.map(({ path }) => path).sort();

  test('are those that nothing ignores; each is found alone, too, and the others are not', async () => {
    const root = join(scratch(), 'rules');
    const wanted = ['a.ts', 'src/b.py', 'src/keep.log.ts', 'src/deep/c.go'];
    const others = [
      ...['.git/x.ts', '.env.ts', 'node_modules/p/x.ts', 'dist/x.js', 'src/a.log.ts', 'src/deep/local.ts', 'made/x.ts'],
      ...['hidden/x.ts', 'src/deep/secrets.ts', 'large.ts', 'notes.txt'],
    ];
    await lay(root, Object.fromEntries([...wanted, ...others].map((path) => [path, `// ${path}\n`])));
    await lay(root, {
      '.gitignore': '*.log.ts\nmade/\n!keep.log.ts\n',
      'src/deep/.gitignore': 'local.ts\n',
      'large.ts': 'const a = 1;\n'.repeat(50_000),
    });
    const expected = wanted.map((path) => `/ws/${path}`).sort();
    assert.deepEqual(await pathsIn(root, { hidden: true }), expected);
    const all = [...wanted, ...others, 'none.ts', 'a.ts/b.ts'].map((path) => `/ws/${path}`);
    const found = await findAt([folder(root, { hidden: true })], [...all, '/elsewhere/a.ts', '/ws', ''], options);
    assert.deepEqual([...found.keys()].sort(), expected);
  });

  test('what a repository ignores above the folder is ignored, unless it is the folder', async () => {
    const root = join(scratch(), 'repository');
    await lay(root, {
      '.git/info/exclude': 'mine.ts\n',
      '.gitignore': '/part/out.ts\n*.gen.ts\n/own/\n',
      'part/out.ts': '',
      'part/a.gen.ts': '',
      'part/mine.ts': '',
      'part/a.ts': '',
      'own/a.gen.ts': '',
    });
    assert.deepEqual(await pathsIn(join(root, 'part')), ['/ws/a.ts']);
    assert.deepEqual(await pathsIn(join(root, 'own')), ['/ws/a.gen.ts']);
  });

  test('what is read of a file is without secrets known by their form', async () => {
    const root = join(scratch(), 'secrets');
    await lay(root, { 'a.ts': `const a = 1;\nconst key = 'AKIA${'3X7PQ9WZTL5RBM2N'}';\n` });
    assert.deepEqual(await readSource({ file: join(root, 'a.ts') }), { text: 'const a = 1;\n' });
  });

  test('links are not followed, in circles or out of the folder', async () => {
    const root = join(scratch(), 'links');
    await lay(root, { 'ws/src/a.ts': 'a', 'outside/b.ts': 'b' });
    symlinkSync('..', join(root, 'ws/src/loop'));
    symlinkSync('../outside', join(root, 'ws/out'));
    symlinkSync('src/a.ts', join(root, 'ws/again.ts'));
    symlinkSync('nowhere', join(root, 'ws/broken.ts'));
    assert.deepEqual(await pathsIn(join(root, 'ws')), ['/ws/src/a.ts']);
    const linked = ['/ws/again.ts', '/ws/out/b.ts', '/ws/src/loop/src/a.ts'];
    assert.deepEqual([...(await findAt([folder(join(root, 'ws'))], linked, options)).keys()], []);
  });

  test('a folder that is not there is named, and no error', async () => {
    const missing = join(scratch(), 'missing');
    assert.deepEqual(await findSources([folder(missing)], options), { found: [], unreadable: [missing] });
  });

  test('of 100,000 files as many are found as are wanted, those near the top first', async () => {
    const root = join(scratch(), 'many');
    for (let i = 0; i < 100; i++) {
      const directory = join(root, `a${i}`, 'deep');
      mkdirSync(directory, { recursive: true });
      for (let j = 0; j < 1000; j++) writeFileSync(join(directory, `${j}.ts`), '');
      writeFileSync(join(root, `a${i}`, 'near.ts'), '');
    }
    const some = await findSources([folder(root)], { ...options, limits: { files: 5_000, milliseconds: 60_000 } });
    assert.equal(some.found.length, 5_000);
    assert.equal(some.stopped, 'more than 5000 files');
    assert.equal(some.found.filter(({ path }) => path.endsWith('near.ts')).length, 100);
    let time = 0;
    const late = await findSources([folder(root)], { ...options, limits: { files: 1e6, milliseconds: 50 }, now: () => (time += 1) }); // prettier-ignore
    assert.match(late.stopped ?? '', /0\.05 s/);
    let looks = 0;
    const signal = { get aborted() { return ++looks > 3; } }; // prettier-ignore
    assert.ok((await findSources([folder(root)], { ...options, signal })).found.length < 1000);
  });
});

describe('a source', () => {
  const scratch = withScratch();
  test('is read with the line ends that the model knows; what is strange, or gone, says why', async () => {
    const file = (name: string) => join(scratch(), name);
    await writeFile(file('a.ts'), '\uFEFFa\r\nb\rc\n');
    await writeFile(file('line.ts'), 'x'.repeat(5 << 20));
    await writeFile(file('long.ts'), 'x'.repeat(100_000));
    await writeFile(file('binary.ts'), 'a\0b');
    const table: [string, unknown][] = [
      ['a.ts', { text: 'a\nb\nc\n' }],
      ['line.ts', { reason: 'too large' }],
      ['long.ts', { reason: 'minified' }],
      ['binary.ts', { reason: 'binary' }],
      ['gone.ts', { reason: 'ENOENT' }],
    ];
    for (const [name, expected] of table) assert.deepEqual(await readSource({ file: file(name) }), expected, name);
  });
});

describe('a file that is written whole', () => {
  const scratch = withScratch();
  test('nobody else may read it, nor look into its folder', async () => {
    const file = join(scratch(), 'new', 'file');
    await writeWhole(file, [Buffer.from('one'), Buffer.from('two')]);
    await writeWhole(file, [Buffer.from('three')]);
    assert.equal((await stat(file)).size, 5);
    if (process.platform !== 'win32') {
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      assert.equal((await stat(dirname(file))).mode & 0o777, 0o700);
    }
  });

  test('a full disk leaves the one before', { skip: process.platform !== 'linux' }, async () => {
    const file = join(scratch(), 'full', 'file');
    await writeWhole(file, [Buffer.from('before')]);
    // Writing to this device fails as on a full disk.
    symlinkSync('/dev/full', `${file}.${process.pid}.tmp`);
    await assert.rejects(writeWhole(file, [Buffer.alloc(100)]), /ENOSPC/);
    assert.equal((await stat(file)).size, 6);
    await rm(dirname(file), { recursive: true });
  });
});
