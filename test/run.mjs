// Runs the suites named on the command line (folders of test/) with node's own test runner and sums them up.
//   node test/run.mjs unit model [--only SUBSTRING]
// The last line is "N passed, M failed", with the names of tests that were skipped behind it; the exit code says the same.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Characters at the end of the runner's output that hold its summary, and the failures after it. */
const SUMMARY = 1 << 20;

const root = fileURLToPath(new URL('..', import.meta.url));
const { suites, only } = parse(process.argv.slice(2));
const total = { passed: 0, failed: 0, skipped: [] };

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
  total.skipped.push(...skipped);
}

const skips = total.skipped.length > 0 ? `, ${total.skipped.length} skipped: ${total.skipped.join('; ')}` : '';
console.log(`\n${total.passed} passed, ${total.failed} failed${skips}`);
process.exitCode = total.failed > 0 ? 1 : 0;

async function run(suite, files) {
  const { code, said } = await node([
    '--import=tsx',
    '--import=./test/ending.mjs',
    '--test',
    // Everything but the pure parts measures time or owns processes: one file after the other.
    `--test-concurrency=${suite === 'unit' ? 2 : 1}`,
    '--test-reporter=spec',
    ...files,
  ]);
  const passed = count(said, 'pass');
  const failed = count(said, 'fail') + count(said, 'cancelled');
  return {
    passed,
    // A runner that ended badly without naming a failure counts as one, and so does one that counted nothing.
    failed: failed === 0 && (code !== 0 || passed === 0) ? 1 : failed,
    skipped: skippedIn(said),
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

/** A figure of the summary that the runner ends with. */
function count(said, word) {
  return Number(new RegExp(`^\\W*${word} (\\d+)\\W*$`, 'm').exec(said.slice(-SUMMARY))?.[1] ?? 0);
}

/** Names of the tests that were skipped: the lines of the report that the runner marks so. */
function skippedIn(said) {
  return [...said.matchAll(/^\s*﹣ (.*) \([\d.]+ms\) # /gmu)].map(([, name]) => name);
}

/** Runs node, its output passed on; with the end of what it said on standard output. */
function node(args) {
  return new Promise((done) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['inherit', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      process.stdout.write(text);
      said = (said + text).slice(-SUMMARY);
    });
    child.on('close', (code) => done({ code: code ?? 1, said }));
  });
}
