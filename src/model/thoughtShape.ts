import type { Manifest } from './manifest';

/**
 * Where what lies in a thought z, [rows, thought vectors, width]: a row for each top layer; then as many as take a number for each
 * token, which is added to its logit; then as many again for each feature of the last state, by which that number is
 * multiplied first. Rows are groups of z, each with steps of its own, but those of all features are one group.
 */
type Shaped = Pick<Manifest, 'architecture'>;

/** Number of layers that read the thought. */
export function topLayers({ architecture }: Shaped): number {
  return architecture.layers - architecture.trunkLayers;
}

/** None where the decoder reads no thought. */
export function thoughtRows({ architecture }: Shaped): number {
  const { thoughtVectors, tokenGroups = 0, tokenFeatures = 0 } = architecture;
  if (thoughtVectors === undefined) return 0;
  return topLayers({ architecture }) + tokenGroups * (1 + tokenFeatures);
}

/** Where each group of z ends. */
export function groupEnds({ architecture }: Shaped): number[] {
  const { tokenGroups = 0, tokenFeatures = 0, thoughtVectors, width } = architecture;
  if (thoughtVectors === undefined) return [];
  const single = topLayers({ architecture }) + tokenGroups;
  const ends = Array.from({ length: single }, (_, group) => (group + 1) * thoughtVectors * width);
  if (tokenFeatures > 0) ends.push(thoughtRows({ architecture }) * thoughtVectors * width);
  return ends;
}

/** Of z, what is added to each token's logit, [vocabulary]; empty where nothing is. */
export function leaningOf(z: Float32Array, { architecture }: Shaped): Float32Array {
  const { thoughtVectors = 0, width, vocabulary } = architecture;
  const from = topLayers({ architecture }) * thoughtVectors * width;
  return z.subarray(from, from + vocabulary);
}

/** Of z, what is added for each feature: feature by feature, `stride` apart, a number for each token and perhaps some that nobody reads. */
export function byFeature(z: Float32Array, { architecture }: Shaped): { numbers: Float32Array; stride: number } {
  const { tokenGroups = 0, thoughtVectors = 0, width } = architecture;
  const stride = tokenGroups * thoughtVectors * width;
  return { numbers: z.subarray(topLayers({ architecture }) * thoughtVectors * width + stride), stride };
}
