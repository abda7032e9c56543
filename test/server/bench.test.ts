import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { bundle, dist, frozen, root, tiny } from './client';

const run = promisify(execFile);
const bench = (...options: string[]) =>
  run(process.execPath, [join(dist, 'lab.js'), 'bench', ...options], { cwd: root });

test('bench types a file through the real server and prints its figures as JSON', async () => {
  const file = join(frozen, 'src/inference/client.ts');
  // On the CPU: a library that looks for GPUs may have something to say about the drivers of a machine.
  const { stdout, stderr } = await bench(
    '--json',
    '--seconds',
    '5',
    '--model',
    tiny,
    '--file',
    file,
    '--device',
    'cpu',
  );
  const report = JSON.parse(stdout) as Record<string, Record<string, unknown>>;
  const figures = ['load.ms', 'prefill.tokens_per_s', 'decode.tokens_per_s', 'refine.ms_per_step', 'memory.rss_mb'];
  const typed = ['p50_ms', 'p90_ms', 'typed_along_p90_ms', 'p90_no_refine_ms'].map((name) => `replay.${name}`);
  for (const name of [...figures, ...typed]) {
    const [part, field] = name.split('.') as [string, string];
    const value = report[part]?.[field];
    assert.ok(typeof value === 'number' && value >= 0, `${name}: ${String(value)}`);
  }
  assert.deepEqual(Object.keys(report['replay']!['paths'] as object), [
    'typedAlong',
    'cache',
    'waited',
    'memory',
    'reuse',
    'cold',
    'none',
  ]);
  assert.ok((report['replay']!['keystrokes'] as number) > 10);
  assert.equal(stderr, '');
});

test('bench --workspace tells what the lookup memory of a folder takes', async () => {
  const { stdout } = await bench('--json', '--workspace', frozen, '--model', bundle);
  const { lookup } = JSON.parse(stdout) as {
    lookup: Record<string, number> & { ms_per_token: Record<string, number> };
  };
  assert.ok(lookup['files']! >= 8 && lookup['tokens']! > 10_000, JSON.stringify(lookup));
  assert.ok(lookup['mb']! > 0 && lookup.ms_per_token['p50']! > 0, JSON.stringify(lookup));
  assert.ok(lookup.ms_per_token['p99']! >= lookup.ms_per_token['p50']!);
});

test('bench refuses what it does not understand in one line', async () => {
  const table: [string[], RegExp][] = [
    [['--seconds', '1'], /^lab: --seconds 1: use a whole number from 5 to 600\n$/],
    [['--file', 'nowhere.ts', '--model', tiny], /^lab: nowhere\.ts: no such file\n$/],
    [['--file', 'README.md', '--model', 'nowhere'], /^lab: .*nowhere: no such model folder.*\n$/],
    [['--workspace', 'nowhere'], /^lab: nowhere: no such folder; give a folder of source code\n$/],
    [['--workspace', frozen, '--model', tiny], /^lab: .*manifest\.json: "memory" is missing; `.*\n$/],
    [['extra'], /^lab: extra: not an argument of bench\n$/],
  ];
  for (const [options, line] of table) {
    await assert.rejects(bench(...options), (error: { stderr: string }) => {
      assert.match(error.stderr, line);
      return true;
    });
  }
});
