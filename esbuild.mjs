// Bundles the programs into dist/: extension, language server, inference process and command line. What the extension
// needs only once its server runs, the language client, is a bundle of its own: activation does not have to read it.
//   node esbuild.mjs [--production] [--watch]
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as asc from 'assemblyscript/asc';
import * as esbuild from 'esbuild';

const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');

const programs = ['server', 'inference', 'cli'];

/** The table of languages names the grammars that ship. */
const { LANGUAGES } = await fromSource('src/languages.ts');

/** Grammars of the syntax check (src/syntax/grammar.ts), and the runtime that reads them. */
const parsers = new Set(Object.values(LANGUAGES).flatMap(({ parser }) => parser ?? []));
const grammars = ['tree-sitter', ...[...parsers].map((name) => `tree-sitter-${name}`)];

/** @type {esbuild.BuildOptions} */
const options = {
  entryPoints: [
    ...programs.map((name) => ({ in: `src/${name}/main.ts`, out: name })),
    { in: 'src/extension/client.ts', out: 'client' },
  ],
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // VS Code provides `vscode`; ONNX Runtime loads a native library, or a WebAssembly module, that lies beside it.
  external: ['vscode', 'onnxruntime-node', 'onnxruntime-web'],
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
const wasm = dirname(createRequire(import.meta.url).resolve('@vscode/tree-sitter-wasm'));
mkdirSync('dist/grammars', { recursive: true });
for (const name of grammars) copyFileSync(join(wasm, `${name}.wasm`), join('dist/grammars', `${name}.wasm`));
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
  writeFileSync('dist/meta.json', JSON.stringify({ outputs }));
  chmodSync('dist/cli.js', 0o755);
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
