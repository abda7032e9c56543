import type { Manifest } from '../manifest';
import { BLOCK, type Matrix } from './matrix';
import type { DecoderWeights, FeatureMap, LayerWeights } from './weights';

/** Tokens of a run at most; of more, ONNX Runtime's wider vectors and second thread make up for what it costs to start one. */
export const MAX_TOKENS = 4;

/** Tokens that may be written behind a full window before a run is left to ONNX Runtime. */
const WRITTEN = 256;

/** Caches of which a copy is kept where the kernel reads them: the trunk's, and the tops' of two thoughts. */
const KEPT = { trunk: 1, top: 2 } as const;

/** A matrix in the memory: its whole numbers, and the scales of its blocks. */
export interface PlacedMatrix {
  readonly inputs: number;
  readonly outputs: number;
  readonly bits: 8 | 16;
  readonly weights: number;
  readonly factors: number;
}

export interface PlacedLayer {
  readonly norms: Record<keyof LayerWeights['norms'], number>;
  readonly matrices: Record<keyof LayerWeights['matrices'], PlacedMatrix>;
  readonly map?: PlacedMap;
}

/** Where the map lies that a layer reads its thought through, and the layer's part of the thought, [features, width]. */
export interface PlacedMap {
  readonly count: number;
  readonly features: number;
  readonly means: number;
  readonly thought: number;
}

/** Keys and values that heads attend to: where their whole numbers lie, and a scale for each token of a group. */
export type Tables = Record<'keys' | 'values', { readonly numbers: number; readonly scales: number }>;

/** How tables lie one behind the other. */
export class TableShape {
  /** Tokens of a table: whole numbers are summed over 16 of them. */
  readonly capacity: number;
  /** Bytes of the whole numbers of a group, and of its scales. */
  readonly numbers: number;
  readonly scales: number;
  readonly #groups: number;

  constructor({ kvHeads, headWidth }: Manifest['architecture'], tokens: number) {
    this.capacity = Math.ceil(tokens / 16) * 16;
    this.numbers = this.capacity * headWidth * 2;
    this.scales = this.capacity * 4;
    this.#groups = kvHeads;
  }

  /** Bytes of keys and values of one layer. */
  get bytes(): number {
    return 2 * this.#groups * (this.numbers + this.scales);
  }

  /** Those of layer `layer`, where the first one's begin at `start`. */
  at(start: number, layer: number): Tables {
    const half = this.bytes / 2;
    const [keys, values] = [start + layer * this.bytes, start + layer * this.bytes + half];
    const behind = this.#groups * this.numbers;
    return { keys: { numbers: keys, scales: keys + behind }, values: { numbers: values, scales: values + behind } };
  }
}

/** Where everything lies in the kernel's memory, in bytes. */
export class Layout {
  readonly tokens: TableShape;
  readonly caches: Record<'trunk' | 'top', readonly number[]>;
  readonly layers: readonly PlacedLayer[];
  readonly embedding: PlacedMatrix;
  readonly head: PlacedMatrix;
  readonly finalNorm: number;
  /** Bytes of all weights. */
  readonly weights: number;
  readonly cosines: number;
  readonly sines: number;
  readonly states: number;
  readonly normed: number;
  readonly queries: number;
  readonly attended: number;
  readonly projected: number;
  readonly quantised: number;
  readonly scales: number;
  readonly scratch: number;
  /** Keys or values of a cache on their way into a table. */
  readonly staged: number;
  /** Keys and values of a run's tokens, as they go into the caches: of each layer in turn the keys, then the values. */
  readonly fresh: number;
  readonly #copies: ((memory: ArrayBuffer) => void)[] = [];
  #end = 64;

  constructor(weights: DecoderWeights, { architecture, window }: Manifest) {
    const { vocabulary, width, layers, trunkLayers, heads, kvHeads, headWidth } = architecture;
    this.layers = weights.layers.map(({ norms, matrices, map }) => ({
      norms: each(norms, (norm) => this.#vector(norm)),
      matrices: each(matrices, (matrix) => this.#matrix(matrix)),
      ...(map && { map: this.#map(map, width) }),
    }));
    this.embedding = this.#matrix(weights.embedding);
    this.head = weights.head === weights.embedding ? this.embedding : this.#matrix(weights.head);
    this.finalNorm = this.#vector(weights.finalNorm);
    this.weights = this.#end;

    this.tokens = new TableShape(architecture, window.tokens + WRITTEN);
    const { capacity } = this.tokens;
    this.cosines = this.#floats((capacity * headWidth) / 2);
    this.sines = this.#floats((capacity * headWidth) / 2);
    const top = layers - trunkLayers;
    this.caches = {
      trunk: Array.from({ length: KEPT.trunk }, () => this.#take(trunkLayers * this.tokens.bytes)),
      top: Array.from({ length: KEPT.top }, () => this.#take(top * this.tokens.bytes)),
    };

    const rows = MAX_TOKENS;
    const hidden = Math.max(...weights.layers.map(({ matrices }) => matrices.down.inputs));
    const own = heads * headWidth;
    const widest = Math.max(own, hidden, width);
    this.states = this.#floats(rows * width);
    this.normed = this.#floats(rows * width);
    this.queries = this.#floats(rows * own);
    this.attended = this.#floats(rows * widest);
    this.projected = this.#floats(rows * Math.max(2 * hidden, own + 2 * kvHeads * headWidth, vocabulary));
    this.quantised = this.#take(rows * widest * 2);
    this.scales = this.#floats(rows * Math.max(widest / BLOCK, heads));
    this.scratch = this.#take(13 * capacity);
    this.staged = this.#floats(headWidth * kvHeads * capacity);
    this.fresh = this.#floats(2 * Math.max(trunkLayers, top) * kvHeads * MAX_TOKENS * headWidth);
  }

  /** Bytes of memory that are needed. */
  get bytes(): number {
    return this.#end;
  }

  /** Copies the weights to where they belong. */
  fill(memory: ArrayBuffer): void {
    for (const copy of this.#copies) copy(memory);
    this.#copies.length = 0;
  }

  #take(bytes: number): number {
    const start = this.#end;
    this.#end = start + Math.ceil(bytes / 64) * 64;
    return start;
  }

  #floats(count: number): number {
    return this.#take(count * 4);
  }

  #vector(values: Float32Array): number {
    const at = this.#floats(values.length);
    this.#copies.push((memory) => new Float32Array(memory, at, values.length).set(values));
    return at;
  }

  /** F lies turned, [features, width]: a feature's weights side by side. */
  #map({ features, means }: FeatureMap, width: number): PlacedMap {
    const count = means.length;
    const turned = Float32Array.from(
      features,
      (_, i) => features[(i % width) * count + Math.floor(i / width)] as number,
    );
    const thought = this.#floats(features.length);
    return { count, features: this.#vector(turned), means: this.#vector(means), thought };
  }

  #matrix({ inputs, outputs, bits, write }: Matrix): PlacedMatrix {
    const count = inputs * outputs;
    const weights = this.#take((count * bits) / 8);
    const factors = this.#floats(count / BLOCK);
    this.#copies.push((memory) => {
      const scales = new Float32Array(memory, factors, count / BLOCK);
      write(bits === 8 ? new Int8Array(memory, weights, count) : new Int16Array(memory, weights, count), scales);
    });
    return { inputs, outputs, bits, weights, factors };
  }
}

function each<Key extends string, From, To>(record: Readonly<Record<Key, From>>, change: (value: From) => To) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value as From)])) as Record<
    Key,
    To
  >;
}
