import { messageOf, UserError } from '../model/errors';
import type { Pieces } from '../model/pieces';
import { byteOfCharacter } from '../model/tokenizer';
import type { GgufValue } from './ggufHeader';

/** What a GGUF's metadata say of its tokenizer. */
export interface AdoptedTokenizer {
  /** Content of a Hugging Face tokenizer.json. */
  readonly json: string;
  /** How texts may be cut into pieces that are encoded apart. */
  readonly pieces: Pieces;
  /** Ids of the tokens that no text spells, by their names: markers, ends. */
  readonly special: ReadonlyMap<string, number>;
  /** Number of token ids, whether a text can give them or not. */
  readonly size: number;
}

/** How a text is split before its parts are merged into tokens: patterns one after the other, as Oniguruma reads them. */
interface PreTokenizer {
  readonly patterns: readonly string[];
  readonly pieces: Pieces;
  /** A part that is a token as a whole stays one, whatever the merges say. */
  readonly wholeFirst?: boolean;
}

const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
/** Of GPT-4 and what followed it; they differ in how many digits stand together. */
const gpt4 = (digits: string) =>
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

const gpt2: PreTokenizer = { patterns: [GPT2], pieces: 'line-breaks-first' };
const singleDigits: PreTokenizer = { patterns: [String.raw`\p{N}`, GPT2], pieces: 'line-breaks-first' };

/** By the names that llama.cpp gives them in `tokenizer.ggml.pre`. */
const PRE_TOKENIZERS: Readonly<Record<string, PreTokenizer>> = {
  default: gpt2,
  'gpt-2': gpt2,
  starcoder: singleDigits,
  refact: singleDigits,
  codeshell: singleDigits,
  smollm: singleDigits,
  qwen2: { patterns: [gpt4(String.raw`\p{N}`)], pieces: 'lines-with-blanks' },
  'llama-bpe': { patterns: [gpt4(String.raw`\p{N}{1,3}`)], pieces: 'lines-with-blanks', wholeFirst: true },
  'deepseek-coder': {
    patterns: ['[\r\n]', String.raw`\s?\p{L}+`, String.raw`\s?\p{P}+`, '[一-龥ࠀ-一가-퟿]+', String.raw`\p{N}`],
    pieces: 'lines-with-blanks',
  },
};

/** Numbers in `tokenizer.ggml.token_type`. */
const NORMAL = 1;
const UNUSED = 5;

/** Bytes without which no code can be written. Others may have no token (SmolLM2): they are left out of what is encoded. */
const isNeeded = (byte: number) => byte === 0x09 || byte === 0x0a || (byte >= 0x20 && byte < 0x7f);

/**
 * The tokenizer of a model file as a tokenizer.json, its special tokens left out: what a text says is always text. A text is not normalised, even where the model's own tokenizer would
 * compose accents (NFC): what is decoded is what was encoded.
 * @param path names the file in messages
 * @throws UserError in one line unless it is a byte-level BPE whose pre-tokenizer is known
 */
export function adoptTokenizer(metadata: ReadonlyMap<string, GgufValue>, path: string): AdoptedTokenizer {
  const refuse = (field: string, problem: string): never => {
    throw new UserError(`${path}: tokenizer.ggml.${field} ${problem}`);
  };
  const model = metadata.get('tokenizer.ggml.model');
  if (model !== 'gpt2') {
    refuse(
      'model',
      `is ${JSON.stringify(model) ?? 'missing'}, not gpt2 (byte-level BPE); get a model with such a tokenizer`,
    );
  }
  const pre = metadata.get('tokenizer.ggml.pre') ?? 'default';
  const split = typeof pre === 'string' && Object.hasOwn(PRE_TOKENIZERS, pre) ? PRE_TOKENIZERS[pre] : undefined;
  if (split === undefined) {
    return refuse(
      'pre',
      `is ${JSON.stringify(pre)}; get a model with one of ${Object.keys(PRE_TOKENIZERS).join(', ')}`,
    );
  }
  const strings = (field: string): string[] => {
    const value = metadata.get(`tokenizer.ggml.${field}`);
    if (!Array.isArray(value) || value.length === 0 || value.some((one) => typeof one !== 'string')) {
      return refuse(field, 'is no list of strings; get the file again');
    }
    return value as string[];
  };
  try {
    const types = metadata.get('tokenizer.ggml.token_type');
    const vocabulary = vocabularyOf(strings('tokens'), Array.isArray(types) ? types : undefined);
    const merges = checkedMerges(strings('merges'), vocabulary.text);
    const vocab = Object.fromEntries(vocabulary.text);
    return {
      json: JSON.stringify(tokenizerFile(split, vocab, merges)),
      pieces: split.pieces,
      special: vocabulary.special,
      size: strings('tokens').length,
    };
  } catch (error) {
    if (error instanceof UserError) throw error;
    return refuse('tokens', `or its merges are damaged: ${messageOf(error)}; get the file again`);
  }
}

interface Vocabulary {
  readonly text: ReadonlyMap<string, number>;
  readonly special: ReadonlyMap<string, number>;
}

/** Token ids by name. Without types of tokens those are text that are written in the alphabet of bytes. */
function vocabularyOf(tokens: readonly string[], types: readonly unknown[] | undefined): Vocabulary {
  const alphabet = byteOfCharacter();
  const spelled = (token: string) => token !== '' && [...token].every((character) => alphabet.has(character));
  const text = new Map<string, number>();
  const special = new Map<string, number>();
  tokens.forEach((token, id) => {
    const type = types?.[id] ?? (spelled(token) ? NORMAL : UNUSED);
    if (type !== NORMAL) return;
    if (!spelled(token)) throw new Error(`token ${id} is not byte-level`);
    if (text.has(token)) throw new Error(`token ${id} is there twice`);
    text.set(token, id);
  });
  for (const [character, byte] of alphabet) {
    if (!text.has(character) && isNeeded(byte)) throw new Error(`no token stands for the byte ${byte}`);
  }
  tokens.forEach((token, id) => {
    const type = types?.[id] ?? UNUSED;
    // A text token of the same name keeps it.
    if (type !== NORMAL && type !== UNUSED && !text.has(token)) special.set(token, id);
  });
  return { text, special };
}

/** Merges, each "left right". @throws Error for one that leads out of the vocabulary */
function checkedMerges(merges: readonly string[], text: ReadonlyMap<string, number>): readonly string[] {
  merges.forEach((merge, i) => {
    const space = merge.indexOf(' ', 1);
    const [left, right] = [merge.slice(0, space), merge.slice(space + 1)];
    if (space < 0 || !text.has(left) || !text.has(right) || !text.has(left + right)) {
      throw new Error(`merge ${i} is of tokens that do not exist`);
    }
  });
  return merges;
}

function tokenizerFile(split: PreTokenizer, vocab: Record<string, number>, merges: readonly string[]) {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
  const patterns = split.patterns.map((pattern) => ({
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Isolated',
    invert: false,
  }));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [...patterns, byteLevel] },
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: split.wholeFirst ?? false,
      vocab,
      merges,
    },
  };
}
