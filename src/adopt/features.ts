/** The features of a layer by which a thought is multiplied: f(n) = n · components − means. */
export interface Features {
  /** [width, count] */
  readonly components: Float32Array;
  /** [count] */
  readonly means: Float32Array;
}

/** Rounds of subspace iteration: the largest components of texts are far enough apart for a part in a thousand. */
const ROUNDS = 60;

/** Directions beyond those that are wanted, which make the iteration converge faster. */
const SPARE = 8;

/** Of a component's variance at least this share of the largest counts, so that what hardly varies is not blown up. */
const MIN_VARIANCE = 1e-6;

/**
 * The largest principal components of states, whitened: uncorrelated and all of one deviation, `scale`, over these states.
 * So a step along the gradient goes as far along each of them as a second-order one would.
 * @param states [rows, width]
 * @param count components, less than width and rows
 */
export function whitenedComponents(states: Float32Array, width: number, count: number, scale: number): Features {
  const { mean, covariance } = momentsOf(states, width);
  const { vectors, variances } = largestComponents(covariance, width, count);
  const minVariance = (variances[0] ?? 1) * MIN_VARIANCE;
  const components = new Float32Array(width * count);
  const means = new Float32Array(count);
  for (let component = 0; component < count; component++) {
    const factor = scale / Math.sqrt(Math.max(minVariance, variances[component] ?? 0));
    for (let i = 0; i < width; i++) {
      const value = (vectors[component * width + i] ?? 0) * factor;
      components[i * count + component] = value;
      means[component] = (means[component] ?? 0) + value * (mean[i] ?? 0);
    }
  }
  return { components, means };
}

/**
 * What one unit of every feature may give together: the median over the channels of the root mean square of what a layer's MLP
 * gives, over √count. The last layers have massive channels, so their mean would be no measure.
 * @param outputs [rows, width]
 */
export function unitOf(outputs: Float32Array, width: number, count: number): number {
  const rows = outputs.length / width;
  const sizes = new Float64Array(width).map((_, i) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += (outputs[row * width + i] ?? 0) ** 2;
    return Math.sqrt(sum / rows);
  });
  return (sizes.sort()[width >> 1] ?? 0) / Math.sqrt(count);
}

function momentsOf(states: Float32Array, width: number): { mean: Float64Array; covariance: Float64Array } {
  const rows = states.length / width;
  const mean = new Float64Array(width);
  for (let i = 0; i < states.length; i++) mean[i % width]! += (states[i] ?? 0) / rows;
  const covariance = new Float64Array(width * width);
  const centred = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) centred[i] = (states[row * width + i] as number) - (mean[i] as number);
    for (let i = 0; i < width; i++) {
      const value = (centred[i] as number) / rows;
      for (let j = 0; j <= i; j++) covariance[i * width + j]! += value * (centred[j] as number);
    }
  }
  for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) covariance[j * width + i] = covariance[i * width + j]!;
  return { mean, covariance };
}

/** Eigenvectors of a symmetric matrix by subspace iteration, the largest first, [count, width], and their eigenvalues. */
function largestComponents(matrix: Float64Array, width: number, count: number) {
  const tried = Math.min(width, count + SPARE);
  // Any start that is no eigenvector will do; the same one every time makes the same bundle.
  let vectors = new Float64Array(tried * width).map((_, i) => Math.sin(1 + i * 1.7) + Math.cos(i * i * 0.3));
  let variances = new Float64Array(tried);
  for (let round = 0; round < ROUNDS; round++) {
    orthonormalise(vectors, width);
    const next = new Float64Array(vectors.length);
    variances = new Float64Array(tried);
    for (let vector = 0; vector < tried; vector++) {
      const from = vector * width;
      for (let i = 0; i < width; i++) {
        let sum = 0;
        for (let j = 0; j < width; j++) sum += (matrix[i * width + j] as number) * (vectors[from + j] as number);
        next[from + i] = sum;
        variances[vector]! += sum * (vectors[from + i] as number);
      }
    }
    if (round < ROUNDS - 1) vectors = next;
  }
  const order = Array.from(variances.keys()).sort((a, b) => (variances[b] ?? 0) - (variances[a] ?? 0));
  const chosen = new Float64Array(count * width);
  order.slice(0, count).forEach((from, to) => {
    chosen.set(vectors.subarray(from * width, (from + 1) * width), to * width);
  });
  return { vectors: chosen, variances: order.slice(0, count).map((at) => variances[at] ?? 0) };
}

/** Gram–Schmidt, in place. */
function orthonormalise(vectors: Float64Array, width: number): void {
  for (let at = 0; at < vectors.length; at += width) {
    const vector = vectors.subarray(at, at + width);
    for (let before = 0; before < at; before += width) {
      const other = vectors.subarray(before, before + width);
      let along = 0;
      for (let i = 0; i < width; i++) along += (vector[i] as number) * (other[i] as number);
      for (let i = 0; i < width; i++) vector[i] = (vector[i] as number) - along * (other[i] as number);
    }
    const length = Math.hypot(...vector) || 1;
    for (let i = 0; i < width; i++) vector[i] = (vector[i] as number) / length;
  }
}
