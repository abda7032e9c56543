import { UserError } from '../model/errors';
import type { DecoderShape } from './decoderGraphs';
import type { Gguf, GgufTensor, GgufValue } from './gguf';

/** The architectures that are LLaMA-like decoders of this shape. */
const ARCHITECTURES = ['qwen2', 'llama'] as const;

/** Of the layers so many, at the top, are a graph of their own: those that read a thought. */
const TOP_LAYERS = 2;

/** What a GGUF file says of its decoder. */
export interface AdoptedDecoder {
  readonly shape: DecoderShape;
  /** Radians a position of each pair of a head's numbers, [headWidth / 2]. */
  readonly frequencies: Float64Array;
  readonly ropeBase: number;
  /** Tokens that it was trained to read at once. */
  readonly contextTokens: number;
  /** Whether rows of queries and keys lie as llama.cpp permutes them: pairs that are rotated together side by side. */
  readonly interleaved: boolean;
  /** Tensors by their names in the file. */
  readonly tensor: (name: string) => GgufTensor;
  readonly has: (name: string) => boolean;
}

/**
 * Reads the shape of a decoder from a GGUF file's metadata, and checks that its tensors are those of such a decoder.
 * @param positions for which there will be angles
 * @throws UserError in one line that names file, field and remedy
 */
export async function readDecoder(gguf: Gguf, positions: number): Promise<AdoptedDecoder> {
  const { path, metadata, tensors } = gguf;
  const refuse = (what: string): never => {
    throw new UserError(`${path}: ${what}; adopt a model of ${ARCHITECTURES.join(' or ')} architecture`);
  };
  const architecture = metadata.get('general.architecture');
  if (!ARCHITECTURES.some((known) => known === architecture)) {
    refuse(`general.architecture is ${JSON.stringify(architecture) ?? 'missing'}`);
  }
  const field = (name: string) => `${String(architecture)}.${name}`;
  const number = (name: string, fallback?: number): number => {
    const value: GgufValue | undefined = metadata.get(field(name)) ?? fallback;
    if (typeof value !== 'number' || !(value > 0))
      return refuse(`${field(name)} is ${String(value)}, not a number above 0`);
    return value;
  };
  const scaling = metadata.get(field('rope.scaling.type')) ?? 'none';
  if (scaling !== 'none') refuse(`${field('rope.scaling.type')} is ${JSON.stringify(scaling)}, which is not known`);
  const tensor = (name: string) => tensors.get(name) ?? refuse(`tensor ${name} is missing`);
  const [width, heads] = [number('embedding_length'), number('attention.head_count')];
  const headWidth = number('attention.key_length', width / heads);
  const shape: DecoderShape = {
    vocabulary: tensor('token_embd.weight').shape[0] ?? 0,
    width,
    layers: number('block_count'),
    trunkLayers: Math.max(1, number('block_count') - TOP_LAYERS),
    heads,
    kvHeads: number('attention.head_count_kv', heads),
    headWidth,
    mlpWidth: number('feed_forward_length'),
    normEpsilon: number('attention.layer_norm_rms_epsilon'),
    attentionBias: tensors.has('blk.0.attn_q.bias'),
    positions,
  };
  if (!Number.isInteger(headWidth) || headWidth % 16 !== 0) refuse(`heads are ${headWidth} wide, not a multiple of 16`);
  if (heads % shape.kvHeads !== 0) refuse(`${heads} heads cannot share ${shape.kvHeads} heads of keys and values`);
  if (shape.layers < 2) refuse(`${field('block_count')} is ${shape.layers}, less than 2`);
  checkTensors(gguf, shape, refuse);
  const ropeBase = number('rope.freq_base', 10_000);
  const factors = tensors.has('rope_freqs.weight') ? await floats(gguf, tensor('rope_freqs.weight')) : undefined;
  const frequencies = Float64Array.from(
    { length: headWidth / 2 },
    (_, i) => ropeBase ** ((-2 * i) / headWidth) / (factors?.[i] ?? 1),
  );
  return {
    shape,
    frequencies,
    ropeBase,
    contextTokens: number('context_length'),
    interleaved: architecture === 'llama',
    tensor,
    has: (name) => tensors.has(name),
  };
}

async function floats(gguf: Gguf, tensor: GgufTensor): Promise<Float32Array> {
  const { dequantize } = await import('./dequantize');
  return dequantize(tensor.type, await gguf.read(tensor));
}

/** The tensors of a layer by the ends of their names, with the shapes that they must have. */
function layerTensors(shape: DecoderShape): Record<string, readonly number[]> {
  const { width, mlpWidth, heads, kvHeads, headWidth, attentionBias } = shape;
  const [query, keyValue] = [heads * headWidth, kvHeads * headWidth];
  return {
    'attn_norm.weight': [width],
    'attn_q.weight': [query, width],
    'attn_k.weight': [keyValue, width],
    'attn_v.weight': [keyValue, width],
    ...(attentionBias && { 'attn_q.bias': [query], 'attn_k.bias': [keyValue], 'attn_v.bias': [keyValue] }),
    'attn_output.weight': [width, query],
    'ffn_norm.weight': [width],
    'ffn_gate.weight': [mlpWidth, width],
    'ffn_up.weight': [mlpWidth, width],
    'ffn_down.weight': [width, mlpWidth],
  };
}

function checkTensors({ tensors }: Gguf, shape: DecoderShape, refuse: (what: string) => never): void {
  const { width, vocabulary, layers, headWidth } = shape;
  const wanted = new Map<string, readonly number[]>([
    ['token_embd.weight', [vocabulary, width]],
    ['output_norm.weight', [width]],
  ]);
  for (let layer = 0; layer < layers; layer++) {
    for (const [name, sizes] of Object.entries(layerTensors(shape))) wanted.set(`blk.${layer}.${name}`, sizes);
  }
  if (tensors.has('output.weight')) wanted.set('output.weight', [vocabulary, width]);
  if (tensors.has('rope_freqs.weight')) wanted.set('rope_freqs.weight', [headWidth / 2]);
  for (const [name, sizes] of wanted) {
    const found = tensors.get(name)?.shape;
    if (!found) refuse(`tensor ${name} is missing`);
    else if (found.join() !== sizes.join())
      refuse(`tensor ${name} is [${found.join(', ')}] instead of [${sizes.join(', ')}]`);
  }
  const unknown = [...tensors.keys()].find((name) => !wanted.has(name));
  if (unknown !== undefined) refuse(`tensor ${unknown} belongs to no decoder of this shape`);
}
