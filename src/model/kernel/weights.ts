import { readFile } from 'node:fs/promises';
import type { Bundle } from '../bundle';
import { initializers, type Initializer } from '../initializers';
import type { Manifest } from '../manifest';

/** Weights that share a scale. */
export const BLOCK = 32;

/** A matrix in blocks of 8 bits, as `export --bits 8` stores it: weight = scale · (byte − 128). */
export interface Matrix {
  readonly outputs: number;
  readonly inputs: number;
  /** [outputs, inputs] */
  readonly bytes: Uint8Array;
  /** [outputs, inputs / 32] */
  readonly scales: Float32Array;
}

/** The weights of one layer; those that are named after the thought only where it reads one. */
export interface LayerWeights {
  readonly norms: { readonly attention: Float32Array; readonly mlp: Float32Array };
  readonly matrices: Record<'queryKeyValue' | 'output' | 'gateUp' | 'down', Matrix>;
  readonly thought?: {
    readonly norm: Float32Array;
    readonly matrices: Record<'query' | 'keyValue' | 'output', Matrix>;
  };
}

export interface DecoderWeights {
  readonly embedding: Matrix;
  /** The same matrix as the embedding, where they are tied. */
  readonly head: Matrix;
  readonly finalNorm: Float32Array;
  readonly layers: readonly LayerWeights[];
}

/**
 * The weights of a bundle in blocks of 8 bits.
 * @returns undefined where they are stored in another way, or where the decoder has parts that the kernel does not know
 */
export async function readWeights({ graphs, weights, manifest }: Bundle): Promise<DecoderWeights | undefined> {
  const { layers, trunkLayers, attentionBias, priorHidden } = manifest.architecture;
  if (attentionBias === true || priorHidden !== undefined) return undefined;
  const [trunkTensors, topTensors] = await Promise.all([graphs.trunk, graphs.top].map(tensorsOf));
  // Weights of another kind need not be read to know that.
  if (!trunkTensors || !topTensors || ![...trunkTensors.keys()].some(isBlocks)) return undefined;
  const file = await readFile(weights);
  const trunk = new GraphWeights(trunkTensors, file, manifest);
  const top = new GraphWeights(topTensors, file, manifest);
  const embedding = trunk.vocabulary();
  const head = top.vocabulary();
  const finalNorm = top.vector('decoder.final_norm');
  const read = Array.from({ length: layers }, (_, i) =>
    i < trunkLayers ? trunk.layer(i, false) : top.layer(i - trunkLayers, true),
  );
  if (!embedding || !head || !finalNorm || !read.every((layer) => layer !== undefined)) return undefined;
  const tied = head.bytes.byteOffset === embedding.bytes.byteOffset;
  return { embedding, head: tied ? embedding : head, finalNorm, layers: read };
}

type Tensors = ReadonlyMap<string, Initializer>;

async function tensorsOf(graph: string): Promise<Tensors> {
  return new Map([...initializers(await readFile(graph))].map((tensor) => [tensor.name, tensor]));
}

function isBlocks(name: string): boolean {
  return name.endsWith('.q8');
}

/** One graph's weights by the names that `train/thoughtline_train/graphs.py` gives them. */
class GraphWeights {
  readonly #tensors: Tensors;
  readonly #file: Buffer;
  readonly #architecture: Manifest['architecture'];

  constructor(tensors: Tensors, file: Buffer, { architecture }: Manifest) {
    this.#tensors = tensors;
    this.#file = file;
    this.#architecture = architecture;
  }

  layer(index: number, readsThought: boolean): LayerWeights | undefined {
    const { width, heads, kvHeads, headWidth } = this.#architecture;
    const [own, shared] = [heads * headWidth, kvHeads * headWidth];
    const name = `layers.${index}`;
    const down = this.matrix(`${name}.down`);
    const hidden = down?.inputs ?? 0;
    const attention = this.vector(`${name}.attention_norm`);
    const mlp = this.vector(`${name}.mlp_norm`);
    const queryKeyValue = this.matrix(`${name}.query_key_value`, own + 2 * shared, width);
    const output = this.matrix(`${name}.output`, width, own);
    const gateUp = this.matrix(`${name}.gate_up`, 2 * hidden, width);
    if (!attention || !mlp || !queryKeyValue || !output || !gateUp || down?.outputs !== width) return undefined;
    const layer = { norms: { attention, mlp }, matrices: { queryKeyValue, output, gateUp, down } };
    if (!readsThought) return layer;
    const norm = this.vector(`${name}.thought_norm`);
    const query = this.matrix(`${name}.thought_query`, own, width);
    const keyValue = this.matrix(`${name}.thought_key_value`, 2 * shared, width);
    const back = this.matrix(`${name}.thought_output`, width, own);
    if (!norm || !query || !keyValue || !back) return undefined;
    return { ...layer, thought: { norm, matrices: { query, keyValue, output: back } } };
  }

  /** Embedding or output matrix: the only one outside the layers, whatever the exporter called it. */
  vocabulary(): Matrix | undefined {
    const { vocabulary, width } = this.#architecture;
    const names = [...this.#tensors.keys()].filter((name) => isBlocks(name) && !name.startsWith('layers.'));
    return names.length === 1 ? this.matrix(names[0]?.slice(0, -3) ?? '', vocabulary, width) : undefined;
  }

  /** A norm's weights, which lie in the graph. */
  vector(name: string): Float32Array | undefined {
    const tensor = this.#tensors.get(name);
    const { width } = this.#architecture;
    if (tensor?.raw?.length !== 4 * width) return undefined;
    return new Float32Array(Uint8Array.from(tensor.raw).buffer);
  }

  matrix(name: string, outputs?: number, inputs?: number): Matrix | undefined {
    const stored = this.#tensors.get(`${name}.q8`);
    const scales = this.#tensors.get(`${name}.scales.f16`);
    const [rows = 0, blocks = 0, size] = stored?.shape ?? [];
    if (stored?.offset === undefined || scales?.offset === undefined || size !== BLOCK || rows % 2 !== 0) {
      return undefined;
    }
    if (rows !== (outputs ?? rows) || blocks * BLOCK !== (inputs ?? blocks * BLOCK)) return undefined;
    const bytes = this.#file.subarray(stored.offset, stored.offset + rows * blocks * BLOCK);
    const halves = this.#file.subarray(scales.offset, scales.offset + rows * blocks * 2);
    if (bytes.length !== rows * blocks * BLOCK || halves.length !== rows * blocks * 2) return undefined;
    return { outputs: rows, inputs: blocks * BLOCK, bytes, scales: widened(halves) };
  }
}

/** Numbers of 16 bits (IEEE 754 binary16) as float32. */
export function widened(halves: Buffer): Float32Array {
  return Float32Array.from({ length: halves.length / 2 }, (_, i) => {
    const bits = halves.readUInt16LE(2 * i);
    const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
    const sign = bits >> 15 ? -1 : 1;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}
