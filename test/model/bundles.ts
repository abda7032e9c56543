import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { Engine, type CompletionRequest, type Thought } from '../../src/completion/engine';
import type { Manifest } from '../../src/model/manifest';
import { loadRuntime, type Runtime } from '../../src/model/runtime';
import { loadWasm } from '../../src/model/wasm';
import { FROZEN, hasNano, NANO, TINY } from '../fixtures';

/** The bundles that a check of the code (not of the training) runs on. */
export const BUNDLES: readonly [name: string, directory: string][] = [
  ['tiny', TINY],
  ...(hasNano ? ([['nano', NANO]] as const) : []).map(([name, directory]): [string, string] => [name, directory]),
];

/** ONNX Runtime's builds. Where the native one is missing both are WebAssembly. */
export const BUILDS: readonly [name: string, load: () => Promise<Runtime>][] = [
  ['native', loadRuntime],
  ['WebAssembly', () => loadWasm('a test asks for it')],
];

/** Opens an engine before the tests of a suite and closes it after them. */
export function withEngine(directory: string): () => Engine {
  let engine: Engine | undefined;
  before(async () => {
    // Chunks as long as in training: how fast a gradient is depends on what else the machine does.
    engine = await Engine.open(directory, { device: 'cpu', trainedChunks: true });
  });
  after(() => engine?.close());
  return () => engine as Engine;
}

/** A folder that is gone after the tests of a suite. */
export function withScratch(): () => string {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thoughtline-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  return () => folder;
}

/** A copy of the tiny bundle, or another, that a test may damage. */
export async function copyOfTiny(folder: string, name: string, original = TINY): Promise<string> {
  const copy = join(folder, name);
  await cp(original, copy, { recursive: true });
  return copy;
}

/** Changes a bundle's manifest. */
export async function editManifest(directory: string, change: (manifest: Manifest) => void): Promise<void> {
  const path = join(directory, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Manifest;
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
}

/** Changes a file of a bundle such that its manifest describes it again. */
export async function editFile(
  directory: string,
  name: keyof Manifest['files'],
  change: (bytes: Buffer) => Buffer,
): Promise<void> {
  const manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')) as Manifest;
  const path = join(directory, manifest.files[name]!.path);
  const bytes = change(await readFile(path));
  await writeFile(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await editManifest(directory, ({ files }) => (files[name] = { ...files[name]!, bytes: bytes.length, sha256 }));
}

/** A request in a frozen file, at the given share of its text. */
export async function requestIn(file: string, share: number, folder = FROZEN): Promise<CompletionRequest> {
  const text = (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n');
  const line = text.indexOf('\n', Math.floor(text.length * share));
  return { path: file, prefix: text.slice(0, line), suffix: text.slice(line), related: [] };
}

/** The thought after a number of steps. */
export async function think(engine: Engine, request: CompletionRequest, steps: number): Promise<Thought> {
  const refinement = engine.refinement(request, { steps });
  while (await refinement.advance());
  return engine.thought(refinement);
}

export async function writeJsonl(path: string, items: readonly unknown[]): Promise<void> {
  await writeFile(
    path,
    items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join('\n') + '\n',
  );
}
