import {
  layerNames,
  multiply,
  NAMES,
  rowsOf,
  thoughtFeatures,
  transposedName,
  unpacking,
  type DecoderShape,
  type DecoderWeights,
} from './decoderGraphs';
import { GraphBuilder } from './graphBuilder';
import type { Attribute, Graph } from './onnx';

/** What no token may look at: far below every score. */
const HIDDEN_SCORE = -1e9;

/**
 * NLL of a chunk's scored tokens under a thought z, and its gradient with respect to z: forward and backward through the top
 * layers, written out, since ONNX Runtime does not differentiate. z acts on the scored rows; what stands before them was read
 * without it, and its keys and values are constants.
 *   states [S, width] of the scored rows, as the trunk gives them; positions int64 [S];
 *   past_key_i, past_value_i [1, kvHeads, P, headWidth] of each top layer i: of the P rows before;
 *   choices int64 [C]: tokens that the softmax tells apart; targets int64 [S]: where in them; weights [S];
 *   rest [S]: log of the sum of e^logit over all other tokens, a constant;
 *   z [top layers, features, width]
 *   → nll [1]: Σ weight · (−log p(target)) in nats; grad [top layers, features, width]; log_sums [S]: log of the softmax's sum
 */
export function evidenceGraph(shape: DecoderShape, weights: DecoderWeights): Graph {
  const graph = new GraphBuilder('evidence');
  const states = graph.input('states', 'float32', ['tokens', shape.width]);
  const top = new TopLayers(graph, shape, weights, states);
  const z = graph.input('z', 'float32', [shape.layers - shape.trunkLayers, 'features', shape.width]);
  const layers: Layer[] = [];
  let last = states;
  for (let layer = shape.trunkLayers; layer < shape.layers; layer++) {
    const thought = graph.add('Gather', [z, graph.integers(layer - shape.trunkLayers)], `thought_${layer}`);
    const passed = top.forward(layer, last, thought);
    layers.push(passed);
    last = passed.output;
  }
  const final = top.normalise(last, NAMES.finalNorm, 'final');
  let gradient = top.normBackward(final, new Head(graph, weights).loss(final.normed), 'final');
  const gradients: string[] = [];
  for (const layer of layers.toReversed()) {
    gradients.unshift(top.thoughtGradient(layer, gradient));
    // Below the lowest layer that reads the thought nobody asks.
    if (layer !== layers[0]) gradient = top.backward(layer, gradient);
  }
  graph.add('Concat', gradients, 'grad', { axis: { int: 0 } });
  graph.output('grad', 'float32', [layers.length, 'features', shape.width]);
  return graph.build();
}

/** A normalised residual stream x / rms(x) · scale, and what its gradient needs. */
interface Normed {
  readonly normed: string;
  /** x / rms(x) */
  readonly unit: string;
  /** 1 / rms(x) */
  readonly inverse: string;
  readonly scale: string;
}

/** The values of a layer that its gradient needs. */
interface Layer {
  readonly layer: number;
  readonly thought: string;
  readonly features: string;
  readonly output: string;
  readonly before: Normed;
  readonly middle: Normed;
  readonly attention: Attention;
  readonly mlp: { readonly gate: string; readonly up: string; readonly sigmoid: string; readonly silu: string };
}

interface Attention {
  /** [kvHeads, queries of a group · S, headWidth] */
  readonly queries: string;
  /** [kvHeads, P + S, headWidth] */
  readonly keys: string;
  readonly values: string;
  /** [kvHeads, queries of a group · S, P + S] */
  readonly shares: string;
}

/** Softmax over the chosen tokens and the rest, and the loss. */
class Head {
  constructor(
    readonly graph: GraphBuilder,
    readonly weights: DecoderWeights,
  ) {}

  /** Adds the outputs nll and log_sums. @returns gradient with respect to the normalised last states, [S, width] */
  loss(hidden: string): string {
    const { graph } = this;
    const choices = graph.input('choices', 'int64', ['choices']);
    const targets = graph.input('targets', 'int64', ['tokens']);
    const weights = column(graph, graph.input('weights', 'float32', ['tokens']), 'weights_column');
    const rest = column(graph, graph.input('rest', 'float32', ['tokens']), 'rest_column');
    const matrix = gathered(graph, this.weights, NAMES.head, choices, 'head_rows');
    const logits = graph.add('MatMul', [hidden, transposed(graph, matrix, [1, 0], 'head_columns')], 'logits');
    const all = graph.add('Concat', [logits, rest], 'logits_and_rest', { axis: { int: 1 } });
    const sum = graph.add('ReduceLogSumExp', [all, graph.integers([1])], 'log_sum');
    const places = column(graph, targets, 'targets_column');
    const chosen = graph.add('GatherElements', [logits, places], 'target_logits', { axis: { int: 1 } });
    graph.add('Reshape', [sum, graph.integers([-1])], 'log_sums');
    graph.output('log_sums', 'float32', ['tokens']);
    const missed = graph.add('Sub', [sum, chosen], 'token_nll');
    const weighted = graph.add('Mul', [missed, weights], 'weighted_nll');
    const total = graph.add('ReduceSum', [weighted, graph.integers([0, 1])], 'nll_matrix');
    graph.add('Reshape', [total, graph.integers([1])], 'nll');
    graph.output('nll', 'float32', [1]);
    const probability = graph.add('Exp', [graph.add('Sub', [logits, sum], 'log_probability')], 'probability');
    const expected = graph.add('MatMul', [graph.add('Mul', [probability, weights], 'weighted_p'), matrix], 'expected');
    const wanted = graph.add('Mul', [graph.add('Gather', [matrix, targets], 'target_rows'), weights], 'wanted');
    return graph.add('Sub', [expected, wanted], 'hidden_grad');
  }
}

class TopLayers {
  readonly #graph: GraphBuilder;
  readonly #shape: DecoderShape;
  readonly #weights: DecoderWeights;
  readonly #cosines: string;
  readonly #sines: string;
  readonly #mask: string;
  readonly #past: string;

  constructor(graph: GraphBuilder, shape: DecoderShape, weights: DecoderWeights, states: string) {
    [this.#graph, this.#shape, this.#weights] = [graph, shape, weights];
    const positions = graph.input('positions', 'int64', ['tokens']);
    const angles = (name: string) =>
      graph.add('Gather', [graph.constant(weights.vector(name)), positions], name + '_at');
    this.#cosines = angles(NAMES.cosines);
    this.#sines = angles(NAMES.sines);
    const count = graph.add('Shape', [states], 'count', { start: { int: 0 }, end: { int: 1 } });
    const past = graph.add('Shape', ['past_key_0'], 'past', { start: { int: 2 }, end: { int: 3 } });
    this.#past = past;
    const [none, one] = [graph.integers(0), graph.integers(1)];
    const scalar = (value: string) => graph.add('Squeeze', [value], `${value}_scalar`);
    const total = graph.add('Add', [past, count], 'total');
    const columns = graph.add('Range', [none, scalar(total), one], 'columns');
    const rows = column(graph, graph.add('Range', [scalar(past), 'total_scalar', one], 'row_positions'), 'rows');
    const hidden = graph.add('Greater', [columns, rows], 'later');
    this.#mask = graph.add('Where', [hidden, graph.number(HIDDEN_SCORE), graph.number(0)], 'mask');
  }

  /** u + f(n) · z beside the MLP. */
  forward(layer: number, input: string, thought: string): Layer {
    const graph = this.#graph;
    const names = layerNames(layer);
    const name = (what: string) => `layer_${layer}_${what}`;
    const before = this.normalise(input, names.attentionNorm, name('before'));
    const { attended, ...attention } = this.#attend(layer, before.normed);
    const branch = this.#multiply(attended, names.attentionOutput, name('attention_output'));
    const sum = graph.add('Add', [input, branch], name('sum'));
    const middle = this.normalise(sum, names.mlpNorm, name('middle'));
    const gate = this.#multiply(middle.normed, names.gate, name('gate'));
    const up = this.#multiply(middle.normed, names.up, name('up'));
    const sigmoid = graph.add('Sigmoid', [gate], name('sigmoid'));
    const silu = graph.add('Mul', [gate, sigmoid], name('silu'));
    const down = this.#multiply(graph.add('Mul', [silu, up], name('gated')), names.down, name('down'));
    const features = thoughtFeatures(graph, this.#weights, layer, middle.normed);
    const map = graph.add('MatMul', [features, thought], name('map'));
    const output = graph.add('Add', [sum, graph.add('Add', [down, map], name('mapped'))], name('output'));
    return { layer, thought, features, output, before, middle, attention, mlp: { gate, up, sigmoid, silu } };
  }

  /** ∂nll/∂z of one layer, [1, features, width]. @param gradient of the layer's output */
  thoughtGradient({ layer, features }: Layer, gradient: string): string {
    const graph = this.#graph;
    const across = transposed(graph, features, [1, 0], `layer_${layer}_features_across`);
    const product = graph.add('MatMul', [across, gradient], `layer_${layer}_thought_grad`);
    return graph.add('Unsqueeze', [product, graph.integers([0])], `${product}_row`);
  }

  /** @param gradient of the layer's output, [S, width] @returns that of its input */
  backward({ layer, thought, before, middle, attention, mlp }: Layer, gradient: string): string {
    const graph = this.#graph;
    const names = layerNames(layer);
    const name = (what: string) => `layer_${layer}_${what}_grad`;
    const mul = (a: string, b: string, what: string) => graph.add('Mul', [a, b], name(what));
    const through = (of: string, matrix: string, what: string) =>
      this.#multiply(of, transposedName(matrix), name(what));

    const gated = through(gradient, names.down, 'gated');
    const up = mul(gated, mlp.silu, 'up');
    // The derivative of g · σ(g): σ + silu · (1 − σ).
    const opposite = graph.add('Sub', [graph.number(1), mlp.sigmoid], name('opposite'));
    const slope = graph.add('Add', [mlp.sigmoid, mul(mlp.silu, opposite, 'slope_part')], name('slope'));
    const gate = mul(mul(gated, mlp.up, 'silu'), slope, 'gate');
    const across = transposed(graph, thought, [1, 0], name('thought_across'));
    const features = graph.add('MatMul', [gradient, across], name('features'));
    const projection = graph.constant(this.#weights.vector(names.thoughtFeatures));
    const back = transposed(graph, projection, [1, 0], name('projection_across'));
    const parts = [
      through(up, names.up, 'normed_up'),
      through(gate, names.gate, 'normed_gate'),
      graph.add('MatMul', [features, back], name('normed_features')),
    ];
    const sum = graph.add(
      'Add',
      [gradient, this.normBackward(middle, graph.add('Sum', parts, name('normed')), name('middle'))],
      name('sum'),
    );
    const attended = through(sum, names.attentionOutput, 'attended');
    const projected = this.#attendBackward(layer, attention, attended);
    const normed = through(projected, names.queryKeyValue, 'before_normed');
    return graph.add('Add', [sum, this.normBackward(before, normed, name('before'))], name('input'));
  }

  normalise(input: string, scaleName: string, name: string): Normed {
    const graph = this.#graph;
    const scale = graph.constant(this.#weights.vector(scaleName));
    const square = graph.add('Mul', [input, input], `${name}_square`);
    const mean = graph.add('ReduceMean', [square, graph.integers([1])], `${name}_mean_square`);
    const more = graph.add('Add', [mean, graph.number(this.#shape.normEpsilon)], `${name}_mean_square_and_epsilon`);
    const inverse = graph.add('Reciprocal', [graph.add('Sqrt', [more], `${name}_rms`)], `${name}_inverse`);
    const unit = graph.add('Mul', [input, inverse], `${name}_unit`);
    return { normed: graph.add('Mul', [unit, scale], `${name}_normed`), unit, inverse, scale };
  }

  /** @param gradient of what was normalised @returns that of what it was before: (d − unit · mean(d · unit)) / rms, d = gradient · scale */
  normBackward({ unit, inverse, scale }: Normed, gradient: string, name: string): string {
    const graph = this.#graph;
    const scaled = graph.add('Mul', [gradient, scale], `${name}_scaled_back`);
    const along = graph.add('Mul', [scaled, unit], `${name}_along`);
    const mean = graph.add('ReduceMean', [along, graph.integers([1])], `${name}_along_mean`);
    const rest = graph.add('Sub', [scaled, graph.add('Mul', [unit, mean], `${name}_radial`)], `${name}_tangent`);
    return graph.add('Mul', [rest, inverse], `${name}_back`);
  }

  /** Grouped-query attention of the rows over those before them and themselves. */
  #attend(layer: number, normed: string): Attention & { attended: string } {
    const graph = this.#graph;
    const { heads, kvHeads, headWidth, attentionBias } = this.#shape;
    const names = layerNames(layer);
    const name = (what: string) => `layer_${layer}_${what}`;
    let projected = this.#multiply(normed, names.queryKeyValue, name('query_key_value'));
    if (attentionBias) {
      const bias = graph.constant(this.#weights.vector(names.queryKeyValueBias));
      projected = graph.add('Add', [projected, bias], name('query_key_value_biased'));
    }
    const sizes = [heads, kvHeads, kvHeads].map((count) => count * headWidth);
    const parts = ['query', 'key', 'value'].map((what) => name(what));
    graph.addMany('Split', [projected, graph.integers(sizes)], parts, { axis: { int: 1 } });
    const [query = '', key = '', value = ''] = parts;
    const at = layer - this.#shape.trunkLayers;
    const table = (what: string, added: string) => {
      const past = graph.input(`past_${what}_${at}`, 'float32', [1, kvHeads, 'past', headWidth]);
      const rows = graph.add('Squeeze', [past, graph.integers([0])], name(`past_${what}`));
      return graph.add('Concat', [rows, added], name(`${what}s`), { axis: { int: 1 } });
    };
    const keys = table('key', this.#rotated(this.#byHead(key, kvHeads), 1));
    const values = table('value', this.#byHead(value, kvHeads));
    const queries = this.#byGroup(this.#rotated(this.#byHead(query, heads), 1), headWidth, name('queries'));
    const across = transposed(graph, keys, [0, 2, 1], name('keys_across'));
    const raw = graph.add('MatMul', [queries, across], name('raw_scores'));
    const scaled = graph.add('Mul', [raw, graph.number(headWidth ** -0.5)], name('scores'));
    // [kvHeads, queries of a group, S, P + S], so that the mask of rows and columns fits.
    const count = graph.add('Concat', [graph.integers([kvHeads, heads / kvHeads, -1]), 'total'], name('score_shape'), {
      axis: { int: 0 },
    });
    const masked = graph.add(
      'Add',
      [graph.add('Reshape', [scaled, count], name('scores_by_query')), this.#mask],
      name('masked_scores'),
    );
    const softmax = graph.add('Softmax', [masked], name('shares_by_query'), { axis: { int: -1 } });
    const flat = graph.add('Concat', [graph.integers([kvHeads, -1]), 'total'], name('share_shape'), {
      axis: { int: 0 },
    });
    const shares = graph.add('Reshape', [softmax, flat], name('shares'));
    const read = graph.add('MatMul', [shares, values], name('read'));
    return { attended: this.#side(read, heads), queries, keys, values, shares };
  }

  /** @param gradient of what was read, [S, heads · headWidth] @returns that of queries, keys and values, side by side */
  #attendBackward(layer: number, { queries, keys, values, shares }: Attention, gradient: string): string {
    const graph = this.#graph;
    const { heads, kvHeads, headWidth } = this.#shape;
    const name = (what: string) => `layer_${layer}_${what}_grad`;
    const read = this.#byGroup(this.#byHead(gradient, heads), headWidth, name('read'));
    const sharesAcross = transposed(graph, shares, [0, 2, 1], name('shares_across'));
    const valueRows = this.#added(graph.add('MatMul', [sharesAcross, read], name('values')), name('value'));
    const valuesAcross = transposed(graph, values, [0, 2, 1], name('values_across'));
    const share = graph.add('MatMul', [read, valuesAcross], name('shares'));
    const along = graph.add('Mul', [share, shares], name('shares_along'));
    const mean = graph.add('ReduceSum', [along, graph.integers([2])], name('shares_sum'));
    const rest = graph.add('Sub', [share, mean], name('shares_rest'));
    const raw = graph.add('Mul', [rest, shares], name('raw_scores'));
    const score = graph.add('Mul', [raw, graph.number(headWidth ** -0.5)], name('scores'));
    const query = graph.add('MatMul', [score, keys], name('queries'));
    const scoreAcross = transposed(graph, score, [0, 2, 1], name('scores_across'));
    const keyRows = this.#added(graph.add('MatMul', [scoreAcross, queries], name('keys')), name('key'));
    const queryRows = graph.add('Reshape', [query, graph.integers([heads, -1, headWidth])], name('queries_by_head'));
    const parts = [
      this.#side(this.#rotated(queryRows, -1), heads),
      this.#side(this.#rotated(keyRows, -1), kvHeads),
      this.#side(valueRows, kvHeads),
    ];
    return graph.add('Concat', parts, name('query_key_value'), { axis: { int: 1 } });
  }

  /** Of a table's rows those that were added: [kvHeads, P + S, headWidth] → [kvHeads, S, headWidth]. */
  #added(table: string, name: string): string {
    const end = this.#graph.integers([Number.MAX_SAFE_INTEGER]);
    return this.#graph.add('Slice', [table, this.#past, end, this.#graph.integers([1])], `${name}_added`);
  }

  /** [S, heads · headWidth] → [heads, S, headWidth] */
  #byHead(rows: string, heads: number): string {
    const shape = this.#graph.integers([-1, heads, this.#shape.headWidth]);
    return transposed(
      this.#graph,
      this.#graph.add('Reshape', [rows, shape], `${rows}_split`),
      [1, 0, 2],
      `${rows}_by_head`,
    );
  }

  /** [heads, S, headWidth] → [kvHeads, queries of a group · S, headWidth]; heads of a group lie one after the other. */
  #byGroup(rows: string, width: number, name: string): string {
    return this.#graph.add(
      'Reshape',
      [rows, this.#graph.integers([this.#shape.kvHeads, -1, width])],
      `${name}_by_group`,
    );
  }

  /** Of either shape, back to [S, heads · headWidth]. */
  #side(rows: string, heads: number): string {
    const graph = this.#graph;
    const { headWidth } = this.#shape;
    const split = graph.add('Reshape', [rows, graph.integers([heads, -1, headWidth])], `${rows}_heads`);
    const turned = transposed(graph, split, [1, 0, 2], `${rows}_turned`);
    return graph.add('Reshape', [turned, graph.integers([-1, heads * headWidth])], `${rows}_side`);
  }

  /** Rotary positions of rows [heads, S, headWidth] (Su et al. 2021). @param sense 1, or −1 for the gradient, which is turned back */
  #rotated(rows: string, sense: 1 | -1): string {
    const graph = this.#graph;
    const halves = [`${rows}_low`, `${rows}_high`];
    graph.addMany('Split', [rows], halves, { axis: { int: 2 }, num_outputs: { int: 2 } });
    const [low = '', high = ''] = halves;
    const product = (half: string, by: string, what: string) => graph.add('Mul', [half, by], `${half}_${what}`);
    const [back, forth] = sense === 1 ? (['Sub', 'Add'] as const) : (['Add', 'Sub'] as const);
    const turnedLow = graph.add(
      back,
      [product(low, this.#cosines, 'cos'), product(high, this.#sines, 'sin')],
      `${low}_turned`,
    );
    const turnedHigh = graph.add(
      forth,
      [product(high, this.#cosines, 'cos'), product(low, this.#sines, 'sin')],
      `${high}_turned`,
    );
    return graph.add('Concat', [turnedLow, turnedHigh], `${rows}_rotated`, { axis: { int: 2 } });
  }

  #multiply(states: string, name: string, output: string): string {
    return multiply(this.#graph, this.#weights, states, name, output);
  }
}

/** Rows of a matrix in float32. */
function gathered(graph: GraphBuilder, weights: DecoderWeights, name: string, rows: string, output: string): string {
  const matrix = weights.matrix(name);
  const attributes = {
    bits: { int: matrix.bits },
    block_size: { int: matrix.block },
    gather_axis: { int: 0 },
    quantize_axis: { int: 1 },
  };
  const inputs = [graph.constant(rowsOf(matrix)), rows, ...unpacking(graph, matrix)];
  return graph.add('GatherBlockQuantized', inputs, output, attributes, 'com.microsoft');
}

function transposed(graph: GraphBuilder, values: string, order: readonly number[], output: string): string {
  const permutation: Attribute = { ints: order };
  return graph.add('Transpose', [values], output, { perm: permutation });
}

/** [S] → [S, 1] */
function column(graph: GraphBuilder, values: string, output: string): string {
  return graph.add('Unsqueeze', [values, graph.integers([1])], output);
}
