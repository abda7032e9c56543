import type { MemoryWeights, KnnWeights } from '../src/model/manifest';
import { GATE_INPUTS, gateInputs, memoryGate, normalise, type DecoderView } from '../src/memory/mixture';
import { bucketOf, predict, type CacheHit } from '../src/memory/prediction';
import { INVERSE_TEMPERATURE, KNN_GATE_INPUTS, knnGateInputs, knnGate, type KnnDistribution } from '../src/memory/knn';
import type { OpenIdentifier } from '../src/memory/identifiers';
import { sigmoid } from '../src/numbers';

/** One token that was to be written: the cache hits before it, and what the decoder thought. */
export interface Sample {
  readonly hits: readonly CacheHit[];
  /** log p of each hit's token by the decoder. */
  readonly logprobs: ReadonlyMap<number, number>;
  readonly view: Omit<DecoderView, 'logprobOfHit'>;
  /** The word in which the text before the token ends. */
  readonly word: OpenIdentifier;
  readonly target: number;
  /** log p of the target by the decoder. */
  readonly logprob: number;
  /** The kNN distribution, where some hidden keys have been read. */
  readonly knn?: KnnDistribution | undefined;
}

/** @returns undefined where there is no cache hit and no kNN distribution: then the decoder stands alone, whatever the weights */
export function sampleOf(
  logits: Float32Array,
  hits: readonly CacheHit[],
  word: OpenIdentifier,
  target: number,
  knn?: KnnDistribution,
): Sample | undefined {
  if (hits.length === 0 && !knn) return undefined;
  const { logprobs, entropy, token } = normalise(logits);
  const logprobOf = (id: number) => logprobs[id] ?? -Infinity;
  return {
    hits,
    logprobs: new Map(hits.map(({ token: id }) => [id, logprobOf(id)])),
    view: { entropy, token, logprob: logprobOf(token) },
    word,
    target,
    logprob: logprobOf(target),
    knn,
  };
}

/** Weights that say nothing: every hit counts the same, and the memory has half the weight. */
export function neutralWeights(lengths: readonly number[]): MemoryWeights {
  return {
    lengths: [...lengths],
    hitWeights: { length: lengths.map(() => 0), distance: 0, own: 0 },
    gate: {
      length: lengths.map(() => 0),
      ...(Object.fromEntries(GATE_INPUTS.map((name) => [name, 0])) as Record<(typeof GATE_INPUTS)[number], number>),
    },
    inFileBoost: 0,
    fitted: {},
  };
}

/** Mean −log p of the targets under the mixture, in nats. */
export function meanNll(samples: readonly Sample[], weights: MemoryWeights): number {
  const nats = samples.map((sample) => {
    const { lambda, memoryShare } = memoryPart(sample, weights);
    return -Math.log((1 - lambda) * decoderPart(sample, weights) + lambda * memoryShare);
  });
  return nats.reduce((sum, value) => sum + value, 0) / Math.max(1, nats.length);
}

/** Mean −log p of the targets by the decoder alone, in nats. */
export function decoderNll(samples: readonly Sample[]): number {
  return samples.reduce((sum, { logprob }) => sum - logprob, 0) / Math.max(1, samples.length);
}

export interface FitOptions {
  /** Times that the weights of hits and gate are fitted in turn. */
  readonly rounds?: number;
  /** Steps of each. */
  readonly steps?: number;
  /** Weight of Σ w² / 2 added to the mean NLL: weights that few samples bear on stay near 0. */
  readonly decay?: number;
  readonly onProgress?: (done: number) => void;
}

/**
 * Weights under which the targets are most probable: those of the kNN gate, of the cache hits and of the memory gate in turn, each by
 * gradient steps (Adam, Kingma & Ba 2015) with the others fixed.
 */
export function fit(
  samples: readonly Sample[],
  lengths: readonly number[],
  { rounds = 3, steps = 120, decay = 1e-4, onProgress }: FitOptions = {},
): MemoryWeights {
  let weights = neutralWeights(lengths);
  const known = samples.filter(({ hits }) => hits.length > 0);
  for (let round = 0; round < rounds; round++) {
    if (samples.some(({ knn }) => knn)) {
      const rows = samples.flatMap((sample) => knnRow(sample, weights) ?? []);
      weights = withKnn(
        weights,
        descend(knnWeightsOf(weights), steps, (values) => gateGradient(rows, values, decay)),
      );
    }
    const compact = known.map((sample) => compactOf(sample, weights));
    const lambdas = known.map((sample) => memoryPart(sample, weights).lambda);
    const ranking = descend(hitWeightsOf(weights), steps, (values) => hitGradient(compact, lambdas, values, decay));
    weights = withHitWeights(weights, ranking);
    const inputs = known.map((sample) => gateRow(sample, weights));
    const gate = descend(gateWeightsOf(weights), steps, (values) => gateGradient(inputs, values, decay));
    weights = withGate(weights, gate);
    onProgress?.((round + 1) / rounds);
  }
  return weights;
}

/**
 * Weights of the kNN gate under which the targets are most probable without the n-gram cache.
 * @param samples without hits
 * @returns them, and the mean −log p of the targets, in nats
 * @throws RangeError if no hidden keys were read
 */
export function fitKnn(samples: readonly Sample[], options?: FitOptions): { weights: KnnWeights; nats: number } {
  const { knn } = fit(samples, [1], options);
  if (!knn) throw new RangeError('the model gives no hidden keys');
  return { weights: knn, nats: meanNll(samples, { ...neutralWeights([1]), knn }) };
}

/** λ, and what the memory gives the target. */
function memoryPart(sample: Sample, weights: MemoryWeights): { lambda: number; memoryShare: number } {
  const prediction = predict(sample.hits, weights);
  if (!prediction) return { lambda: 0, memoryShare: 0 };
  const logprobOfHit = sample.logprobs.get(prediction.entries[0]?.token ?? -1) ?? -Infinity;
  const lambda = memoryGate(
    prediction,
    gateInputs(prediction, sample.hits, { ...sample.view, logprobOfHit }, sample.word),
    weights,
  );
  return { lambda, memoryShare: prediction.entries.find(({ token }) => token === sample.target)?.share ?? 0 };
}

/** A sample as arrays: what its hits' scores are made of, and which of them are right. */
interface Compact {
  readonly bucket: Uint8Array;
  readonly distance: Float32Array;
  readonly own: Uint8Array;
  readonly right: Uint8Array;
  /** p of the target by the decoder. */
  readonly decoder: number;
}

function compactOf(sample: Sample, weights: MemoryWeights): Compact {
  const { hits, target } = sample;
  const { lengths } = weights;
  return {
    bucket: Uint8Array.from(hits, ({ length }) => bucketOf(length, lengths)),
    distance: Float32Array.from(hits, ({ distance }) => Math.log(distance)),
    own: Uint8Array.from(hits, ({ own }) => (own ? 1 : 0)),
    right: Uint8Array.from(hits, ({ token }) => (token === target ? 1 : 0)),
    decoder: decoderPart(sample, weights),
  };
}

/** p of the target by the decoder and the kNN distribution, as they are mixed by now. */
function decoderPart(sample: Sample, { knn: weights }: MemoryWeights): number {
  const decoder = Math.exp(sample.logprob);
  if (!sample.knn || !weights) return decoder;
  const kappa = knnGate(knnGateInputs(sample.knn, sample.view), weights);
  return (1 - kappa) * decoder + kappa * (sample.knn.shares.get(sample.target) ?? 0);
}

/** Weights [length buckets …, distance, own] → gradient of the mean NLL. */
function hitGradient(
  samples: readonly Compact[],
  lambdas: readonly number[],
  values: Float64Array,
  decay: number,
): Float64Array {
  const gradient = new Float64Array(values.length);
  const [distanceAt, ownAt] = [values.length - 2, values.length - 1];
  const distanceWeight = values[distanceAt] as number;
  const ownWeight = values[ownAt] as number;
  samples.forEach(({ bucket, distance, own, right, decoder }, s) => {
    const scores = Float64Array.from(
      bucket,
      (b, i) => (values[b] as number) + distanceWeight * (distance[i] as number) + ownWeight * (own[i] as number),
    );
    const max = Math.max(...scores);
    let total = 0;
    let hit = 0;
    scores.forEach((score, i) => {
      const weight = Math.exp(score - max);
      scores[i] = weight;
      total += weight;
      if (right[i]) hit += weight;
    });
    const lambda = lambdas[s] as number;
    const memoryShare = hit / total;
    // d log p / d memoryShare, times memoryShare: the responsibility of the memory for the target.
    const responsibility = (lambda * memoryShare) / ((1 - lambda) * decoder + lambda * memoryShare);
    if (!(responsibility > 0)) return;
    scores.forEach((weight, i) => {
      const slope = -responsibility * ((right[i] ? weight / hit : 0) - weight / total);
      gradient[bucket[i] as number] = (gradient[bucket[i] as number] as number) + slope;
      gradient[distanceAt] = (gradient[distanceAt] as number) + slope * (distance[i] as number);
      gradient[ownAt] = (gradient[ownAt] as number) + slope * (own[i] as number);
    });
  });
  return gradient.map((sum, i) => sum / samples.length + decay * (values[i] as number));
}

/** What a gate decides about, in one sample: its share goes from the decoder to the hits. */
interface GateRow {
  readonly inputs: readonly number[];
  /** p of the target by the decoder, by the hits, and what is added to both, whatever the gate. */
  readonly decoder: number;
  readonly memoryShare: number;
  readonly fixed: number;
}

/** Of λ: the buckets' inputs are 1 for that of the longest match, 0 for the others. */
function gateRow(sample: Sample, weights: MemoryWeights): GateRow {
  const prediction = predict(sample.hits, weights);
  if (!prediction) throw new RangeError('a sample without hits');
  const logprobOfHit = sample.logprobs.get(prediction.entries[0]?.token ?? -1) ?? -Infinity;
  const inputs = gateInputs(prediction, sample.hits, { ...sample.view, logprobOfHit }, sample.word);
  const bucket = bucketOf(prediction.maxLength, weights.lengths);
  return {
    inputs: [...weights.lengths.map((_, i) => Number(i === bucket)), ...GATE_INPUTS.map((name) => inputs[name])],
    decoder: decoderPart(sample, weights),
    memoryShare: prediction.entries.find(({ token }) => token === sample.target)?.share ?? 0,
    fixed: 0,
  };
}

/** Of κ, as far as λ leaves it something; undefined where no hidden keys were read. */
function knnRow(sample: Sample, weights: MemoryWeights): GateRow | undefined {
  const { knn, view, target, logprob } = sample;
  if (!knn) return undefined;
  const { lambda, memoryShare } = memoryPart(sample, weights);
  const inputs = knnGateInputs(knn, view);
  return {
    inputs: KNN_GATE_INPUTS.map((name) => inputs[name]),
    decoder: (1 - lambda) * Math.exp(logprob),
    memoryShare: (1 - lambda) * (knn.shares.get(target) ?? 0),
    fixed: lambda * memoryShare,
  };
}

/** Weights of a gate's inputs → gradient of the mean NLL. */
function gateGradient(rows: readonly GateRow[], values: Float64Array, decay: number): Float64Array {
  const gradient = new Float64Array(values.length);
  for (const { inputs, decoder, memoryShare, fixed } of rows) {
    const score = inputs.reduce((sum, input, i) => sum + input * (values[i] as number), 0);
    const share = sigmoid(score);
    const p = (1 - share) * decoder + share * memoryShare + fixed;
    const slope = (-(memoryShare - decoder) / Math.max(p, Number.MIN_VALUE)) * share * (1 - share);
    inputs.forEach((input, i) => {
      gradient[i] = (gradient[i] as number) + slope * input;
    });
  }
  return gradient.map((sum, i) => sum / rows.length + decay * (values[i] as number));
}

/** Adam with a step size that falls to nothing. */
function descend(
  start: readonly number[],
  steps: number,
  gradientAt: (values: Float64Array) => Float64Array,
): number[] {
  const [rate, first, second] = [0.15, 0.9, 0.99];
  const values = Float64Array.from(start);
  const mean = new Float64Array(values.length);
  const square = new Float64Array(values.length);
  for (let step = 1; step <= steps; step++) {
    gradientAt(values).forEach((slope, i) => {
      mean[i] = first * (mean[i] as number) + (1 - first) * slope;
      square[i] = second * (square[i] as number) + (1 - second) * slope * slope;
      const corrected = mean[i] / (1 - first ** step);
      const size = Math.sqrt(square[i] / (1 - second ** step)) + 1e-9;
      values[i] = (values[i] as number) - (rate * (1 - step / (steps + 1)) * corrected) / size;
    });
  }
  return [...values];
}

function hitWeightsOf({ hitWeights }: MemoryWeights): number[] {
  return [...hitWeights.length, hitWeights.distance, hitWeights.own];
}

function withHitWeights(weights: MemoryWeights, values: readonly number[]): MemoryWeights {
  const length = values.slice(0, weights.lengths.length);
  const [distance = 0, own = 0] = values.slice(weights.lengths.length);
  return { ...weights, hitWeights: { length, distance, own } };
}

function gateWeightsOf({ gate }: MemoryWeights): number[] {
  return [...gate.length, ...GATE_INPUTS.map((name) => gate[name])];
}

function withGate(weights: MemoryWeights, values: readonly number[]): MemoryWeights {
  const buckets = weights.lengths.length;
  const inputs = Object.fromEntries(GATE_INPUTS.map((name, i) => [name, values[buckets + i] ?? 0]));
  return { ...weights, gate: { ...weights.gate, ...inputs, length: values.slice(0, buckets) } };
}

/** Hardly anything of the kNN distribution, at first. */
const FIRST_BIAS = -3;

function knnWeightsOf({ knn: weights }: MemoryWeights): number[] {
  return KNN_GATE_INPUTS.map((name) => weights?.gate[name] ?? (name === 'bias' ? FIRST_BIAS : 0));
}

function withKnn(weights: MemoryWeights, values: readonly number[]): MemoryWeights {
  const gate = Object.fromEntries(KNN_GATE_INPUTS.map((name, i) => [name, values[i] ?? 0])) as Record<
    (typeof KNN_GATE_INPUTS)[number],
    number
  >;
  return { ...weights, knn: { sharpness: INVERSE_TEMPERATURE, gate } };
}
