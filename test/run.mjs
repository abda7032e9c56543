// Runs test suites (folders of test/) with node's own test runner and sums them up.
//   node test/run.mjs --short           unit tests, the model's on the tiny bundle alone, the real VS Code at its shortest
//   node test/run.mjs                   the rest: models, language server, packages, the real VS Code
//   node test/run.mjs unit model        whole suites by name
//   … --only SUBSTRING                  of all that, files whose path holds a text
// The last line is "N passed, M failed", with the names of tests that were skipped behind it; the exit code says the same.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The one test of the real VS Code that every change must pass. */
const SMOKE = join('test', 'editor', 'smoke.test.ts');

/** Tests of a model that has to be got first (`npm run coder`). */
const CODER = join('test', 'model', 'coder.test.ts');

const SHORT = [
  { suite: 'unit' },
  { suite: 'model', environment: { THOUGHTLINE_TEST_BUNDLES: 'tiny' }, takes: (file) => file !== CODER },
  { suite: 'editor', takes: (file) => file === SMOKE },
];
const REST = [
  { suite: 'model' },
  { suite: 'server' },
  { suite: 'package' },
  { suite: 'editor', takes: (file) => file !== SMOKE },
];

const root = fileURLToPath(new URL('..', import.meta.url));
const { parts, only } = parse(process.argv.slice(2));
const total = { passed: 0, failed: 0, skipped: [] };

for (const { suite, environment, takes = () => true } of parts) {
  const all = testFiles(join('test', suite));
  const files = all.filter(takes).filter((file) => file.includes(only));
  if (all.length === 0) {
    console.error(`test/${suite}: no *.test.ts files`);
    total.failed += 1;
  }
  if (files.length === 0) continue;
  console.log(`\n${suite}: ${files.length} files`);
  const { passed, failed, skipped } = await run(suite, files, environment);
  total.passed += passed;
  total.failed += failed;
  total.skipped.push(...skipped);
}

const skips = total.skipped.length > 0 ? `, ${total.skipped.length} skipped: ${total.skipped.join('; ')}` : '';
console.log(`\n${total.passed} passed, ${total.failed} failed${skips}`);
process.exitCode = total.failed > 0 ? 1 : 0;

function parse(words) {
  const at = words.indexOf('--only');
  const only = at === -1 ? '' : (words[at + 1] ?? '');
  const named = words.filter((word, index) => word !== '--short' && (at === -1 || (index !== at && index !== at + 1)));
  if (words.includes('--short')) return { parts: SHORT, only };
  return { parts: named.length > 0 ? named.map((suite) => ({ suite })) : REST, only };
}

function testFiles(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((name) => name.endsWith('.test.ts'))
    .sort();
}

/** Runs files of a suite. */
async function run(suite, files, environment) {
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-tests-'));
  try {
    const more = suite === 'editor' ? await installed(folder) : {};
    return await runIn(folder, suite, files, { ...environment, ...more });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Packs and installs the extension once for all files of the editor's suite, and clears the pictures of the run before. */
async function installed(folder) {
  rmSync(join(root, 'test', 'editor', 'screenshots'), { recursive: true, force: true });
  // Where it fails, each file tries it, and says why.
  if ((await node(['--import=tsx', 'test/editor/prepare.ts', folder])) !== 0) return {};
  const extensions = join(folder, 'extensions');
  return {
    THOUGHTLINE_VSIX: join(folder, 'thoughtline.vsix'),
    ...(existsSync(extensions) && { THOUGHTLINE_EXTENSIONS: extensions }),
  };
}

/** A runner that ended badly without naming a failure, or counted nothing, counts as one failure. */
async function runIn(folder, suite, files, environment) {
  const report = join(folder, 'counts.json');
  const code = await node(
    [
      '--import=tsx',
      '--import=./test/ending.mjs',
      '--test',
      // Models, servers and packages measure time or own processes: one file after the other. Unit tests do not, and a window
      // mostly waits; its processes are known by a folder of its own.
      `--test-concurrency=${suite === 'unit' || suite === 'editor' ? 2 : 1}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=./test/counts.mjs',
      `--test-reporter-destination=${report}`,
      ...files,
    ],
    environment,
  );
  const text = existsSync(report) ? readFileSync(report, 'utf8') : '';
  const { passed, failed, skipped } = text === '' ? { passed: 0, failed: 0, skipped: [] } : JSON.parse(text);
  const silent = failed === 0 && (code !== 0 || passed + skipped.length === 0);
  return { passed, failed: silent ? 1 : failed, skipped };
}

/** Runs node, its output passed on. @returns its exit code */
function node(args, environment) {
  return new Promise((done) => {
    const env = { ...process.env, ...environment };
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
    child.on('close', (code) => done(code ?? 1));
  });
}
