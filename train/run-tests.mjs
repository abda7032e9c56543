// Runs the Python tests in a virtual environment of their own, which is made on the first run and kept in the cache.
// The last line is "N passed, M failed"; the exit code says the same.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const train = fileURLToPath(new URL('.', import.meta.url));
const windows = process.platform === 'win32';
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'thoughtline');
const key = createHash('sha256').update(readFileSync(join(train, 'pyproject.toml'))).digest('hex').slice(0, 12);
const environment = join(cache, `train-venv-${key}`);
const python = join(environment, windows ? 'Scripts/python.exe' : 'bin/python');

const base = findPython();
if (!existsSync(join(environment, 'ready'))) {
  console.log('making a virtual environment for the training package (PyTorch: a few minutes and some gigabytes, once)');
  rmSync(environment, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  run(base, ['-m', 'venv', environment]);
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--editable', `${train}[test]`]);
  writeFileSync(join(environment, 'ready'), '');
}

const report = join(environment, 'report.xml');
rmSync(report, { force: true });
const tests = spawnSync(python, ['-m', 'pytest', '--quiet', `--junit-xml=${report}`, ...process.argv.slice(2)], {
  cwd: train,
  stdio: 'inherit',
  // Compiling takes longer than the tiny models of the tests run.
  env: { ...process.env, TORCH_COMPILE_DISABLE: '1' },
});
const { passed, failed } = summary(report);
console.log(`\n${passed} passed, ${failed + (tests.status !== 0 && failed === 0 ? 1 : 0)} failed`);
process.exitCode = tests.status === 0 && passed > 0 ? 0 : 1;

function findPython() {
  const check = 'import sys; sys.exit(sys.version_info < (3, 11))';
  const found = ['python3', 'python'].find((name) => spawnSync(name, ['-c', check]).status === 0);
  if (found) return found;
  console.error('The training package needs Python 3.11 or newer on the PATH; install it and try again.');
  console.log('\n0 passed, 1 failed');
  process.exit(1);
}

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status === 0) return;
  console.error(`${command} ${args.slice(0, 3).join(' ')} failed; see above.`);
  console.log('\n0 passed, 1 failed');
  process.exit(1);
}

function summary(path) {
  const counts = /<testsuite [^>]*?errors="(\d+)" failures="(\d+)" skipped="(\d+)" tests="(\d+)"/.exec(
    existsSync(path) ? readFileSync(path, 'utf8') : '',
  );
  const [errors, failures, skipped, tests] = (counts ?? [0, 0, 0, 0, 0]).slice(1).map(Number);
  return { passed: tests - errors - failures - skipped, failed: errors + failures };
}
