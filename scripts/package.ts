/**
 * Packs the extension for one platform.
 *   npm run package [-- --target linux-x64|all] [--models nano] [--out FILE.vsix]
 * The VSIX holds the bundled programs, the models named, ONNX Runtime's library for that platform only (or its
 * WebAssembly build where there is none), the notices of what is in it, and its bill of materials. One commit gives one
 * VSIX, byte for byte.
 */
import { createVSIX } from '@vscode/vsce';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { NATIVE_PLATFORMS, ownPlatform, PLATFORMS, type Platform } from '../src/model/platform';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface PackOptions {
  target: Platform;
  /** Folders of models/ to include. */
  models: string[];
  /** The file to write; left out: `thoughtline-TARGET-VERSION.vsix` in the repository's root. */
  out?: string;
}

/** The target of this machine. @throws Error where there is none */
export function ownTarget(): Platform {
  const own = ownPlatform();
  const target = PLATFORMS.find((one) => one === own);
  if (target === undefined) throw new Error(`no package is made for ${own}, but for ${PLATFORMS.join(', ')}`);
  return target;
}

/**
 * Builds and packs.
 * @returns path of the VSIX
 * @throws Error naming a missing model or library
 */
export async function packExtension(options: PackOptions): Promise<string> {
  const { version, repository } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string;
    repository: { url: string };
  };
  // Pictures and links of the page are those of this version, wherever it is shown.
  const site = repository.url.replace(/\.git$/, '');
  const runtime = await runtimeFiles(options.target);
  for (const model of options.models) {
    const manifest = `models/${model}/manifest.json`;
    if (!existsSync(join(root, manifest)))
      throw new Error(`${manifest} is missing: there is no model bundle of that name`);
  }
  const packagePath = options.out ?? join(root, `thoughtline-${options.target}-${version}.vsix`);
  const scratch = await mkdtemp(join(tmpdir(), 'thoughtline-pack-'));
  // With a time given, vsce sorts its files and stamps them all with it; a ZIP holds local times.
  process.env['SOURCE_DATE_EPOCH'] ??= String(commitTime());
  process.env['TZ'] = 'UTC';
  // For scripts/shipped.ts, which vsce runs once the programs are built.
  process.env['THOUGHTLINE_TARGET'] = options.target;
  try {
    const ignoreFile = join(scratch, 'ignore');
    const included = [...runtime, ...options.models.map((model) => `models/${model}/**`)].map((name) => `!${name}`);
    // Weights for other libraries.
    const excluded = 'models/*/model.safetensors';
    await writeFile(
      ignoreFile,
      `${await readFile(join(root, '.vscodeignore'), 'utf8')}\n${included.join('\n')}\n${excluded}\n`,
    );
    await createVSIX({
      cwd: root,
      target: options.target,
      packagePath,
      ignoreFile,
      useYarn: false,
      readmePath: 'MARKETPLACE.md',
      baseContentUrl: `${site}/blob/v${version}`,
      baseImagesUrl: `${site}/raw/v${version}`,
      // The list above names every file; searching 16 MB of weights for passwords finds only noise.
      allowPackageAllSecrets: true,
      allowPackageEnvFile: true,
    });
    return packagePath;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Patterns of the files of ONNX Runtime that compute on a platform. @throws Error where they are not installed */
async function runtimeFiles(target: Platform): Promise<string[]> {
  const native = NATIVE_PLATFORMS.some((one) => one === target);
  const modules = native ? 'cjs' : 'esm';
  const common = ['package.json', `dist/${modules}/package.json`, `dist/${modules}/*.js`];
  return [
    ...common.map((name) => `node_modules/onnxruntime-common/${name}`),
    ...(native ? await nativeFiles(target) : wasmFiles),
  ];
}

/**
 * The native library's files without CUDA and TensorRT providers, which a user's own install of ONNX Runtime may have
 * fetched, and without the copy of macOS' library under its full version, which nothing loads.
 */
async function nativeFiles(target: Platform): Promise<string[]> {
  const folder = 'node_modules/onnxruntime-node';
  const library = `${folder}/bin/napi-v6/${target.replace('-', '/')}`;
  if (!existsSync(join(root, library))) throw new Error(`${library} is missing: run npm ci`);
  const names = (await readdir(join(root, library))).filter(
    (name) => !/cuda|tensorrt|\.\d+\.\d+\.\d+\.dylib$/i.test(name),
  );
  return [`${folder}/package.json`, `${folder}/dist/**/*.js`, ...names.map((name) => `${library}/${name}`)];
}

/** Of the WebAssembly build what Node.js loads: its other modules are for GPUs in browsers. */
const wasmFiles = [
  'package.json',
  'dist/ort.node.min.mjs',
  'dist/ort-wasm-simd-threaded.mjs',
  'dist/ort-wasm-simd-threaded.wasm',
].map((name) => `node_modules/onnxruntime-web/${name}`);

/** When the commit at hand was made, in seconds since 1970; the first time that a ZIP can hold, outside of a repository. */
function commitTime(): number {
  const { stdout } = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' });
  return Number(stdout) || 315_532_800;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string' },
      models: { type: 'string', default: 'nano' },
      out: { type: 'string' },
    },
  });
  const targets = values.target === 'all' ? PLATFORMS : [asTarget(values.target)];
  if (targets.length > 1 && values.out !== undefined) throw new Error('--out names one file, not those of all targets');
  const chosen = values.models.split(',').filter((name) => name !== '');
  for (const target of targets) {
    const path = await packExtension({
      target,
      models: chosen,
      ...(values.out === undefined ? {} : { out: values.out }),
    });
    process.stdout.write(`${path}: ${((await stat(path)).size / 2 ** 20).toFixed(1)} MB\n`);
  }
}

function asTarget(name: string | undefined): Platform {
  if (name === undefined) return ownTarget();
  const target = PLATFORMS.find((one) => one === name);
  if (target === undefined) throw new Error(`--target is ${name}; it can be all, ${PLATFORMS.join(', ')}`);
  return target;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
