import type { Manifest } from './manifest';

/**
 * The shape of a thought z, [top layers, features, width]: beside the MLP of each top layer the decoder adds f(n) · z, where f(n)
 * are fixed features of what the MLP reads. A layer's part is a group of z with steps of its own. Zero is the prior's mean.
 */
type Shaped = Pick<Manifest, 'architecture' | 'thought'>;

/** Number of layers that read the thought. */
export function topLayers({ architecture }: Pick<Shaped, 'architecture'>): number {
  return architecture.layers - architecture.trunkLayers;
}

/** Dimensions of z; where the decoder reads no thought none has a number. */
export function thoughtShape(manifest: Shaped): [layers: number, features: number, width: number] {
  return [topLayers(manifest), manifest.thought?.features ?? 0, manifest.architecture.width];
}

/** Numbers of z. */
export function thoughtSize(manifest: Shaped): number {
  return thoughtShape(manifest).reduce((product, size) => product * size, 1);
}

/** Where each layer's part of z ends. */
export function groupEnds(manifest: Shaped): number[] {
  const [layers, features, width] = thoughtShape(manifest);
  if (features === 0) return [];
  return Array.from({ length: layers }, (_, layer) => (layer + 1) * features * width);
}
