import assert from 'node:assert/strict';
import { appendFileSync, existsSync, symlinkSync, writeFileSync } from 'node:fs';
import promises, { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Indexer, newest, type IndexerOptions } from '../../src/inference/indexer';
import type { WorkspaceSpec } from '../../src/inference/messages';
import { WorkspaceMemory } from '../../src/memory/workspace';
import { tinyTokenizer } from '../fixtures';
import { withScratch } from '../model/bundles';

const tokenizer = tinyTokenizer();
const FILE = 'workspace.memory';

/** An indexer over a folder of its own, and what it does. */
function started(given: Partial<IndexerOptions> = {}) {
  const memory = new WorkspaceMemory(tokenizer.size);
  const log: string[] = [];
  const progress: unknown[] = [];
  let turns = 0;
  const indexer = new Indexer({
    memory,
    tokenizer,
    checksum: 'sum',
    turn: async (slice) => {
      do {
        turns++;
        await nextTurn();
      } while (slice());
    },
    log: (line) => void log.push(line),
    progress: (now) => void progress.push(now),
    ...given,
  });
  return { indexer, memory, log, progress, turns: () => turns };
}

async function lay(root: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

const textOf = (memory: WorkspaceMemory, path: string) => {
  const tokens = memory.tokensOf(path);
  return tokens && tokenizer.decode([...tokens]);
};

describe('the memory of a workspace is kept like the files', () => {
  const scratch = withScratch();
  const specOf = (name: string, more: Partial<WorkspaceSpec> = {}): WorkspaceSpec => ({
    folders: [{ directory: join(scratch(), name), name: '/ws' }],
    endings: ['ts'],
    ...more,
  });
  const FILES = { 'a.ts': 'const a = 1;\n', 'src/b.ts': 'const b = a;\n', 'src/c.py': 'c = 1\n' };

  test('what is found is known, and only changed files are read in the next session', async () => {
    await lay(join(scratch(), 'one'), FILES);
    const spec = specOf('one', { storage: join(scratch(), 'storage') });
    const first = started();
    await first.indexer.index(spec);
    assert.deepEqual(first.memory.paths.sort(), ['/ws/a.ts', '/ws/src/b.ts']);
    assert.equal(textOf(first.memory, '/ws/src/b.ts'), FILES['src/b.ts']);
    assert.match(first.log.join('\n'), /^workspace memory: 2 files, \d+ tokens, .* 2 read, 0 known from before/);
    const kept = join(scratch(), 'storage', FILE);
    if (process.platform !== 'win32') assert.equal((await stat(kept)).mode & 0o777, 0o600);

    await lay(join(scratch(), 'one'), { 'src/b.ts': 'const b = 22;\n', 'd.ts': 'd();\n' });
    const second = started();
    await second.indexer.index(spec);
    assert.match(second.log.join('\n'), /3 files, .* 2 read, 1 known from before/);
    assert.equal(textOf(second.memory, '/ws/a.ts'), FILES['a.ts']);
    assert.equal(textOf(second.memory, '/ws/src/b.ts'), 'const b = 22;\n');

    const again = await stat(kept);
    const third = started();
    await third.indexer.index(spec);
    assert.match(third.log.join('\n'), /3 files, .* 0 read, 3 known from before/);
    // Nothing new, nothing written.
    assert.equal((await stat(kept)).mtimeMs, again.mtimeMs);
    // Switched off, nothing of it stays.
    await third.indexer.index({ folders: [], endings: [], storage: spec.storage });
    assert.deepEqual([third.memory.paths, existsSync(kept)], [[], false]);
  });

  test('what is kept is made again if it is damaged or of another tokenizer, with one line', async () => {
    await lay(join(scratch(), 'two'), FILES);
    const spec = specOf('two', { storage: join(scratch(), 'storage2') });
    await started().indexer.index(spec);
    const kept = join(scratch(), 'storage2', FILE);
    const whole = await readFile(kept);
    const table: [Buffer, Partial<IndexerOptions>, RegExp][] = [
      [whole.subarray(0, -1), {}, /damaged: its length is wrong; it is made again$/],
      [Buffer.from('not at all'), {}, /damaged, or of another version; it is made again$/],
      [whole, { checksum: 'other' }, /made with another tokenizer; it is made again$/],
    ];
    for (const [content, options, line] of table) {
      await writeFile(kept, content);
      const { indexer, log, memory } = started(options);
      await indexer.index(spec);
      assert.equal(log.length, 2, log.join('\n'));
      assert.match(log[0]!, line);
      assert.equal(memory.paths.length, 2);
      const next = started(options);
      await next.indexer.index(spec);
      assert.match(next.log.join('\n'), /0 read, 2 known/);
    }
  });

  test('changes on disk are followed: new, changed, ignored and deleted files, folders that go', async () => {
    const root = join(scratch(), 'three');
    await lay(root, { ...FILES, '.gitignore': 'made.ts\n' });
    const { indexer, memory } = started();
    await indexer.index(specOf('three'));
    await lay(root, { 'src/b.ts': 'changed();\n', 'src/new.ts': 'fresh();\n', 'made.ts': 'm();\n', '.env.ts': 's\n' });
    const paths = ['/ws/src/b.ts', '/ws/src/new.ts', '/ws/made.ts', '/ws/.env.ts', '/ws/nothing.ts', '/else/x.ts'];
    await indexer.changed(paths);
    assert.deepEqual(memory.paths.sort(), ['/ws/a.ts', '/ws/src/b.ts', '/ws/src/new.ts']);
    assert.equal(textOf(memory, '/ws/src/b.ts'), 'changed();\n');
    await rm(join(root, 'a.ts'));
    await indexer.changed(['/ws/a.ts']);
    assert.deepEqual(memory.paths.sort(), ['/ws/src/b.ts', '/ws/src/new.ts']);
    await writeFile(join(root, 'src/b.ts'), 'x'.repeat(10_000));
    await indexer.changed(['/ws/src/b.ts']);
    assert.deepEqual(memory.paths, ['/ws/src/new.ts']);
    await rm(join(root, 'src'), { recursive: true });
    await indexer.changed(['/ws/src']);
    assert.deepEqual(memory.paths, []);
  });

  test('a storm of changes asks the disk for each source once, and for nothing that cannot be one', async (context) => {
    const root = join(scratch(), 'storm');
    const sources = Array.from({ length: 60 }, (_, i) => `src/part${i % 3}/${i}.ts`);
    await lay(root, { '.gitignore': 'made/\n', ...Object.fromEntries(sources.map((path) => [path, 'before();\n'])) });
    const { indexer, memory } = started();
    await indexer.index(specOf('storm'));
    await lay(root, Object.fromEntries(sources.map((path) => [path, `after();\n// ${path}\n`])));
    const calls = (['lstat', 'readdir', 'readFile'] as const).map((name) => context.mock.method(promises, name));
    const counted = async (paths: string[]) => {
      for (const { mock } of calls) mock.resetCalls();
      await indexer.changed(paths);
      return calls.map(({ mock }) => mock.callCount());
    };
    const ignored = ['node_modules/a/b', 'dist', '.git/objects', 'src/coverage', 'src/.env'];
    assert.deepEqual(await counted(ignored.flatMap((path) => Array.from({ length: 400 }, (_, i) => `/ws/${path}/${i}.ts`))), [0, 0, 0]); // prettier-ignore
    const [lstats = 0, readdirs, readFiles = 0] = await counted(sources.map((path) => `/ws/${path}`));
    // Each source once; beside that the way down to three folders, and what ignores there.
    assert.ok(lstats >= 60 && lstats <= 60 + 20, `${lstats} lstat`);
    assert.ok(readFiles >= 60 && readFiles <= 60 + 20, `${readFiles} readFile`);
    assert.equal(readdirs, 0);
    assert.equal(textOf(memory, '/ws/src/part1/1.ts'), 'after();\n// src/part1/1.ts\n');

    // What comes while another change is looked at is looked at together, and once.
    for (const { mock } of calls) mock.resetCalls();
    await Promise.all(Array.from({ length: 50 }, () => indexer.changed(['/ws/src/part0/0.ts'])));
    assert.ok(calls[0]!.mock.callCount() <= 12, `${calls[0]!.mock.callCount()} lstat`);
  });

  test('changes are kept for the next session after a while', async () => {
    await lay(join(scratch(), 'late'), FILES);
    const spec = specOf('late', { storage: join(scratch(), 'late-storage') });
    const { indexer } = started({ limits: { quiet: 20 } });
    await indexer.index(spec);
    const kept = join(scratch(), 'late-storage', FILE);
    const before = await readFile(kept);
    await lay(join(scratch(), 'late'), { 'a.ts': 'const changed = 1;\n' });
    await indexer.changed(['/ws/a.ts']);
    for (let i = 0; i < 500 && (await readFile(kept)).equals(before); i++) await new Promise((done) => setTimeout(done, 10)); // prettier-ignore
    const next = started();
    await next.indexer.index(spec);
    assert.match(next.log.join('\n'), /0 read, 2 known/);
  });

  test('files that change or vanish while they are read do no harm, and are named in one line', async () => {
    const root = join(scratch(), 'four');
    await lay(root, Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.ts`, `const v${i} = 1;\n`])));
    for (let i = 0; i < 20; i++) await utimes(join(root, `${i}.ts`), 1000 + i, 1000 + i);
    let first = true;
    const { indexer, memory, log } = started({
      turn: async (slice) => {
        // All have been found, and the first is being taken in.
        if (first) {
          await rm(join(root, '7.ts'));
          await rm(join(root, '8.ts'));
          appendFileSync(join(root, '9.ts'), 'more();\n');
          writeFileSync(join(root, '10.ts'), 'a\0b');
          first = false;
        }
        while (slice());
      },
    });
    await indexer.index(specOf('four'));
    assert.equal(memory.paths.length, 17);
    assert.equal(log.length, 2, log.join('\n'));
    assert.match(log[0]!, /: 3 not taken, the first: \/ws\/7\.ts: ENOENT$/);
    // What was read of a file that changed after it was found is not taken for its last state.
    const again = started();
    await again.indexer.index(specOf('four'));
    await indexer.changed(['/ws/9.ts']);
    assert.deepEqual(memory.tokensOf('/ws/9.ts'), again.memory.tokensOf('/ws/9.ts'));
    assert.deepEqual(memory.stampOf('/ws/9.ts'), again.memory.stampOf('/ws/9.ts'));
  });

  test('a disk that is full, or cannot be written to, is said once; the memory goes on', async () => {
    await lay(join(scratch(), 'five'), FILES);
    const full = join(scratch(), 'full');
    await mkdir(full);
    const inTheWay = join(scratch(), 'five', 'a.ts');
    const table: [string, RegExp][] = [[join(inTheWay, 'storage'), /cannot be kept on disk and stays in memory \(E/]];
    if (process.platform === 'linux') {
      // Writing to this device fails as on a full disk; nobody can make a folder in /proc.
      symlinkSync('/dev/full', join(full, `${FILE}.${process.pid}.tmp`));
      table.push([full, /stays in memory \(ENOSPC/], ['/proc/thoughtline', /stays in memory \(E/]);
    }
    for (const [storage, line] of table) {
      const { indexer, memory, log } = started({ limits: { quiet: 1 } });
      await indexer.index(specOf('five', { storage }));
      await lay(join(scratch(), 'five'), { 'src/b.ts': `again(${storage.length});\n` });
      await indexer.changed(['/ws/src/b.ts']);
      await new Promise((done) => setTimeout(done, 20));
      const said = log.filter((each) => /kept on disk/.test(each));
      assert.equal(said.length, 1, log.join('\n'));
      assert.match(said[0]!, line);
      assert.deepEqual(memory.paths.sort(), ['/ws/a.ts', '/ws/src/b.ts']);
    }
  });

  test('of too many files, and of too much source, what was changed last is taken, and one line says so', async () => {
    const root = join(scratch(), 'six');
    await lay(root, Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`${i}.ts`, 'x();\n'.repeat(10)])));
    for (let i = 0; i < 30; i++) await utimes(join(root, `${i}.ts`), 1000 + i, 1000 + i);
    const few = started({ limits: { files: 10 } });
    await few.indexer.index(specOf('six'));
    assert.equal(few.memory.paths.length, 10);
    assert.match(few.log[0]!, /: more than 10 files: 10 files are taken, the others left out$/);
    const little = started({ limits: { bytes: 120 } });
    await little.indexer.index(specOf('six'));
    assert.deepEqual(little.memory.paths.sort(), ['/ws/28.ts', '/ws/29.ts']);
    assert.match(little.log[0]!, /of source: 2 files are taken/);
  });

  test('it can be cancelled, and begun again with what is there', async () => {
    const root = join(scratch(), 'seven');
    await lay(root, Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`${i}.ts`, 'x();\n'])));
    let turns = 0;
    const one = started({
      turn: (slice) => {
        while (slice());
        if (++turns === 10) one.indexer.stop();
        return Promise.resolve();
      },
    });
    await one.indexer.index(specOf('seven', { storage: join(scratch(), 'seven-storage') }));
    const taken = one.memory.paths.length;
    assert.ok(taken > 0 && taken < 30, `${taken}`);
    assert.match(one.log.join('\n'), /: cancelled: /);
    assert.equal(existsSync(join(scratch(), 'seven-storage')), false);
    await one.indexer.changed(['/ws/29.ts', '/ws/0.ts']);
    assert.equal(one.memory.paths.length, taken);
    await one.indexer.index(specOf('seven'));
    assert.equal(one.memory.paths.length, 30);
    assert.match(one.log.at(-1)!, new RegExp(`${30 - taken} read`));
  });

  test('a long file is taken in in many turns, and a longer pass tells how far it is', async () => {
    const line = 'const value = compute(first, second, third);\n';
    await lay(join(scratch(), 'eight'), { 'a.ts': line.repeat(10_000), 'b.ts': line.repeat(11_000) });
    const slow = {
      encode: (text: string) => (wait(1), tokenizer.encode(text)),
      pieces: (text: string) => tokenizer.pieces(text),
    };
    const { indexer, turns, progress } = started({ tokenizer: slow });
    await indexer.index(specOf('eight'));
    // 945 kB in stretches of 1 kB that take 1 ms at least, of which ten make a slice.
    assert.ok(turns() > 40, `${turns()}`);
    assert.deepEqual(progress, [{ done: 1, total: 2 }, undefined]);
  });
});

test('files fit by their size, the last changed at the end', () => {
  const file = (path: string, mtimeMs: number, size: number) => ({ file: path, path, mtimeMs, size });
  const files = [file('b', 2, 40), file('c', 3, 50), file('a', 1, 20)];
  assert.deepEqual(newest(files, 1000).map(({ path }) => path), ['a', 'b', 'c']); // prettier-ignore
  assert.deepEqual(newest(files, 95).map(({ path }) => path), ['b', 'c']); // prettier-ignore
  assert.deepEqual(newest(files, 10), []);
});

function wait(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}
