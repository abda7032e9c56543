import type { GgufValue } from './gguf';
import type { Prompt } from '../model/manifest';

/** Names of fill-in markers: Qwen, StarCoder and its kin, CodeLlama, DeepSeek. */
const MARKERS = [
  { prefix: '<|fim_prefix|>', suffix: '<|fim_suffix|>', middle: '<|fim_middle|>' },
  { prefix: '<fim_prefix>', suffix: '<fim_suffix>', middle: '<fim_middle>' },
  { prefix: '<fim-prefix>', suffix: '<fim-suffix>', middle: '<fim-middle>' },
  { prefix: '▁<PRE>', suffix: '▁<SUF>', middle: '▁<MID>' },
  { prefix: '<PRE>', suffix: '<SUF>', middle: '<MID>' },
] as const;

/** Tokens that end a text wherever they stand, by name. */
const ENDS = [
  '<|endoftext|>',
  '<|end_of_text|>',
  '<|fim_pad|>',
  '<fim_pad>',
  '<|im_end|>',
  '<|eot_id|>',
  '</s>',
  '<EOT>',
  '▁<EOT>',
  // Where another file would begin.
  '<|repo_name|>',
  '<repo_name>',
  '<reponame>',
  '<|file_sep|>',
  '<file_sep>',
];

/** Fields of GGUF's metadata that name tokens that end a text. */
const END_FIELDS = ['eos_token_id', 'eot_token_id', 'eom_token_id'];

/**
 * How a model is asked to complete, by the names of its special tokens.
 * @param special ids of the tokens that no text spells, by name
 */
export function promptOf(metadata: ReadonlyMap<string, GgufValue>, special: ReadonlyMap<string, number>): Prompt {
  const named = END_FIELDS.map((field) => metadata.get(`tokenizer.ggml.${field}`)).filter(isToken);
  const listed = ENDS.map((name) => special.get(name)).filter(isToken);
  const ends = [...new Set([...named, ...listed])];
  const bos = metadata.get('tokenizer.ggml.bos_token_id');
  const begin = metadata.get('tokenizer.ggml.add_bos_token') === true && isToken(bos) ? { begin: bos } : {};
  for (const names of MARKERS) {
    const [prefix, suffix, middle] = [names.prefix, names.suffix, names.middle].map((name) => special.get(name));
    if (prefix === undefined || suffix === undefined || middle === undefined) continue;
    return { style: 'prefix-suffix-middle', ...begin, prefix, suffix, middle, ends };
  }
  return { style: 'prefix', ...begin, ends };
}

function isToken(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
