import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileWithin, verifiedPath } from './checksum';
import { UserError } from './errors';
import { checkGraphs } from './graphCheck';
import { filesOf, parseManifest, type Manifest } from './manifest';
import { thoughtSize } from './thoughtShape';
import { Tokenizer } from './tokenizer';

/** A model bundle whose files have been checked against its manifest; its sessions are opened apart. */
export interface Bundle {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly tokenizer: Tokenizer;
  /** The mean of the thought's prior, z = 0, [top layers, features, width]; empty where the decoder reads no thought. */
  readonly prior: Float32Array;
  /** Absolute paths of the graphs. */
  readonly graphs: GraphPaths;
  /** Absolute path of the weights, which all graphs share. */
  readonly weights: string;
}

export interface GraphPaths {
  readonly trunk: string;
  readonly top: string;
  /** Where the decoder reads a thought. */
  readonly evidence?: string | undefined;
}

/** A manifest has some thousand bytes. */
const MAX_MANIFEST_BYTES = 2 ** 20;

/**
 * Opens a model folder: manifest, sizes, SHA-256 of every file, what the graphs refer to, tokenizer, prior.
 * @param onProgress called with the share of the files' bytes that have been checked, 0 to 1
 * @throws UserError in one line
 */
export async function openBundle(directory: string, onProgress?: (fraction: number) => void): Promise<Bundle> {
  const folder = await stat(directory).catch(() => undefined);
  if (!folder?.isDirectory()) {
    throw new UserError(`${directory}: no such model folder; give the folder that holds manifest.json`);
  }
  const manifestPath = join(directory, 'manifest.json');
  const { size } = await fileWithin(directory, manifestPath);
  if (size > MAX_MANIFEST_BYTES) {
    throw new UserError(`${manifestPath}: ${size} bytes are too many for a manifest; install the model again`);
  }
  const manifest = parseManifest(await readFile(manifestPath, 'utf8'), manifestPath);

  const entries = filesOf(manifest);
  const total = entries.reduce((sum, [, file]) => sum + file.bytes, 0);
  const paths: Record<string, string> = {};
  let checked = 0;
  for (const [name, file] of entries) {
    paths[name] = await verifiedPath(directory, file);
    checked += file.bytes;
    onProgress?.(checked / Math.max(1, total));
  }
  const path = (name: 'trunk' | 'top' | 'weights' | 'tokenizer') => paths[name] as string;
  const graphs = { trunk: path('trunk'), top: path('top'), evidence: paths['evidence'] };
  await checkGraphs(graphs, manifest);

  return {
    directory,
    manifest,
    tokenizer: readTokenizer(await readFile(path('tokenizer'), 'utf8'), manifest, path('tokenizer')),
    prior: new Float32Array(thoughtSize(manifest)),
    graphs,
    weights: path('weights'),
  };
}

function readTokenizer(text: string, manifest: Manifest, path: string): Tokenizer {
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(text, manifest.tokenizer?.pieces);
  } catch (error) {
    throw new UserError(`${path}: not a byte-level BPE tokenizer (${String(error)}); install the model again`);
  }
  if (tokenizer.size > manifest.architecture.vocabulary) {
    throw new UserError(
      `${path}: ${tokenizer.size} tokens, but the model's vocabulary is ${manifest.architecture.vocabulary}; install the model again`,
    );
  }
  return tokenizer;
}
