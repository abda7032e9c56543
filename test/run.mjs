// Runs the suites named on the command line (folders of test/) with node's own test runner and sums them up.
//   node test/run.mjs unit model [--only SUBSTRING]
// The last line is "N passed, M failed"; the exit code says the same.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { suites, only } = parse(process.argv.slice(2));
const scratch = mkdtempSync(join(tmpdir(), 'thoughtline-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };

for (const suite of suites) {
  const files = testFiles(join('test', suite)).filter((file) => file.includes(only));
  if (files.length === 0) {
    if (only === '') {
      console.error(`test/${suite}: no *.test.ts files`);
      total.failed += 1;
    }
    continue;
  }
  console.log(`\n${suite}: ${files.length} files`);
  let { passed, failed, skipped } = await run(suite, files);
  if (failed > 0 && suite === 'editor') {
    // A real browser on a busy machine can miss a key or a deadline: what fails twice has failed.
    console.log('\neditor: once more');
    ({ passed, failed, skipped } = await run(suite, files));
  }
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
}

rmSync(scratch, { recursive: true, force: true });
if (total.skipped > 0) console.log(`\n${total.skipped} skipped`);
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;

async function run(suite, files) {
  const report = join(scratch, `${suite}.tap`);
  const code = await node([
    '--import=tsx',
    '--test',
    // A test that fails may leave a server running: its file ends all the same, and the server with it.
    '--test-force-exit',
    // Everything but the pure parts measures time or owns processes: one file after the other.
    `--test-concurrency=${suite === 'unit' ? 2 : 1}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${report}`,
    ...files,
  ]);
  const tap = existsSync(report) ? readFileSync(report, 'utf8') : '';
  const failed = count(tap, 'fail') + count(tap, 'cancelled');
  return {
    passed: count(tap, 'pass'),
    // A runner that ended badly without naming a failure counts as one.
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: count(tap, 'skipped'),
  };
}

function parse(words) {
  const at = words.indexOf('--only');
  if (at === -1) return { suites: words, only: '' };
  return { suites: words.filter((_, index) => index !== at && index !== at + 1), only: words[at + 1] ?? '' };
}

function testFiles(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((name) => name.endsWith('.test.ts'))
    .sort();
}

function count(tap, word) {
  return Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(tap)?.[1] ?? 0);
}

function node(args) {
  return new Promise((done) => {
    spawn(process.execPath, args, { cwd: root, stdio: 'inherit' }).on('close', (code) => done(code ?? 1));
  });
}
