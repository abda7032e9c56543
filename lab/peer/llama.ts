import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Bundle } from '../../src/model/bundle';
import { UserError } from '../../src/model/errors';
import { initializers } from '../../src/model/initializers';
import { writeRandomModel, type Shape } from './gguf';

/** The release that `bench --peer` compares with, and where npm puts it: it is no part of Thoughtline. */
export const RELEASE = '3.22.1';
const FOLDER = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'thoughtline', 'peer');

/** What is used of node-llama-cpp. */
interface Library {
  getLlama(options: object): Promise<{
    readonly systemInfo: string;
    loadModel(options: object): Promise<{
      createContext(options: object): Promise<{ getSequence(): Sequence; dispose(): Promise<void> }>;
      dispose(): Promise<void>;
    }>;
    dispose(): Promise<void>;
  }>;
}

interface Sequence {
  clearHistory(): Promise<void>;
  /** Erases what differs from these tokens; what is shared stays in the prompt cache. */
  adaptStateToTokens(tokens: readonly number[], allowShift: boolean): Promise<void>;
  readonly nextTokenIndex: number;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  evaluate(tokens: readonly number[], options: object): AsyncGenerator<number, void>;
}

/** llama.cpp on a model of a bundle's shape with random weights. */
export class Peer {
  readonly #sequence: Sequence;
  readonly #close: () => Promise<void>;

  private constructor(sequence: Sequence, close: () => Promise<void>) {
    this.#sequence = sequence;
    this.#close = close;
  }

  /**
   * On random weights in the shape of a bundle's decoder.
   * @throws UserError if the library is not installed
   */
  static async open(bundle: Bundle, threads: number): Promise<Peer> {
    const scratch = await mkdtemp(join(tmpdir(), 'thoughtline-peer-'));
    try {
      const modelPath = join(scratch, 'random.gguf');
      const shape = await shapeOf(bundle);
      await writeRandomModel(modelPath, shape);
      return await Peer.openFile(modelPath, threads, shape.context);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  /**
   * On the weights of a GGUF file.
   * @param contextSize tokens
   * @throws UserError if the library is not installed
   */
  static async openFile(modelPath: string, threads: number, contextSize: number): Promise<Peer> {
    const library = await load();
    const settings = { gpu: false, build: 'never', skipDownload: true, logLevel: 'error', maxThreads: threads };
    const llama = await library.getLlama(settings);
    const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
    const context = await model.createContext({ contextSize, batchSize: 512, threads, sequences: 1 });
    const close = async () => {
      await context.dispose();
      await model.dispose();
      await llama.dispose();
    };
    return new Peer(context.getSequence(), close);
  }

  /** Forgets the prompt cache and reads a window. */
  async read(tokens: readonly number[]): Promise<void> {
    await this.#sequence.clearHistory();
    await this.#sequence.evaluateWithoutGeneratingNewTokens(tokens);
  }

  /**
   * Writes greedily after a window, of which it reads only what is not in the prompt cache.
   * @returns tokens written; fewer than wanted if it was aborted
   */
  async write(window: readonly number[], count: number, signal?: { readonly aborted: boolean }): Promise<number> {
    let written = 0;
    for await (const token of this.tokens(window)) {
      if (token >= 0) written++;
      if (written === count || signal?.aborted) break;
    }
    return written;
  }

  /** The tokens that it writes greedily after a window, of which it reads only what is not in the prompt cache. */
  async *tokens(window: readonly number[]): AsyncGenerator<number, void> {
    await this.#sequence.adaptStateToTokens(window.slice(0, -1), false);
    const unread = window.slice(this.#sequence.nextTokenIndex);
    const writing = this.#sequence.evaluate(unread, { temperature: 0, yieldEogToken: true });
    try {
      for (let next = await writing.next(); !next.done; next = await writing.next()) yield next.value;
    } finally {
      await writing.return();
    }
  }

  close(): Promise<void> {
    return this.#close();
  }
}

async function load(): Promise<Library> {
  const path = join(FOLDER, 'node_modules', 'node-llama-cpp', 'dist', 'index.js');
  if (!existsSync(path)) {
    const packages = `node-llama-cpp@${RELEASE} @node-llama-cpp/${process.platform}-${process.arch}@${RELEASE}`;
    throw new UserError(
      `--peer llama.cpp: node-llama-cpp is not in ${FOLDER}; npm install --ignore-scripts --prefix ${FOLDER} ${packages}`,
    );
  }
  return (await import(pathToFileURL(path).href)) as Library;
}

/** The shape of a bundle's decoder. @throws UserError if its graph does not show the width of its layers */
async function shapeOf({ manifest, graphs, directory }: Bundle): Promise<Shape> {
  const { vocabulary, width, layers, heads, kvHeads, headWidth } = manifest.architecture;
  const hidden = hiddenWidth(await readFile(graphs.trunk), width);
  if (hidden === undefined)
    throw new UserError(`${directory}: its trunk names no matrix "down"; compare another model`);
  const context = Math.max(1024, manifest.window.tokens);
  return { vocabulary, width, hidden, layers, heads, kvHeads, headWidth, context };
}

/** Width of the hidden layer: what the matrix that leads out of it has beside the states' width. */
export function hiddenWidth(model: Uint8Array, width: number): number | undefined {
  for (const { name, shape } of initializers(model)) {
    if (/\.down\.(f16|q\d)$/.test(name)) return shape.reduce((product, size) => product * size, 1) / width;
  }
  return undefined;
}
