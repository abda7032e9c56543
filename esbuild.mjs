// Bundles the programs into dist/: extension, language server, inference process, adoption and command line. Bundles of
// their own are the language client, which the extension needs only once its server runs: activation does not have to
// read it; and how the command line gets the code model and serves others: nothing else of it knows the network.
//   node esbuild.mjs [--production] [--watch]
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as asc from 'assemblyscript/asc';
import * as esbuild from 'esbuild';
import { grammars as ownGrammars, injections } from 'tm-grammars';

const require = createRequire(import.meta.url);
const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');

const programs = ['server', 'inference', 'endpoint', 'adopt', 'cli'];

/** What measures: for the laboratory alone, it is in no package. */
const laboratory = { in: 'lab/main.ts', out: 'lab' };

/** The table of languages names the grammars that ship. */
const { EMBEDDED_GRAMMARS, LANGUAGES } = await fromSource('src/languages.ts');

/** Grammars of the syntax check (src/syntax/grammar.ts), and the runtime that reads them. */
const parsers = new Set(Object.values(LANGUAGES).flatMap(({ parser }) => parser ?? []));
const grammars = ['tree-sitter', ...[...parsers].map((name) => `tree-sitter-${name}`)];

/** @type {esbuild.BuildOptions} */
const options = {
  entryPoints: [
    ...programs.map((name) => ({ in: `src/${name}/main.ts`, out: name })),
    { in: 'src/extension/client.ts', out: 'client' },
    { in: 'src/cli/obtain.ts', out: 'obtain' },
    { in: 'src/cli/serving.ts', out: 'serving' },
    ...(production ? [] : [laboratory]),
  ],
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // VS Code provides `vscode`; ONNX Runtime loads a native library, or a WebAssembly module, that lies beside it.
  external: ['vscode', 'onnxruntime-node', 'onnxruntime-web', './obtain.js', './serving.js'],
  // Packages with both kinds of entry: the ES modules bundle cleanly, UMD wrappers hide their imports.
  mainFields: ['module', 'main'],
  // The grammars' runtime could load over a network and make code of what it loads, as a web page may. These programs do not.
  define: { fetch: 'undefined', XMLHttpRequest: 'undefined', eval: 'undefined' },
  sourcemap: !production,
  minify: production,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
};

/** @type {esbuild.BuildOptions} */
const extension = {
  ...options,
  entryPoints: [{ in: 'src/extension/main.ts', out: 'extension' }],
  external: [...options.external, './client'],
  // `import('./client')` becomes `require`: an import would want the file's whole name.
  supported: { 'dynamic-import': false },
};

// Source maps of an earlier build would be packed.
if (production) rmSync('dist', { recursive: true, force: true });
const wasm = dirname(require.resolve('@vscode/tree-sitter-wasm'));
mkdirSync('dist/grammars', { recursive: true });
for (const name of grammars) copyFileSync(join(wasm, `${name}.wasm`), join('dist/grammars', `${name}.wasm`));
const textMate = copyTextMate();
await compileKernel();
if (watch) {
  for (const one of [options, extension]) {
    const context = await esbuild.context({ ...one, logLevel: 'info' });
    await context.watch();
  }
} else {
  const built = await Promise.all([options, extension].map((one) => esbuild.build(one)));
  // What lies in each program, for scripts/shipped.ts.
  const outputs = Object.assign({}, ...built.map(({ metafile }) => metafile.outputs));
  writeFileSync('dist/meta.json', JSON.stringify({ outputs, textMate }));
  for (const program of ['cli', 'server']) chmodSync(`dist/${program}.js`, 0o755);
}

/** The grammars that tell comments and strings (src/scopes/grammars.ts), by scope name, and the engine that reads them. */
function copyTextMate() {
  rmSync('dist/textmate', { recursive: true, force: true });
  mkdirSync('dist/textmate', { recursive: true });
  copyFileSync(join(dirname(require.resolve('vscode-oniguruma')), 'onig.wasm'), 'dist/textmate/onig.wasm');
  const scopeNames = Object.values(LANGUAGES).map((language) => language.textMate);
  const wanted = new Set([...scopeNames, ...EMBEDDED_GRAMMARS]);
  const shipped = [...ownGrammars, ...injections].filter(({ scopeName }) => wanted.has(scopeName));
  for (const { name, scopeName } of shipped) {
    const text = readFileSync(require.resolve(`tm-grammars/grammars/${name}.json`), 'utf8');
    writeFileSync(`dist/textmate/${scopeName}.json`, JSON.stringify(JSON.parse(text)));
  }
  return shipped.map(({ name, license }) => ({ name, licence: license }));
}

/** What a TypeScript module without side effects exports. */
async function fromSource(path) {
  const { outputFiles } = await esbuild.build({ entryPoints: [path], bundle: true, format: 'esm', write: false });
  return await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

/** kernel/operations.ts, which is AssemblyScript, becomes dist/kernel.wasm. */
async function compileKernel() {
  const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--enable', 'simd'];
  const { error, stderr } = await asc.main(['kernel/operations.ts', ...flags, '--outFile', 'dist/kernel.wasm']);
  if (error) throw new Error(`kernel/operations.ts: ${stderr.toString()}`, { cause: error });
}
