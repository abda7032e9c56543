import { readFile } from 'node:fs/promises';
import type { Bundle } from '../bundle';
import { initializers, type Initializer } from '../initializers';
import type { Manifest } from '../manifest';
import { BLOCK, ofBytes, ofHalves, part, widened, type Matrix } from './matrix';

/** The weights of one layer. */
export interface LayerWeights {
  readonly norms: { readonly attention: Float32Array; readonly mlp: Float32Array };
  readonly matrices: Record<'queryKeyValue' | 'output' | 'gateUp' | 'down', Matrix>;
  /** What a thought is read through, in layers that read one. */
  readonly map?: FeatureMap;
}

/** The features of a layer's normalised input of the MLP: n · F − m (`train/thoughtline_train/features.py`). */
export interface FeatureMap {
  /** F, [width, features] */
  readonly features: Float32Array;
  /** m, [features] */
  readonly means: Float32Array;
}

export interface DecoderWeights {
  readonly embedding: Matrix;
  /** The same matrix as the embedding, where they are tied. */
  readonly head: Matrix;
  readonly finalNorm: Float32Array;
  readonly layers: readonly LayerWeights[];
}

/**
 * The weights of a bundle of 8 or 16 bits.
 * @returns undefined where they are stored in another way, or where the decoder has parts that the kernel does not know
 */
export async function readWeights({ graphs, weights, manifest }: Bundle): Promise<DecoderWeights | undefined> {
  const { layers, trunkLayers, attentionBias } = manifest.architecture;
  if (attentionBias === true) return undefined;
  const [trunkTensors, topTensors] = await Promise.all([graphs.trunk, graphs.top].map(tensorsOf));
  // Weights of another kind need not be read to know that.
  if (!trunkTensors || !topTensors || ![...trunkTensors.keys()].some(matrixOf)) return undefined;
  const file = await readFile(weights);
  const trunk = new GraphWeights(trunkTensors, file, manifest);
  const top = new GraphWeights(topTensors, file, manifest);
  const embedding = trunk.vocabulary();
  const head = top.vocabulary();
  const finalNorm = top.vector('decoder.final_norm');
  const features = manifest.thought?.features ?? 0;
  const read = Array.from({ length: layers }, (_, i) =>
    i < trunkLayers ? trunk.layer(i, 0) : top.layer(i - trunkLayers, features),
  );
  if (!embedding || !head || !finalNorm || !read.every((layer) => layer !== undefined)) return undefined;
  return { embedding, head: head.offset === embedding.offset ? embedding : head, finalNorm, layers: read };
}

type Tensors = ReadonlyMap<string, Initializer>;

async function tensorsOf(graph: string): Promise<Tensors> {
  return new Map([...initializers(await readFile(graph))].map((tensor) => [tensor.name, tensor]));
}

/** Ends of the names of matrices as they are stored: blocks of 8 bits, or 16 bits a weight; those of the scales of blocks. */
const [BLOCKS, HALVES, SCALES] = ['.q8', '.f16', '.scales.f16'] as const;

/** The matrix that a tensor of this name is, if it is one that can be read. */
function matrixOf(name: string): string | undefined {
  const end = name.endsWith(SCALES) ? undefined : [BLOCKS, HALVES].find((known) => name.endsWith(known));
  return end && name.slice(0, -end.length);
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

  /** @param features through which it reads a thought; 0: it reads none */
  layer(index: number, features: number): LayerWeights | undefined {
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
    if (features === 0) return layer;
    const map = this.#map(name, features);
    return map && { ...layer, map };
  }

  #map(layer: string, features: number): FeatureMap | undefined {
    const { width } = this.#architecture;
    const { shape, offset } = this.#tensors.get(`${layer}.thought_features${HALVES}`) ?? {};
    const means = this.vector(`${layer}.thought_means`, features);
    if (offset === undefined || shape?.[0] !== width || shape[1] !== features || !means) return undefined;
    const halves = part(this.#file, offset, width * features * 2);
    return halves && { features: widened(halves), means };
  }

  /** Embedding or output matrix: the only other one outside the layers, whatever the exporter called it. */
  vocabulary(): Matrix | undefined {
    const { vocabulary, width } = this.#architecture;
    const names = [...this.#tensors.keys()].filter((name) => !name.startsWith('layers.'));
    const [name, ...others] = names.flatMap((stored) => matrixOf(stored) ?? []);
    return name === undefined || others.length > 0 ? undefined : this.matrix(name, vocabulary, width);
  }

  /** A norm's weights, or another vector, which lie in the graph. */
  vector(name: string, length = this.#architecture.width): Float32Array | undefined {
    const tensor = this.#tensors.get(name);
    if (tensor?.raw?.length !== 4 * length) return undefined;
    return new Float32Array(Uint8Array.from(tensor.raw).buffer);
  }

  /** @param outputs, inputs what they have to be, where that is known */
  matrix(name: string, outputs?: number, inputs?: number): Matrix | undefined {
    const found = this.#blocks(name) ?? this.#halves(name, outputs, inputs);
    if (!found || found.outputs % 2 !== 0 || found.inputs % BLOCK !== 0) return undefined;
    const fits = found.outputs === (outputs ?? found.outputs) && found.inputs === (inputs ?? found.inputs);
    return fits ? found : undefined;
  }

  #blocks(name: string): Matrix | undefined {
    const stored = this.#tensors.get(name + BLOCKS);
    const scales = this.#tensors.get(name + SCALES);
    const [rows = 0, blocks = 0, size] = stored?.shape ?? [];
    if (stored?.offset === undefined || scales?.offset === undefined || size !== BLOCK) return undefined;
    return ofBytes(this.#file, stored.offset, scales.offset, rows, blocks * BLOCK);
  }

  /** [inputs, outputs], as a layer multiplies by it; embeddings lie the other way round. */
  #halves(name: string, outputs?: number, inputs?: number): Matrix | undefined {
    const stored = this.#tensors.get(name + HALVES);
    const [rows = 0, columns = 0] = stored?.shape ?? [];
    if (stored?.offset === undefined || stored.shape.length !== 2) return undefined;
    const upright = rows === outputs && columns === inputs && rows !== columns;
    return ofHalves(this.#file, stored.offset, upright ? rows : columns, upright ? columns : rows, !upright);
  }
}
