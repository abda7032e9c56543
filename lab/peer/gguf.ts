/** A model file for llama.cpp (GGUF, version 3): the shape of a bundle's decoder without its thought, random weights in 8 bits. */
import { open } from 'node:fs/promises';
import { randomFrom } from '../../src/model/random';
import { aligned, ggufHeader } from './ggufWriter';

export interface Shape {
  readonly vocabulary: number;
  readonly width: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headWidth: number;
  /** Longest window, in tokens. */
  readonly context: number;
}

/** Types of tensors, by GGUF's numbers. */
const TENSOR_F32 = 0;
const TENSOR_Q8_0 = 8;

/** Q8_0: 32 weights of a row share a float16 scale. This one is 2⁻¹¹: the weights' deviation is 0.036. */
const BLOCK = 32;
const BLOCK_BYTES = 2 + BLOCK;
const SCALE = 0x1000;

interface Tensor {
  readonly name: string;
  /** Inputs first, as GGUF counts. */
  readonly dimensions: readonly number[];
  readonly type: typeof TENSOR_F32 | typeof TENSOR_Q8_0;
}

/** The tensors of a LLaMA with tied embeddings, as llama.cpp names them. */
export function tensorsOf(shape: Shape): Tensor[] {
  const { vocabulary, width, hidden, layers } = shape;
  const [queries, keys] = [shape.heads * shape.headWidth, shape.kvHeads * shape.headWidth];
  const norm = (name: string): Tensor => ({ name: `${name}.weight`, dimensions: [width], type: TENSOR_F32 });
  const matrix = (name: string, inputs: number, outputs: number): Tensor => ({
    name: `${name}.weight`,
    dimensions: [inputs, outputs],
    type: TENSOR_Q8_0,
  });
  const layer = (i: number) => [
    norm(`blk.${i}.attn_norm`),
    matrix(`blk.${i}.attn_q`, width, queries),
    matrix(`blk.${i}.attn_k`, width, keys),
    matrix(`blk.${i}.attn_v`, width, keys),
    matrix(`blk.${i}.attn_output`, queries, width),
    norm(`blk.${i}.ffn_norm`),
    matrix(`blk.${i}.ffn_gate`, width, hidden),
    matrix(`blk.${i}.ffn_up`, width, hidden),
    matrix(`blk.${i}.ffn_down`, hidden, width),
  ];
  const stack = Array.from({ length: layers }, (_, i) => layer(i)).flat();
  return [matrix('token_embd', width, vocabulary), norm('output_norm'), ...stack];
}

/** Writes the file. Widths must be multiples of 32. */
export async function writeRandomModel(path: string, shape: Shape, seed = 1): Promise<void> {
  const random = randomFrom(seed);
  const tensors = tensorsOf(shape);
  const file = await open(path, 'w');
  try {
    await file.write(header(shape, tensors));
    for (const tensor of tensors) await file.write(aligned(values(tensor, random)));
  } finally {
    await file.close();
  }
}

/** Everything before the weights. */
export function header(shape: Shape, tensors: readonly Tensor[]): Buffer {
  return ggufHeader(
    [
      ['general.architecture', 'STRING', 'llama'],
      ['general.name', 'STRING', 'random'],
      ['llama.context_length', 'UINT32', shape.context],
      ['llama.embedding_length', 'UINT32', shape.width],
      ['llama.block_count', 'UINT32', shape.layers],
      ['llama.feed_forward_length', 'UINT32', shape.hidden],
      ['llama.attention.head_count', 'UINT32', shape.heads],
      ['llama.attention.head_count_kv', 'UINT32', shape.kvHeads],
      ['llama.attention.key_length', 'UINT32', shape.headWidth],
      ['llama.attention.value_length', 'UINT32', shape.headWidth],
      ['llama.attention.layer_norm_rms_epsilon', 'FLOAT32', 1e-5],
      ['llama.rope.dimension_count', 'UINT32', shape.headWidth],
      ['llama.rope.freq_base', 'FLOAT32', 10_000],
      ['llama.vocab_size', 'UINT32', shape.vocabulary],
      // Windows come as tokens: the names serve nobody, but without any the file is refused.
      ['tokenizer.ggml.model', 'STRING', 'gpt2'],
      ['tokenizer.ggml.pre', 'STRING', 'default'],
      ['tokenizer.ggml.tokens', 'STRING', Array.from({ length: shape.vocabulary }, (_, i) => `t${i}`)],
      ['tokenizer.ggml.merges', 'STRING', ['t 0']],
      ['tokenizer.ggml.bos_token_id', 'UINT32', 0],
      ['tokenizer.ggml.eos_token_id', 'UINT32', 0],
    ],
    tensors.map((tensor) => ({ ...tensor, bytes: bytesOf(tensor) })),
  );
}

export function bytesOf({ dimensions, type }: Tensor): number {
  const count = dimensions.reduce((product, dimension) => product * dimension, 1);
  return type === TENSOR_F32 ? count * 4 : (count / BLOCK) * BLOCK_BYTES;
}

function values(tensor: Tensor, random: () => number): Buffer {
  const bytes = Buffer.alloc(bytesOf(tensor));
  if (tensor.type === TENSOR_F32) {
    for (let at = 0; at < bytes.length; at += 4) bytes.writeFloatLE(1, at);
    return bytes;
  }
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    bytes.writeUInt16LE(SCALE, at);
    for (let i = 2; i < BLOCK_BYTES; i++) bytes[at + i] = Math.floor(256 * random());
  }
  return bytes;
}
