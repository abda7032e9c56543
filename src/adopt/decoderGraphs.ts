import { GraphBuilder } from './graphBuilder';
import type { Graph, Initializer } from './onnx';

/** The shape of a LLaMA-like decoder: RMSNorm, SwiGLU, rotary positions, grouped-query attention. */
export interface DecoderShape {
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  /** Lowest layers, which are a graph of their own. */
  readonly trunkLayers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headWidth: number;
  readonly mlpWidth: number;
  readonly normEpsilon: number;
  /** Whether queries, keys and values have a bias. */
  readonly attentionBias: boolean;
  /** Positions for which there are angles. */
  readonly positions: number;
}

/** A matrix [rows, columns] in blocks of few bits, as `MatMulNBits` and `GatherBlockQuantized` read them. */
export interface QuantizedMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly bits: 4 | 8;
  readonly block: number;
  /** uint8 [rows, columns / block, block · bits / 8] */
  readonly weights: Initializer;
  /** float32 [rows, columns / block] */
  readonly scales: Initializer;
  /** With 4 bits, two in a byte: uint8 [rows, columns / block / 2, rounded up]. Without, the middle of the levels is zero. */
  readonly zeroPoints?: Initializer;
}

/** The constants of a decoder: matrices by the names below, and vectors. */
export interface DecoderWeights {
  matrix(name: string): QuantizedMatrix;
  /** A tensor of float32. */
  vector(name: string): Initializer;
}

/**
 * What is added to a layer's MLP.
 * @param normed the normalised states that the MLP reads, [batch, S, width]
 * @param output what the MLP gives, [batch, S, width]
 * @returns name of what takes the output's place
 */
type BesideMlp = (layer: number, normed: string, output: string) => string;

export const layerNames = (layer: number) =>
  ({
    attentionNorm: `layers.${layer}.attention_norm`,
    queryKeyValue: `layers.${layer}.query_key_value`,
    queryKeyValueBias: `layers.${layer}.query_key_value_bias`,
    attentionOutput: `layers.${layer}.attention_output`,
    mlpNorm: `layers.${layer}.mlp_norm`,
    gate: `layers.${layer}.gate`,
    up: `layers.${layer}.up`,
    down: `layers.${layer}.down`,
    thoughtFeatures: `layers.${layer}.thought_features`,
    thoughtMeans: `layers.${layer}.thought_means`,
  }) as const;

/** A matrix with rows and columns exchanged: what a gradient is multiplied by. Only layers through which one goes have it. */
export const transposedName = (matrix: string) => `${matrix}_transposed`;

export const NAMES = {
  embedding: 'embedding',
  finalNorm: 'final_norm',
  head: 'head',
  cosines: 'rotary_cosines',
  sines: 'rotary_sines',
} as const;

const MICROSOFT = 'com.microsoft';

/**
 * Tokens to hidden states, as far as no thought is read.
 *   tokens, positions int64 [batch, S]; past_length int64 [1]; past_key_i, past_value_i [batch, kvHeads, capacity, headWidth]
 *   → states [batch, S, width]; new_keys, new_values [layers · batch, kvHeads, S, headWidth]: of the tokens themselves
 */
export function trunkGraph(shape: DecoderShape, weights: DecoderWeights): Graph {
  const graph = new GraphBuilder('trunk');
  const tokens = graph.input('tokens', 'int64', ['batch', 'tokens']);
  const cache = new Cache(graph, shape, weights, tokens);
  const embedding = weights.matrix(NAMES.embedding);
  const embedded = graph.add(
    'GatherBlockQuantized',
    [graph.constant(rowsOf(embedding)), tokens, ...unpacking(graph, embedding)],
    'embedded',
    {
      bits: { int: embedding.bits },
      block_size: { int: embedding.block },
      gather_axis: { int: 0 },
      quantize_axis: { int: 1 },
    },
    MICROSOFT,
  );
  let residual: Residual = { sum: embedded };
  for (let layer = 0; layer < shape.trunkLayers; layer++) {
    residual = addLayer(graph, shape, weights, cache, layer, residual);
  }
  cache.finish();
  graph.add('Add', [residual.sum, residual.branch ?? ''], 'states');
  graph.output('states', 'float32', ['batch', 'tokens', shape.width]);
  return graph.build();
}

/**
 * Hidden states to logits of the last positions, and to the last hidden states of all, normalised: what the head multiplies.
 *   states [batch, S, width]; z [batch, top layers, features, width]; positions, past_length, logit_count int64; past_…
 *   → logits [batch, logit_count, vocabulary]; hidden [batch, S, width]; new_keys, new_values
 */
export function topGraph(shape: DecoderShape, weights: DecoderWeights): Graph {
  const graph = new GraphBuilder('top');
  const z = graph.input('z', 'float32', ['batch', shape.layers - shape.trunkLayers, 'features', shape.width]);
  const last = topLayers(graph, shape, weights, (layer, normed, output) => {
    const rows = graph.add('Gather', [z, graph.integers(layer - shape.trunkLayers)], `thought_${layer}`, {
      axis: { int: 1 },
    });
    const features = thoughtFeatures(graph, weights, layer, normed);
    const map = graph.add('MatMul', [features, rows], `layer_${layer}_map`);
    return graph.add('Add', [output, map], `layer_${layer}_mapped`);
  });
  const count = graph.input('logit_count', 'int64', [1]);
  const hidden = norm(graph, weights, shape, last, NAMES.finalNorm, 'hidden');
  graph.output(hidden, 'float32', ['batch', 'tokens', shape.width]);
  const start = graph.add('Neg', [count], 'logit_start');
  const end = graph.integers([Number.MAX_SAFE_INTEGER]);
  const wanted = graph.add('Slice', [hidden, start, end, graph.integers([1])], 'wanted_hidden');
  multiply(graph, weights, wanted, NAMES.head, 'logits');
  graph.output('logits', 'float32', ['batch', 'logit_count', shape.vocabulary]);
  return graph.build();
}

/**
 * What the MLPs of the top layers read and give, for measuring the features of a thought (features.ts).
 *   states [batch, S, width]; positions, past_length int64; past_…
 *   → normed_i, output_i [batch, S, width] of each top layer i; new_keys, new_values
 */
export function observedGraph(shape: DecoderShape, weights: DecoderWeights): Graph {
  const graph = new GraphBuilder('observed');
  topLayers(graph, shape, weights, (layer, normed, output) => {
    const name = layer - shape.trunkLayers;
    graph.output(graph.add('Identity', [normed], `normed_${name}`), 'float32', ['batch', 'tokens', shape.width]);
    graph.output(graph.add('Identity', [output], `output_${name}`), 'float32', ['batch', 'tokens', shape.width]);
    return output;
  });
  return graph.build();
}

/** The top layers over states that are put in. @returns name of the last states, [batch, S, width] */
function topLayers(graph: GraphBuilder, shape: DecoderShape, weights: DecoderWeights, beside: BesideMlp): string {
  const states = graph.input('states', 'float32', ['batch', 'tokens', shape.width]);
  const cache = new Cache(graph, shape, weights, states);
  let residual: Residual = { sum: states };
  for (let layer = shape.trunkLayers; layer < shape.layers; layer++) {
    residual = addLayer(graph, shape, weights, cache, layer, residual, beside);
  }
  cache.finish();
  return graph.add('Add', [residual.sum, residual.branch ?? ''], 'last_states');
}

/** f(n): the features by which a thought is multiplied in a layer, of the normalised states that its MLP reads. */
export function thoughtFeatures(graph: GraphBuilder, weights: DecoderWeights, layer: number, normed: string): string {
  const { thoughtFeatures: features, thoughtMeans: means } = layerNames(layer);
  const product = graph.add('MatMul', [normed, graph.constant(weights.vector(features))], `layer_${layer}_projected`);
  return graph.add('Sub', [product, graph.constant(weights.vector(means))], `layer_${layer}_features`);
}

/** The residual stream: a sum, and what the last branch adds to it. */
interface Residual {
  readonly sum: string;
  readonly branch?: string;
}

/** What every layer's attention reads besides its states, and the keys and values that it adds. */
class Cache {
  readonly #graph: GraphBuilder;
  readonly #shape: DecoderShape;
  readonly #past: string;
  readonly #totals: string;
  readonly #added: { readonly keys: string[]; readonly values: string[] } = { keys: [], values: [] };
  readonly positions: string;
  readonly lastRow: string;
  readonly total: string;
  readonly cosines: string;
  readonly sines: string;

  /** @param like a value [batch, S, …] */
  constructor(graph: GraphBuilder, shape: DecoderShape, weights: DecoderWeights, like: string) {
    this.positions = graph.input('positions', 'int64', ['batch', 'tokens']);
    [this.#graph, this.#shape] = [graph, shape];
    const past = (this.#past = graph.input('past_length', 'int64', [1]));
    const batch = graph.add('Shape', [like], 'batch_size', { start: { int: 0 }, end: { int: 1 } });
    const count = graph.add('Shape', [like], 'token_count', { start: { int: 1 }, end: { int: 2 } });
    const total = (this.#totals = graph.add('Add', [past, count], 'total_length'));
    const last = graph.add('Sub', [total, graph.integers([1])], 'last_row');
    const each = graph.add('Expand', [last, batch], 'last_rows');
    // GroupQueryAttention wants int32: for each entry of the batch its last row, and a scalar.
    this.lastRow = graph.add('Cast', [each], 'last_rows_int32', { to: { int: 6 } });
    const scalar = graph.add('Squeeze', [total], 'total_length_scalar');
    this.total = graph.add('Cast', [scalar], 'total_length_int32', { to: { int: 6 } });
    this.cosines = graph.constant(weights.vector(NAMES.cosines));
    this.sines = graph.constant(weights.vector(NAMES.sines));
  }

  /**
   * Attention of a layer. Its keys and values are cut out of the table that comes of past and new ones: a caller keeps the past,
   * and is given no more than what is new.
   */
  attend(queryKeyValue: string, output: string): string {
    const { heads, kvHeads, headWidth } = this.#shape;
    const table = this.#added.keys.length;
    const rows = ['batch', kvHeads, 'past_room', headWidth];
    const past = ['key', 'value'].map((what) => this.#graph.input(`past_${what}_${table}`, 'float32', rows));
    const present = ['key', 'value'].map((what) => `present_${what}_${table}`);
    this.#graph.addMany(
      'GroupQueryAttention',
      [queryKeyValue, '', '', ...past, this.lastRow, this.total, this.cosines, this.sines, this.positions],
      [output, ...present],
      { num_heads: { int: heads }, kv_num_heads: { int: kvHeads }, do_rotary: { int: 1 } },
      MICROSOFT,
    );
    const [keys, values] = present.map((name) =>
      this.#graph.add('Slice', [name, this.#past, this.#totals, this.#graph.integers([2])], `${name}_added`),
    );
    this.#added.keys.push(keys ?? '');
    this.#added.values.push(values ?? '');
    return output;
  }

  /** Puts what all layers have added into one output of keys and one of values. */
  finish(): void {
    const { kvHeads, headWidth } = this.#shape;
    for (const what of ['keys', 'values'] as const) {
      this.#graph.add('Concat', this.#added[what], `new_${what}`, { axis: { int: 0 } });
      this.#graph.output(`new_${what}`, 'float32', ['layers', kvHeads, 'tokens', headWidth]);
    }
  }
}

function addLayer(
  graph: GraphBuilder,
  shape: DecoderShape,
  weights: DecoderWeights,
  cache: Cache,
  layer: number,
  residual: Residual,
  beside: BesideMlp = (_, __, output) => output,
): Residual {
  const names = layerNames(layer);
  const name = (what: string) => `layer_${layer}_${what}`;
  const before = skipNorm(graph, weights, shape, residual, names.attentionNorm, name('attention'));
  let projected = multiply(graph, weights, before.normed, names.queryKeyValue, name('query_key_value'));
  if (shape.attentionBias) {
    const bias = graph.constant(weights.vector(names.queryKeyValueBias));
    projected = graph.add('Add', [projected, bias], name('query_key_value_biased'));
  }
  const attended = cache.attend(projected, name('attended'));
  const attention = multiply(graph, weights, attended, names.attentionOutput, name('attention_output'));
  const middle = skipNorm(graph, weights, shape, { sum: before.sum, branch: attention }, names.mlpNorm, name('mlp'));
  const gate = multiply(graph, weights, middle.normed, names.gate, name('gate'));
  const up = multiply(graph, weights, middle.normed, names.up, name('up'));
  const sigmoid = graph.add('Sigmoid', [gate], name('gate_sigmoid'));
  const silu = graph.add('Mul', [gate, sigmoid], name('gate_silu'));
  const gated = graph.add('Mul', [silu, up], name('gated'));
  const down = multiply(graph, weights, gated, names.down, name('down'));
  return { sum: middle.sum, branch: beside(layer, middle.normed, down) };
}

/** The sum of a residual stream and a branch, and its norm. */
function skipNorm(
  graph: GraphBuilder,
  weights: DecoderWeights,
  shape: DecoderShape,
  { sum, branch }: Residual,
  scale: string,
  name: string,
): { normed: string; sum: string } {
  const [normed, added] = [`${name}_normed`, `${name}_sum`];
  if (branch === undefined) return { normed: norm(graph, weights, shape, sum, scale, normed), sum };
  graph.addMany(
    'SkipSimplifiedLayerNormalization',
    [sum, branch, graph.constant(weights.vector(scale))],
    [normed, '', '', added],
    { epsilon: { float: shape.normEpsilon } },
    MICROSOFT,
  );
  return { normed, sum: added };
}

function norm(
  graph: GraphBuilder,
  weights: DecoderWeights,
  { normEpsilon }: DecoderShape,
  states: string,
  scale: string,
  output: string,
): string {
  const inputs = [states, graph.constant(weights.vector(scale))];
  const attributes = { axis: { int: -1 }, epsilon: { float: normEpsilon } };
  return graph.add('SimplifiedLayerNormalization', inputs, output, attributes);
}

export function multiply(
  graph: GraphBuilder,
  weights: DecoderWeights,
  states: string,
  name: string,
  output: string,
): string {
  const matrix = weights.matrix(name);
  const { rows, columns, bits, block } = matrix;
  return graph.add(
    'MatMulNBits',
    [states, graph.constant(matrix.weights), ...unpacking(graph, matrix)],
    output,
    {
      K: { int: columns },
      N: { int: rows },
      bits: { int: bits },
      block_size: { int: block },
      // States in 8 bits: what the fast kernels of the CPU want.
      accuracy_level: { int: 4 },
    },
    MICROSOFT,
  );
}

/** What makes numbers of a matrix's levels. */
export function unpacking(graph: GraphBuilder, { scales, zeroPoints }: QuantizedMatrix): string[] {
  return [scales, ...(zeroPoints ? [zeroPoints] : [])].map((tensor) => graph.constant(tensor));
}

/** A matrix as `GatherBlockQuantized` reads it: a row of bytes each. */
export function rowsOf({ rows, columns, bits, weights }: QuantizedMatrix): Initializer {
  return { ...weights, name: `${weights.name}_rows`, shape: [rows, (columns * bits) / 8] };
}
