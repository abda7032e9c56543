// Bundles the four programs into dist/: extension, language server, inference process and command line.
//   node esbuild.mjs [--production] [--watch]
import { chmodSync, rmSync } from 'node:fs';
import * as esbuild from 'esbuild';

const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');

const programs = ['extension', 'server', 'inference', 'cli'];

/** @type {esbuild.BuildOptions} */
const options = {
  entryPoints: programs.map((name) => ({ in: `src/${name}/main.ts`, out: name })),
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // VS Code provides `vscode`; onnxruntime-node loads a native library that lies beside it.
  external: ['vscode', 'onnxruntime-node'],
  // Packages with both kinds of entry: the ES modules bundle cleanly, UMD wrappers hide their imports.
  mainFields: ['module', 'main'],
  sourcemap: !production,
  minify: production,
  legalComments: 'none',
  logLevel: 'warning',
};

// Source maps of an earlier build would be packed.
if (production) rmSync('dist', { recursive: true, force: true });
if (watch) {
  const context = await esbuild.context({ ...options, logLevel: 'info' });
  await context.watch();
} else {
  await esbuild.build(options);
  chmodSync('dist/cli.js', 0o755);
}
