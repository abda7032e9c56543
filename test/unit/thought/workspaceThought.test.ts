import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ThoughtKeeper } from '../../../src/inference/thoughtKeeper';
import { quantiseRows } from '../../../src/model/quantisedRows';
import { priorThought, type Thought } from '../../../src/thought/thought';
import { WorkspaceThought } from '../../../src/thought/workspaceThought';

const start = (thought: WorkspaceThought | ThoughtKeeper, path: string) => {
  const mu = thought.startFor(path)?.mu;
  return mu && [...mu];
};
const known = () => {
  const thought = new WorkspaceThought();
  for (const [path, value] of [['a', 1], ['b', 2], ['c', 6]] as const) thought.add(path, Float32Array.of(value, -value)); // prettier-ignore
  return thought;
};
const bytesOf = (thought: WorkspaceThought, model = 'm', now = 0) => Buffer.concat(thought.pack(model, now));

describe('the thought of a workspace', () => {
  test('is the mean of the thoughts about other files', () => {
    assert.deepEqual(start(known(), 'new'), [3, -3]);
    assert.deepEqual(start(known(), 'c'), [1.5, -1.5], 'a file’s own does not count');
  });

  test('a file’s latest thought counts', () => {
    const thought = known();
    thought.add('a', Float32Array.of(4, 4));
    assert.deepEqual(start(thought, 'new'), [4, -4 / 3].map(Math.fround));
  });

  test('is none where too few files are known', () => {
    const thought = new WorkspaceThought();
    assert.equal(start(thought, 'new'), undefined);
    thought.add('a', Float32Array.of(1));
    thought.add('b', Float32Array.of(1));
    assert.equal(start(thought, 'a'), undefined);
    assert.deepEqual(start(thought, 'new'), [1]);
  });

  test('the files thought about longest ago are forgotten', () => {
    const thought = new WorkspaceThought();
    for (let i = 0; i < 20; i++) thought.add(`${i}`, Float32Array.of(i));
    assert.deepEqual(start(thought, 'new'), [11.5]);
  });

  test('every start has a version of its own', () => {
    const thought = known();
    assert.notEqual(thought.startFor('x')?.version, thought.startFor('x')?.version);
  });

  test('is the same after it was kept, and holds no text', () => {
    const kept = new WorkspaceThought();
    const secret = new WorkspaceThought();
    for (const path of ['src/secret-plan.ts', 'src/b.ts']) secret.add(path, Float32Array.of(7, 8));
    const bytes = bytesOf(secret);
    assert.doesNotMatch(bytes.toString('latin1'), /secret|src|\.ts/);
    assert.equal(kept.unpack(bytes, { model: 'm', length: 2, now: 1 }), undefined);
    assert.deepEqual(start(kept, 'new'), [7, 8]);
    assert.equal(start(kept, 'src/b.ts'), undefined);
  });

  const day = 86_400_000;
  const whole = bytesOf(known());
  const changed = Buffer.from(whole);
  changed[changed.length - 1]! ^= 1;
  const cases: [
    name: string,
    bytes: Uint8Array,
    options: { model?: string; length?: number; now?: number },
    why: RegExp,
  ][] = [
    ['of another model', whole, { model: 'other' }, /another model/],
    ['stale', whole, { now: 31 * day }, /older than 30 days/],
    ['of another size', whole, { length: 3 }, /damaged/],
    ['changed', changed, {}, /damaged/],
    ['cut off', whole.subarray(0, -4), {}, /damaged/],
    ['empty', Buffer.alloc(0), {}, /damaged/],
    ['something else', Buffer.from('null\n'), {}, /damaged/],
    ['no JSON', Buffer.from('{\n'), {}, /damaged/],
    [
      'of a later version',
      Buffer.from(whole.toString('latin1').replace('"format":2', '"format":9'), 'latin1'),
      {},
      /format is 9/,
    ],
  ];
  for (const [name, bytes, options, why] of cases) {
    test(`${name}: it is dropped, and says why`, () => {
      const thought = new WorkspaceThought();
      const dropped = thought.unpack(bytes, { model: 'm', length: 2, now: day, ...options });
      assert.match(dropped ?? '', why);
      assert.doesNotMatch(dropped ?? '', /\n/);
      assert.equal(start(thought, 'new'), undefined);
    });
  }
});

describe('the thought of a workspace on disk', () => {
  const thoughtOf = (value: number): Thought => ({
    ...priorThought(Float32Array.of(value)),
    gradients: new Map([
      ['chunk', { gradient: quantiseRows(Float32Array.of(0), 1), nll: 1, tokens: 1, heldOut: false }],
    ]),
  });
  const inFolder = async (
    body: (folder: string, keeper: (model?: string) => ThoughtKeeper, lines: string[]) => Promise<void>,
  ) => {
    const folder = await mkdtemp(join(tmpdir(), 'thoughtline-thought-'));
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    try {
      await body(folder, (model = 'm') => new ThoughtKeeper({ model, length: 1, log, quietMs: 0 }), lines);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  const written = async (folder: string) => {
    const file = join(folder, 'workspace.thought');
    for (let turn = 0; turn < 500; turn++, await sleep(10)) if (await stat(file).catch(() => undefined)) return file;
    throw new Error('nothing was written');
  };

  test('comes back in the next session, readable by the user alone', () =>
    inFolder(async (folder, keeper, lines) => {
      const first = keeper();
      await first.open(folder);
      first.add('prior', priorThought(Float32Array.of(9)));
      first.add('a', thoughtOf(1));
      first.add('b', thoughtOf(2));
      const file = await written(folder);
      if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
      const second = keeper();
      await second.open(folder);
      assert.deepEqual(start(second, 'new'), [1.5]);
      assert.deepEqual(lines, []);
    }));

  test('of another model it is dropped with one line in the log, and made again', () =>
    inFolder(async (folder, keeper, lines) => {
      const first = keeper();
      await first.open(folder);
      for (const path of ['a', 'b']) first.add(path, thoughtOf(1));
      const file = await written(folder);
      const second = keeper('another');
      await second.open(folder);
      await second.open(folder);
      assert.equal(start(second, 'new'), undefined);
      assert.equal(lines.length, 1);
      assert.match(lines[0]!, /workspace thought: .*workspace\.thought is dropped: it is of another model/);
      await rm(file);
      for (const path of ['a', 'b']) second.add(path, thoughtOf(3));
      await written(folder);
      assert.match((await readFile(file)).toString('latin1'), /"model":"another"/);
    }));

  test('where it cannot be written it says so once and goes on', () =>
    inFolder(async (folder, keeper, lines) => {
      const blocked = join(folder, 'a file');
      await writeFile(blocked, '');
      const one = keeper();
      await one.open(blocked);
      for (const path of ['a', 'b']) one.add(path, thoughtOf(1));
      await sleep(100);
      one.add('c', thoughtOf(1));
      await sleep(100);
      assert.deepEqual(start(one, 'new'), [1]);
      assert.equal(lines.filter((line) => line.includes('cannot be kept')).length, 1);
    }));
});
