import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FROZEN, ROOT, TINY } from '../fixtures';
import { copyOfTiny, withScratch, writeJsonl } from './bundles';

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the built command line in the repository's folder. */
const thoughtline = (args: readonly string[], input = '') => program('cli.js', args, input);

/** The same of what measures. */
const lab = (args: readonly string[]) => program('lab.js', args, '');

function program(name: string, args: readonly string[], input: string): Promise<Run> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [join(ROOT, 'dist', name), ...args], { cwd: ROOT });
    const text = { out: '', err: '' };
    child.stdout.on('data', (data: Buffer) => (text.out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (text.err += data.toString()));
    child.on('close', (code) => done({ code, ...text }));
    child.stdin.end(input);
  });
}

const model = ['--model', TINY, '--device', 'cpu'];
const oneLine = (text: string) => assert.match(text, /^thoughtline: [^\n]+\n$/);

describe('complete', () => {
  const file = 'test/fixtures/frozen/src/completion/engine.ts';

  test('a place in a file, as JSON', async () => {
    const { code, out, err } = await thoughtline(['complete', `${file}:100:1`, '--json', '--steps', '2', ...model]);
    assert.equal(code, 0, err);
    const result = JSON.parse(out) as Record<string, unknown> & { thought: { nll: number[]; kl: number } };
    assert.equal(typeof result['completion'], 'string');
    assert.ok(Array.isArray(result['candidates']));
    assert.equal(result.thought.nll.length, 3);
    assert.equal(typeof result.thought.kl, 'number');
  });

  test('a trace shows the NLL of each step', async () => {
    const { code, out } = await thoughtline(['complete', `${file}:100:1`, '--trace', '--steps', '3', ...model]);
    assert.equal(code, 0);
    assert.equal(out.match(/^ {3}[0-3] +\d+\.\d{4}/gm)?.length, 4);
  });

  test('standard input, whole or up to the cursor', async () => {
    const text = await readFile(join(ROOT, file), 'utf8');
    const fromFile = await thoughtline(['complete', `${file}:100:1`, '--json', ...model]);
    const fromInput = await thoughtline(['complete', '-:100:1', '--path', file, '--json', ...model], text);
    const read = ({ out }: Run) => (JSON.parse(out) as { completion: string }).completion;
    assert.equal(read(fromInput), read(fromFile));
    const { code } = await thoughtline(['complete', '-', '--path', 'a.ts', '--json', ...model], 'const a = ');
    assert.equal(code, 0);
  });

  const scratch = withScratch();
  const bad: [name: string, args: string[], code: number, message: RegExp][] = [
    ['no place', [], 2, /FILE:LINE:COL/],
    ['a place without a column', ['a.ts:3'], 2, /FILE:LINE:COL/],
    ['an unknown flag', [`${file}:1:1`, '--nonsense'], 2, /--nonsense/],
    ['steps out of range', [`${file}:1:1`, '--steps', '99'], 2, /--steps 99: use a whole number from 0 to 32/],
    ['an unknown device', [`${file}:1:1`, '--device', 'tpu'], 2, /--device tpu: use one of/],
    ['standard input without a path', ['-'], 2, /--path FILE/],
    ['--jsonl without --out', ['--jsonl', 'in.jsonl'], 2, /--out OUT/],
    ['a file that is not there', ['nowhere.ts:1:1'], 1, /nowhere\.ts: no such file/],
    ['a line beyond the end', [`${file}:99999:1`], 1, /line 99999 is not in the file; give a line from 1 to \d+/],
    ['a column beyond the end', [`${file}:1:999`], 1, /column 999 is not in line 1; give a column from 1 to \d+/],
    ['a binary file', ['media/icon.png:1:1'], 1, /media\/icon\.png: binary file/],
    ['a folder', ['src:1:1'], 1, /src: cannot be read/],
    ['a model that is not there', [`${file}:1:1`, '--model', 'nowhere'], 1, /nowhere: no such model folder/],
  ];
  for (const [name, args, code, message] of bad) {
    test(`${name} ends in one line and exit code ${code}`, async () => {
      const run = await thoughtline(['complete', ...args]);
      assert.equal(run.code, code);
      oneLine(run.err);
      assert.match(run.err, message);
      assert.equal(run.out, '');
    });
  }

  test('a corrupt model ends in one line', async () => {
    const directory = await copyOfTiny(scratch(), 'corrupt');
    await truncate(join(directory, 'weights.bin'), 1000);
    const run = await thoughtline(['complete', `${file}:1:1`, '--model', directory]);
    assert.equal(run.code, 1);
    oneLine(run.err);
    assert.match(run.err, /weights\.bin: 1000 bytes instead of/);
  });

  test('a file of 5 MB and a line of 100 kB are completed', async () => {
    const large = join(scratch(), 'large.ts');
    await writeFile(
      large,
      `const a = [${'12345, '.repeat(15_000)}];\n${'const value = compute(1);\n'.repeat(190_000)}`,
    );
    const run = await thoughtline(['complete', `${large}:100000:6`, '--json', '--steps', '1', ...model]);
    assert.equal(run.code, 0, run.err);
    const long = await thoughtline(['complete', `${large}:1:90000`, '--json', '--steps', '1', ...model]);
    assert.equal(long.code, 0, long.err);
  });
});

describe('complete --jsonl', () => {
  const scratch = withScratch();

  test('keeps the order, goes on after bad lines, and reports them', async () => {
    const input = join(scratch(), 'in.jsonl');
    const out = join(scratch(), 'out.jsonl');
    const prefix = 'export function add(a: number, b: number): number {\n  return ';
    await writeJsonl(input, [
      {
        id: 'one',
        path: 'src/a.ts',
        prefix,
        suffix: '\n}\n',
        related: [{ path: 'src/b.ts', text: prefix.repeat(20) }],
      },
      '{ not JSON',
      { id: 'two', path: 'src/a.ts' },
      '',
      { id: 3, path: 'src/c.ts', prefix },
    ]);
    const run = await thoughtline([
      'complete',
      '--jsonl',
      input,
      '--out',
      out,
      '--steps',
      '2',
      '--max-lines',
      '1',
      ...model,
    ]);
    assert.equal(run.code, 1);
    assert.match(run.err, /in\.jsonl:2: not valid JSON; line skipped/);
    assert.match(run.err, /in\.jsonl:3: prefix: /);
    const records = (await readFile(out, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      records.map((record) => record['id']),
      ['one', 3],
    );
    for (const record of records) {
      assert.deepEqual(Object.keys(record), ['id', 'completion', 'candidates', 'milliseconds', 'thought']);
    }
    const thoughts = records.map((record) => record['thought'] as { nll: number[]; kl: number });
    assert.equal(thoughts[0]?.nll.length, 3);
    assert.equal(typeof thoughts[0]?.kl, 'number');
    // Nothing but the window: nothing to think about.
    assert.deepEqual(thoughts[1], { nll: [], kl: 0 });
  });

  test('all lines good: exit code 0', async () => {
    const input = join(scratch(), 'good.jsonl');
    await writeJsonl(input, [{ id: 1, path: 'a.ts', prefix: 'const a', suffix: '' }]);
    assert.equal((await thoughtline(['complete', '--jsonl', input, '--out', join(scratch(), 'o'), ...model])).code, 0);
  });

  test('an input that is not there, an output that cannot be', async () => {
    const input = join(scratch(), 'good.jsonl');
    await writeJsonl(input, [{ id: 1, path: 'a.ts', prefix: 'const a', suffix: '' }]);
    const missing = await thoughtline([
      'complete',
      '--jsonl',
      join(scratch(), 'none'),
      '--out',
      join(scratch(), 'o'),
      ...model,
    ]);
    assert.equal(missing.code, 1);
    oneLine(missing.err);
    const unwritable = await thoughtline(['complete', '--jsonl', input, '--out', join(scratch(), 'no', 'o'), ...model]);
    assert.equal(unwritable.code, 1);
    assert.match(unwritable.err, /cannot be written/);
  });
});

describe('score --jsonl', () => {
  const scratch = withScratch();

  test('gives the NLL for each number of steps, and of a shuffled thought', async () => {
    const input = join(scratch(), 'in.jsonl');
    const out = join(scratch(), 'out.jsonl');
    const text = await readFile(join(FROZEN, 'src/completion/engine.ts'), 'utf8');
    const other = await readFile(join(FROZEN, 'src/thought/refine.ts'), 'utf8');
    const item = (id: string, path: string, source: string) => {
      const cut = source.indexOf('\n', source.length >> 1) + 1;
      const end = source.indexOf('\n', cut + 100);
      return { id, path, prefix: source.slice(0, cut), suffix: source.slice(end), target: source.slice(cut, end) };
    };
    const items = [item('a', 'src/engine.ts', text), item('b', 'src/refine.ts', other)];
    await writeJsonl(input, [...items, { id: 'c', path: 'x' }]);
    const run = await lab(['score', '--jsonl', input, '--out', out, '--steps', '4,0,1', ...model]);
    assert.equal(run.code, 1);
    assert.match(run.err, /in\.jsonl:3: prefix: /);
    const records = (await readFile(out, 'utf8'))
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as {
            id: string;
            bytes: number;
            nats: Record<string, number>;
            shuffled: Record<string, number>;
          },
      );
    assert.deepEqual(
      records.map(({ id, bytes }) => [id, bytes]),
      items.map(({ id, target }) => [id, Buffer.byteLength(target)]),
    );
    for (const { nats, shuffled } of records) {
      assert.deepEqual(Object.keys(nats), ['0', '1', '4']);
      assert.deepEqual(Object.keys(shuffled), ['1', '4']);
      assert.ok([...Object.values(nats), ...Object.values(shuffled)].every((value) => value > 0));
      assert.notEqual(nats['4'], shuffled['4']);
    }
  });

  test('a bad list of steps ends in one line', async () => {
    const run = await lab(['score', '--jsonl', 'a', '--out', 'b', '--steps', '1,x']);
    assert.equal(run.code, 2);
    assert.match(run.err, /^lab: [^\n]+\n$/);
  });
});

describe('doctor and usage', () => {
  test('doctor tells outputs, nodes and time of every device', async () => {
    const { code, out } = await thoughtline(['doctor', '--json', '--model', TINY]);
    assert.equal(code, 0);
    const { device } = JSON.parse(out) as { device: { device: string; candidates: Record<string, unknown>[] } };
    const chosen = device.candidates.find((candidate) => candidate['chosen']);
    assert.equal(chosen?.['provider'], device.device);
    const cpu = device.candidates.find((candidate) => candidate['provider'] === 'cpu');
    assert.deepEqual([cpu?.['matches'], cpu?.['coverage']], [true, 1]);
    assert.ok((cpu?.['milliseconds'] as number) > 0);
    const text = await thoughtline(['doctor', '--model', TINY]);
    assert.match(text.out, /outputs +nodes +probe/);
  });

  test('an unknown command names those there are', async () => {
    const run = await thoughtline(['compleet']);
    assert.equal(run.code, 2);
    oneLine(run.err);
    assert.match(run.err, /compleet: no such command; use one of complete, adopt, doctor, serve\n/);
  });

  test('help is printed and is no error', async () => {
    for (const args of [['--help'], ['complete', '--help'], ['doctor', '-h']]) {
      const run = await thoughtline(args);
      assert.equal(run.code, 0);
      assert.match(run.out, /thoughtline/);
    }
    for (const args of [['--help'], ['score', '-h'], ['gate', '--help']]) {
      const run = await lab(args);
      assert.equal(run.code, 0);
      assert.match(run.out, /npm run lab -- /);
    }
  });

  test('without a model of its own it says how to give one', async () => {
    // A copy of the program elsewhere has no models/ beside it.
    const { copyFile, mkdtemp } = await import('node:fs/promises');
    const { tmpdir } = await import('node:os');
    const folder = await mkdtemp(join(tmpdir(), 'thoughtline-'));
    await copyFile(join(ROOT, 'dist', 'cli.js'), join(folder, 'cli.js'));
    const child = spawn(process.execPath, [join(folder, 'cli.js'), 'doctor']);
    let err = '';
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    const code = await new Promise((done) => child.on('close', done));
    await rm(folder, { recursive: true });
    assert.equal(code, 1);
    oneLine(err);
    assert.match(err, /--model DIR/);
  });
});
