// Runs the Python tests in the virtual environment of the training package.
// The last line is "N passed, M failed", with the names of tests that were skipped behind it; the exit code says the same.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { train, trainEnvironment } from './environment.mjs';

let passed = 0;
let failed = 1;
let skipped = [];
try {
  ({ passed, failed, skipped } = test(trainEnvironment()));
} catch (error) {
  console.error(error.message);
}
const skips = skipped.length > 0 ? `, ${skipped.length} skipped: ${skipped.join('; ')}` : '';
console.log(`\n${passed} passed, ${failed} failed${skips}`);
process.exitCode = failed === 0 ? 0 : 1;

function test({ folder, python }) {
  const report = join(folder, 'report.xml');
  rmSync(report, { force: true });
  const { status } = spawnSync(python, ['-m', 'pytest', '--quiet', `--junit-xml=${report}`, ...process.argv.slice(2)], {
    cwd: train,
    stdio: 'inherit',
    // Compiling takes longer than the tiny models of the tests run.
    env: { ...process.env, TORCH_COMPILE_DISABLE: '1' },
  });
  const { passed, failed, skipped } = summary(existsSync(report) ? readFileSync(report, 'utf8') : '');
  // A run that ended badly without naming a failure counts as one, and so does one that counted nothing.
  return { passed, failed: failed === 0 && (status !== 0 || passed === 0) ? 1 : failed, skipped };
}

/** What pytest's JUnit report counts. */
function summary(xml) {
  const counts = /<testsuite [^>]*?errors="(\d+)" failures="(\d+)" skipped="(\d+)" tests="(\d+)"/.exec(xml);
  const [errors, failures, left, tests] = (counts ?? [0, 0, 0, 0, 0]).slice(1).map(Number);
  const skipped = [...xml.matchAll(/<testcase [^>]*?name="([^"]*)"[^>]*><skipped/g)].map(([, name]) => name);
  return { passed: tests - errors - failures - left, failed: errors + failures, skipped };
}
