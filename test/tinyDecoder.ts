import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { READABLE, type GgmlName } from '../src/adopt/ggmlTypes';
import type { Entry } from '../lab/peer/ggufWriter';
import { randomFrom } from '../src/model/random';
import { ROOT } from './fixtures';
import { randomTensor, type TinyTensor } from './tinyGguf';

const vocabulary = JSON.parse(readFileSync(join(ROOT, 'test', 'fixtures', 'byte-level-vocabulary.json'), 'utf8')) as {
  tokens: string[];
  types: number[];
  merges: string[];
};

/** Markers of Qwen's, which the vocabulary has not. */
export const MARKERS = ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>', '<|repo_name|>', '<|file_sep|>'];

export const DECODER = { layers: 3, width: 256, heads: 4, kvHeads: 2, headWidth: 64, mlpWidth: 512 } as const;

export interface TinyDecoder {
  readonly entries: readonly Entry[];
  readonly tensors: readonly TinyTensor[];
}

/**
 * A decoder of random weights whose matrices are of all the types that are read, as a GGUF file has it.
 * @param markers special tokens besides those of the vocabulary
 */
export function tinyDecoder(
  architecture: 'qwen2' | 'llama',
  { markers = MARKERS, tied = false }: { markers?: readonly string[]; tied?: boolean } = {},
): TinyDecoder {
  const { layers, width, heads, kvHeads, headWidth, mlpWidth } = DECODER;
  const added = markers.filter((marker) => !vocabulary.tokens.includes(marker));
  const tokens = [...vocabulary.tokens, ...added];
  const random = randomFrom(23);
  let turn = 0;
  const type = (): GgmlName => READABLE[turn++ % READABLE.length] as GgmlName;
  const tensors: TinyTensor[] = [];
  const add = (name: string, shape: readonly number[]) => {
    tensors.push(shape.length === 1 ? vector(name, shape[0] ?? 0, random) : randomTensor(name, shape, type(), random));
  };
  add('token_embd.weight', [tokens.length, width]);
  if (!tied) add('output.weight', [tokens.length, width]);
  add('output_norm.weight', [width]);
  for (let layer = 0; layer < layers; layer++) {
    const of = (name: string) => `blk.${layer}.${name}`;
    add(of('attn_norm.weight'), [width]);
    for (const [name, size] of [
      ['attn_q', heads],
      ['attn_k', kvHeads],
      ['attn_v', kvHeads],
    ] as const) {
      // prettier-ignore
      add(of(`${name}.weight`), [size * headWidth, width]);
      if (architecture === 'qwen2') add(of(`${name}.bias`), [size * headWidth]);
    }
    add(of('attn_output.weight'), [width, heads * headWidth]);
    add(of('ffn_norm.weight'), [width]);
    add(of('ffn_gate.weight'), [mlpWidth, width]);
    add(of('ffn_up.weight'), [mlpWidth, width]);
    add(of('ffn_down.weight'), [width, mlpWidth]);
  }
  const field = (name: string) => `${architecture}.${name}`;
  const end = vocabulary.types.indexOf(3);
  return {
    tensors,
    entries: [
      ['general.architecture', 'STRING', architecture],
      ['general.name', 'STRING', `tiny ${architecture}`],
      [field('block_count'), 'UINT32', layers],
      [field('context_length'), 'UINT32', 1024],
      [field('embedding_length'), 'UINT32', width],
      [field('feed_forward_length'), 'UINT32', mlpWidth],
      [field('attention.head_count'), 'UINT32', heads],
      [field('attention.head_count_kv'), 'UINT32', kvHeads],
      [field('attention.layer_norm_rms_epsilon'), 'FLOAT32', 1e-6],
      [field('rope.freq_base'), 'FLOAT32', 10_000],
      [field('vocab_size'), 'UINT32', tokens.length],
      ['tokenizer.ggml.model', 'STRING', 'gpt2'],
      ['tokenizer.ggml.pre', 'STRING', 'qwen2'],
      ['tokenizer.ggml.tokens', 'STRING', tokens],
      ['tokenizer.ggml.token_type', 'INT32', [...vocabulary.types, ...added.map(() => 3)]],
      ['tokenizer.ggml.merges', 'STRING', vocabulary.merges],
      ['tokenizer.ggml.eos_token_id', 'UINT32', end],
    ],
  };
}

/** A vector around 1 for a norm, around 0 for a bias. */
function vector(name: string, length: number, random: () => number): TinyTensor {
  const middle = name.endsWith('.bias') ? 0 : 1;
  const values = Float32Array.from({ length }, () => middle + 0.5 * (random() - 0.5));
  return { name, shape: [length], type: 'F32', bytes: new Uint8Array(values.buffer) };
}
