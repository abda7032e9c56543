import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, mock, test } from 'node:test';
import { evaluate } from '../../lab/evaluate';
import { UsageError } from '../../src/cli/command';
import { chooseSites } from '../../lab/evaluation/items';
import type { Measured } from '../../lab/evaluation/measure';
import { readRepository } from '../../lab/evaluation/repository';
import type { TypingSummary } from '../../lab/evaluation/typing';
import { familyVariants } from '../../lab/evaluation/variants';
import { thoughtsAfter } from '../../lab/thoughts';
import { UserError } from '../../src/model/errors';
import { randomFrom } from '../../src/model/random';
import { longestCopy } from '../../lab/engineMeasures';
import { BUNDLES, withEngine } from './bundles';

const TINY = 'models/tiny';

/** A program of many functions. */
function source(functions: number): string {
  return Array.from({ length: functions }, (_, i) => {
    const head = `export function sum${i}(total${i}: number, rate: number): number {\n`;
    return `${head}  log('sum', total${i});\n  return total${i};\n}\n\n`;
  }).join('');
}

interface Row {
  variant?: string;
  name?: string;
  bits_per_byte?: number;
  parses?: number;
  em_tail?: number;
  memory_mb?: number;
  em_within_3?: number;
  ece?: number;
}

describe('evaluate DIR', () => {
  let folder = '';
  const print = mock.method(console, 'log', () => undefined);
  const run = async (...args: string[]) => {
    const out = join(folder, 'report.json');
    const options = ['--each', join(folder, 'repositories'), '--model', TINY, '--device', 'cpu', '--out', out];
    assert.equal(await evaluate.run([...options, ...args]), 0);
    return JSON.parse(await readFile(out, 'utf8')) as { rows: Row[]; measured: Measured[]; repositories: number };
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thoughtline-evaluate-'));
    for (const repository of ['first', 'second']) {
      for (const file of ['a.ts', 'b.ts', 'c.ts']) {
        await mkdir(join(folder, 'repositories', repository), { recursive: true });
        // Files of their own, no copies of each other.
        const text = source(20).replaceAll('sum', `${repository}${file[0]}`);
        await writeFile(join(folder, 'repositories', repository, file), text);
      }
    }
  });
  after(async () => {
    print.mock.restore();
    await rm(folder, { recursive: true });
  });

  test('has a row for each number of steps, for the controls and for the baselines', async () => {
    const drawing = join(folder, 'plot.svg');
    const options = ['--items', '12', '--steps', '0,2', '--plain', TINY, '--plot', drawing];
    const { rows, measured, repositories } = await run(...options);
    assert.equal(repositories, 2);
    assert.equal(measured.length, 12);
    assert.match(await readFile(drawing, 'utf8'), /<title>plain decoder, no thought, step 4: /);
    const names = rows.map(({ variant }) => variant);
    for (const name of ['T=0', 'T=2', 'T=4', 'T=4 + memory', 'workspace', 'plain', 'n-gram cache', 'closing bracket']) {
      assert.ok(names.includes(name), `${name} in ${names.join(', ')}`);
    }
  });

  test('--add counts what another seed has measured, and refuses the same', async () => {
    const other = join(folder, 'other.json');
    const options = ['--items', '3', '--steps', '0', '--each', join(folder, 'repositories'), '--model', TINY];
    assert.equal(await evaluate.run([...options, '--device', 'cpu', '--seed', '2', '--out', other]), 0);
    const { measured } = JSON.parse(await readFile(other, 'utf8')) as { measured: Measured[] };
    const both = await run('--items', '3', '--steps', '0', '--add', other);
    assert.equal((both as unknown as { items: number }).items, both.measured.length + measured.length);
    await assert.rejects(run('--items', '3', '--seed', '2', '--add', other), /measured by the same seed/);
  });

  test('--typing has a ratio without thinking and with', async () => {
    const report = (await run('--typing', '--items', '2')) as unknown as TypingSummary;
    assert.equal(report.passages, 2);
    assert.deepEqual(
      report.rows.map(({ variant, ratio }) => [variant, ratio !== undefined && ratio.mean >= 0 && ratio.mean <= 1]),
      [
        ['T=0', true],
        ['T=4', true],
        ['T=4, everything shown', true],
      ],
    );
  });

  test('--typing --sure: the surer what is shown must be, the less is shown', async () => {
    const { rows, difference } = (await run(
      '--typing',
      '--items',
      '2',
      '--sure',
      '0.1,0.9',
    )) as unknown as TypingSummary;
    assert.deepEqual(
      rows.map(({ variant }) => variant),
      ['T=0, sure with 0.1', 'T=0, sure with 0.9'],
    );
    assert.ok(rows[0]!.shown >= rows[1]!.shown && difference === undefined);
    await assert.rejects(run('--sure', '0.5'), /--sure and --middles go with --typing/);
  });

  test('bad input ends with one line', async () => {
    await assert.rejects(evaluate.run([]), (error) => error instanceof UsageError && /--each DIR/.test(error.message));
    const missing = join(folder, 'missing', 'x.json');
    await assert.rejects(
      evaluate.run([folder, '--out', missing]),
      (error) => error instanceof UserError && /x\.json: cannot be written/.test(error.message),
    );
  });

  test('--families has a row for each family', async () => {
    const { rows } = await run('--families', '--items', '6', '--plain', TINY);
    const byName = new Map(rows.map((row) => [row.name, row]));
    for (const { name, likelihood } of familyVariants()) {
      const row = byName.get(name);
      assert.ok(row, name);
      assert.equal(typeof row.bits_per_byte, likelihood ? 'number' : 'undefined', name);
      assert.ok(row.memory_mb !== undefined && row.memory_mb > 0, name);
      for (const share of [row.ece, row.em_within_3]) assert.ok(share! >= 0 && share! <= 1, `${name}: ${share}`);
    }
    assert.equal(byName.get('plain')?.bits_per_byte, byName.get('z0')?.bits_per_byte);
  });
});

for (const [name, directory] of BUNDLES) {
  describe(`what is cut out of a file is never seen (${name})`, () => {
    const engine = withEngine(directory);
    let folder = '';
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'thoughtline-canary-'));
      // No two lines have a word in common that is not in every line: whoever writes one has seen it.
      const random = randomFrom(5);
      const word = () =>
        Array.from({ length: 12 }, () => 'abcdefghijklmnopqrstuvwxyz'[Math.floor(random() * 26)]).join('');
      for (const file of ['a.ts', 'b.ts']) {
        const lines = Array.from({ length: 60 }, () => `const value = canary(${word()});`);
        await writeFile(join(folder, file), `${lines.join('\n')}\n`);
      }
      // A copy, with other white space.
      await writeFile(join(folder, 'copy.ts'), (await readFile(join(folder, 'a.ts'), 'utf8')).replaceAll('\n', '\n\n'));
    });
    after(() => rm(folder, { recursive: true }));

    test('neither in request, evidence and memory, nor completed in any way', async () => {
      // What a model writes by heart differs; what it is shown does not: the larger one need not be asked as often.
      const [count, variants] =
        name === 'tiny' ? [9, familyVariants()] : [3, familyVariants().filter(({ options }) => options.memory)];
      const sites = chooseSites([await readRepository(folder)], count, randomFrom(2));
      assert.equal(sites.length, count / 3);
      for (const [site, { request, target }] of sites.flatMap((one) => one.items.map((item) => [one, item] as const))) {
        const canaries = target.match(/[a-z]{12}/g) ?? [];
        const holds = (text: string) => canaries.some((canary) => text.includes(canary));
        for (const seen of [request, site.request]) {
          assert.ok([seen.prefix, seen.suffix, ...seen.related.map(({ text }) => text)].every((t) => !holds(t)));
        }
        const thoughts = await thoughtsAfter(engine(), site.request, [0, 4]);
        for (const { name: variant, thought, options, alone } of variants) {
          if (typeof thought !== 'number') continue;
          const { candidates } = await engine().complete(alone ? { ...request, related: [] } : request, {
            ...options,
            steps: 0,
            maxLines: 5,
            thought: thoughts.get(thought),
          });
          for (const { text } of candidates) assert.ok(!holds(text), `${variant}: ${text}`);
        }
        assert.ok(!holds(await longestCopy(engine(), request, 5)));
      }
    });
  });
}
