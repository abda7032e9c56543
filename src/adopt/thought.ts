import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadRuntime, type Runtime } from '../model/runtime';
import { observedGraph, trunkGraph, type DecoderShape, type DecoderWeights } from './decoderGraphs';
import { unitOf, whitenedComponents, type Features } from './features';
import { encodeModel, type Graph } from './onnx';

/** Features of a layer: numbers of z for each channel. */
export const FEATURES = 16;

/** Tokens of a run over plain text, and how many such runs features are measured on: they lie evenly in the text. */
const [RUN, RUNS] = [128, 8];

export interface Measuring {
  readonly shape: DecoderShape;
  readonly weights: DecoderWeights;
  /** Of the plain text. */
  readonly tokens: readonly number[];
  /** Folder of the weights file, which has them already; two graphs lie there for a moment. */
  readonly scratch: string;
  /** Name of the weights file. */
  readonly location: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The features of each top layer, measured by running the decoder over plain text: whitened principal components of what its MLP
 * reads, in units of what the MLP gives.
 * @throws AbortError when the signal says so
 */
export async function measureFeatures(measuring: Measuring): Promise<Features[]> {
  const { shape, weights, scratch, location } = measuring;
  const runtime = await loadRuntime();
  const paths = { trunk: join(scratch, 'trunk.tmp.onnx'), observed: join(scratch, 'observed.tmp.onnx') };
  const write = (path: string, graph: Graph) => writeFile(path, encodeModel(graph, location, 'thoughtline adopt'));
  await write(paths.trunk, trunkGraph(shape, weights));
  await write(paths.observed, observedGraph(shape, weights));
  try {
    const { normed, outputs } = await observe(runtime, paths, measuring);
    return normed.map((states, layer) => {
      const unit = unitOf(outputs[layer] as Float32Array, shape.width, FEATURES);
      return whitenedComponents(states, shape.width, FEATURES, unit);
    });
  } finally {
    await Promise.all(Object.values(paths).map((path) => rm(path, { force: true })));
  }
}

/** What the MLPs of the top layers read and give over the tokens, [tokens, width] each. */
async function observe(
  runtime: Runtime,
  paths: Readonly<Record<'trunk' | 'observed', string>>,
  { shape, tokens, signal }: Measuring,
): Promise<{ normed: Float32Array[]; outputs: Float32Array[] }> {
  const top = shape.layers - shape.trunkLayers;
  const runs = spread(tokens, RUN, RUNS);
  const count = runs.reduce((sum, run) => sum + run.length, 0);
  const collected = () => Array.from({ length: top }, () => new Float32Array(count * shape.width));
  const [normed, outputs] = [collected(), collected()];
  const options = { logSeverityLevel: 3 } as const;
  const trunk = await runtime.InferenceSession.create(paths.trunk, options);
  const observed = await runtime.InferenceSession.create(paths.observed, options);
  try {
    let from = 0;
    for (const run of runs) {
      signal?.throwIfAborted();
      const rows = { ...placesOf(runtime, run.length), ...empty(runtime, shape, shape.trunkLayers) };
      const { states } = await trunk.run({ tokens: integers(runtime, run, [1, run.length]), ...rows });
      if (!states) throw new Error('the trunk gives no states');
      const above = { ...placesOf(runtime, run.length), ...empty(runtime, shape, top) };
      const found = await observed.run({ states, ...above });
      for (let layer = 0; layer < top; layer++) {
        normed[layer]?.set(found[`normed_${layer}`]?.data as Float32Array, from * shape.width);
        outputs[layer]?.set(found[`output_${layer}`]?.data as Float32Array, from * shape.width);
      }
      from += run.length;
    }
  } finally {
    await trunk.release();
    await observed.release();
  }
  return { normed, outputs };
}

/** Runs of at most `length` tokens at even distances. */
function spread(tokens: readonly number[], length: number, count: number): (readonly number[])[] {
  const step = Math.max(length, Math.floor((tokens.length - length) / Math.max(1, count - 1)));
  const starts = Array.from({ length: count }, (_, i) => i * step).filter((start) => start < tokens.length);
  return starts.map((start) => tokens.slice(start, start + length));
}

function placesOf(runtime: Runtime, count: number) {
  const positions = Array.from({ length: count }, (_, i) => i);
  return { positions: integers(runtime, positions, [1, count]), past_length: integers(runtime, [0], [1]) };
}

/** Tables of keys and values in which nothing is. */
function empty(runtime: Runtime, { kvHeads, headWidth }: DecoderShape, layers: number) {
  const none = () => new runtime.Tensor('float32', new Float32Array(kvHeads * headWidth), [1, kvHeads, 1, headWidth]);
  const tables = Array.from({ length: layers }, (_, layer) => [
    [`past_key_${layer}`, none()] as const,
    [`past_value_${layer}`, none()] as const,
  ]);
  return Object.fromEntries(tables.flat());
}

function integers(runtime: Runtime, values: readonly number[], shape: readonly number[]) {
  return new runtime.Tensor('int64', BigInt64Array.from(values, BigInt), [...shape]);
}
