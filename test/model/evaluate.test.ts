import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, mock, test } from 'node:test';
import { THOUGHTS, type EditScore, type EditSummary } from '../../src/cli/editReport';
import { evaluate } from '../../src/cli/evaluate';
import { UsageError } from '../../src/cli/command';
import { UserError } from '../../src/model/errors';

const TINY = 'models/tiny';

type Report = EditSummary & { edits: EditScore[]; sessions: number };

/** A program of many functions; a later release has others in some places. */
function source(functions: number, release: number): string {
  return Array.from({ length: functions }, (_, i) => {
    const changed = release > 0 && (i * 7 + release) % 5 === 0;
    const body = changed ? `  return total${i} * rate + ${release};\n` : `  return total${i};\n`;
    return `export function sum${i}(total${i}: number, rate: number): number {\n  log('sum', total${i});\n${body}}\n\n`;
  }).join('');
}

describe('evaluate --edits', () => {
  let folder = '';
  const print = mock.method(console, 'log', () => undefined);
  const run = async (...args: string[]): Promise<Report> => {
    const out = join(folder, 'report.json');
    const options = ['--edits', join(folder, 'releases'), '--model', TINY, '--device', 'cpu', '--out', out];
    assert.equal(await evaluate.run([...options, ...args]), 0);
    return JSON.parse(await readFile(out, 'utf8')) as Report;
  };
  const withoutTimes = (edits: EditScore[]) => edits.map(({ milliseconds: _, ...edit }) => edit);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thoughtline-evaluate-'));
    for (const release of [0, 1, 2]) {
      for (const [path, size] of [
        ['src/sums.ts', 24],
        ['src/other.ts', 9],
        ['same.ts', 5],
      ] as const) {
        const file = join(folder, 'releases', 'scope+sums', `1.${release}.0`, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, source(size, path === 'same.ts' ? 0 : release));
      }
    }
  });
  after(async () => {
    print.mock.restore();
    await rm(folder, { recursive: true });
  });

  let all: Report;
  test('every edit that writes something is scored under four thoughts', async () => {
    all = await run('--max-edits', '1000');
    assert.equal(all.sessions, 2);
    assert.ok(all.edits.length > 10, `${all.edits.length} edits`);
    assert.equal(all.groups[0]?.count, all.edits.length);
    for (const edit of all.edits) {
      assert.ok(edit.tokens > 0 && edit.bytes > 0);
      for (const nats of Object.values(edit.nats)) assert.ok(Number.isFinite(nats) && nats > 0);
    }
  });

  test('at the first edit nothing has changed yet: frozen, warm and cold are one thought; later they differ', () => {
    const [first] = all.edits.filter(({ path }) => path === 'src/sums.ts');
    assert.ok(first);
    assert.equal(first.nats.frozen, first.nats.cold);
    assert.equal(first.nats.warm, first.nats.cold);
    assert.notEqual(first.nats.z_0, first.nats.cold);
    assert.ok(all.edits.some(({ nats }) => nats.warm !== nats.frozen && nats.warm !== nats.cold));
    assert.ok(all.edits.some(({ followed }) => followed === 'warm'));
  });

  test('the same seed gives the same figures; fewer edits get the scores they have among all', async () => {
    const few = await run('--max-edits', '5', '--seed', '4');
    const again = await run('--max-edits', '5', '--seed', '4');
    assert.equal(few.edits.length, 5);
    assert.deepEqual(withoutTimes(few.edits), withoutTimes(again.edits));
    for (const edit of withoutTimes(few.edits)) {
      const same = withoutTimes(all.edits).find((other) => other.path === edit.path && other.edit === edit.edit);
      assert.ok(same);
      // Caches filled in other portions: the same sums, rounded otherwise.
      for (const name of THOUGHTS)
        assert.ok(Math.abs(edit.nats[name] - same.nats[name]) < 1e-4, `${name} of ${edit.edit}`);
    }
  });

  test('bad input ends with one line', async () => {
    const edits = join(folder, 'releases');
    await assert.rejects(evaluate.run([]), (error) => error instanceof UsageError && /--edits DIR/.test(error.message));
    await assert.rejects(evaluate.run(['--edits', edits, '--max-edits', '0']), /--max-edits 0: use a whole number/);
    const user = (pattern: RegExp) => (error: unknown) => error instanceof UserError && pattern.test(error.message);
    await assert.rejects(evaluate.run(['--edits', join(folder, 'none')]), user(/none: no such folder/));
    await assert.rejects(evaluate.run(['--edits', folder]), user(/no package with two releases/));
    await assert.rejects(
      evaluate.run(['--edits', edits, '--out', join(folder, 'missing', 'x.json')]),
      user(/x\.json: cannot be written/),
    );
    for (const version of ['1.0.0', '1.1.0']) {
      await mkdir(join(folder, 'equal', 'p', version), { recursive: true });
      await writeFile(join(folder, 'equal', 'p', version, 'a.ts'), 'const a = 1;\n');
    }
    await assert.rejects(evaluate.run(['--edits', join(folder, 'equal')]), user(/no file differs/));
  });
});
