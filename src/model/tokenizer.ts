import { Tokenizer as BytePairEncoder } from '@huggingface/tokenizers';
import { LruMap } from './lru';
import { piecesOf, type Pieces } from './pieces';

const REMEMBERED_PIECES = 8192;
const MAX_REMEMBERED = 400;
/** No vocabulary is larger. */
const MAX_TOKENS = 2 ** 20;
/** The characters of byte-level BPE come before this one. */
const ALPHABET_END = 0x144;

/**
 * Byte-level BPE of a bundle. Text in, token ids out, and back; special tokens can neither be spelled by a text nor
 * decoded to one. Texts can be encoded in pieces, which are remembered: while a file is edited nearly all of them stay
 * what they were. The time is linear in the text whatever its lines look like.
 */
export class Tokenizer {
  /** One more than the largest token id of a text. */
  readonly size: number;
  readonly #pieces: Pieces;
  readonly #encoder: BytePairEncoder;
  readonly #table: TokenTable;
  /** Ids of the text tokens, ordered by their bytes. */
  readonly #sorted: Uint32Array;
  readonly #known = new LruMap<string, readonly number[]>(REMEMBERED_PIECES);

  /**
   * @param json content of a Hugging Face tokenizer.json with a byte-level BPE model
   * @param pieces how a text may be cut so that its parts encode as the whole does
   */
  constructor(json: string, pieces: Pieces = 'lines') {
    const file = JSON.parse(json) as TokenizerFile;
    if (file.model?.type !== 'BPE') throw new Error(`model.type is ${String(file.model?.type)}, not BPE`);
    this.#encoder = new BytePairEncoder(file, {});
    this.#pieces = pieces;
    this.size = tokenCount(file.model);
    this.#table = tokenTable(file.model, this.size);
    this.#sorted = sortedByBytes(this.#table);
  }

  /** A text cut into pieces that give, encoded apart, the tokens of the whole. */
  pieces(text: string): string[] {
    return piecesOf(text, this.#pieces);
  }

  /** Token ids of a text; a lone surrogate counts as U+FFFD. */
  encode(text: string): number[] {
    if (text === '') return [];
    return this.#encoder.encode(text.toWellFormed(), { add_special_tokens: false }).ids;
  }

  /** Token ids of a piece, remembered. */
  encodePiece(piece: string): readonly number[] {
    if (piece.length > MAX_REMEMBERED) return this.encode(piece);
    let ids = this.#known.get(piece);
    if (ids === undefined) this.#known.set(copyOf(piece), (ids = this.encode(piece)));
    return ids;
  }

  /** Text of token ids; special tokens give nothing, an incomplete character at either end gives U+FFFD. */
  decode(ids: readonly number[]): string {
    return Buffer.concat(ids.map((id) => this.bytes(id))).toString('utf8');
  }

  /** The bytes a token stands for; none for a special token. */
  bytes(id: number): Uint8Array {
    const { bytes, starts } = this.#table;
    return this.isText(id) ? bytes.subarray(starts[id], starts[id + 1]) : NONE;
  }

  /** Whether a token stands for bytes of a text. */
  isText(id: number): boolean {
    const { starts } = this.#table;
    return (starts[id + 1] ?? 0) > (starts[id] ?? 0);
  }

  /** Text tokens that begin with the given bytes, and those that are themselves a beginning of them. */
  compatible(bytes: Uint8Array): number[] {
    const longer: number[] = [];
    for (let at = this.#lowerBound(bytes); at < this.#sorted.length; at++) {
      const id = this.#sorted[at] as number;
      if (!startsWith(this.bytes(id), bytes)) break;
      longer.push(id);
    }
    const shorter: number[] = [];
    for (let length = 1; length < bytes.length; length++) {
      const part = bytes.subarray(0, length);
      const id = this.#sorted[this.#lowerBound(part)];
      if (id !== undefined && Buffer.compare(this.bytes(id), part) === 0) shorter.push(id);
    }
    return [...shorter, ...longer];
  }

  #lowerBound(bytes: Uint8Array): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Buffer.compare(this.bytes(this.#sorted[middle] as number), bytes) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A string of its own: a part of another one keeps all of that in memory, for a line the whole text it was cut from. */
function copyOf(part: string): string {
  return Buffer.from(part, 'utf16le').toString('utf16le');
}

export function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && Buffer.compare(bytes.subarray(0, start.length), start) === 0;
}

interface BytePairModel {
  type: string;
  vocab: Record<string, number>;
  merges: (string | [string, string])[];
  ignore_merges?: boolean;
}

interface TokenizerFile {
  model?: BytePairModel;
}

const NONE = new Uint8Array(0);

/** One more than the largest id. @throws Error where an id is none: as many entries are made as it says */
function tokenCount({ vocab }: BytePairModel): number {
  let largest = -1;
  for (const id of Object.values(vocab)) {
    if (!Number.isInteger(id) || id < 0 || id >= MAX_TOKENS) throw new Error(`${String(id)} is no token id`);
    largest = Math.max(largest, id);
  }
  return largest + 1;
}

/** The bytes of all tokens one behind the other; those of token i begin at `starts[i]`. */
interface TokenTable {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
}

/**
 * The bytes of each token that text can produce: single bytes and merges, or all where whole words come before merges;
 * what is left in the vocabulary is special.
 */
function tokenTable(model: BytePairModel, size: number): TokenTable {
  const alphabet = byteOfCharacter();
  const spellings: (string | undefined)[] = new Array<undefined>(size);
  const add = (token: string) => {
    const id = model.vocab[token];
    if (id !== undefined) spellings[id] = token;
  };
  for (const character of alphabet.keys()) add(character);
  for (const merge of model.merges) add(typeof merge === 'string' ? merge.replace(' ', '') : merge.join(''));
  if (model.ignore_merges === true) for (const token of Object.keys(model.vocab)) add(token);

  const byteOf = new Int16Array(ALPHABET_END).fill(-1);
  for (const [character, byte] of alphabet) byteOf[character.charCodeAt(0)] = byte;
  const starts = new Uint32Array(size + 1);
  spellings.forEach((token, id) => (starts[id + 1] = token?.length ?? 0));
  for (let id = 0; id < size; id++) starts[id + 1] = (starts[id + 1] as number) + (starts[id] as number);
  const bytes = new Uint8Array(starts[size] as number);
  spellings.forEach((token = '', id) => {
    for (let i = 0; i < token.length; i++) {
      const byte = byteOf[token.charCodeAt(i)] ?? -1;
      if (byte < 0) throw new Error(`token ${JSON.stringify(token)} is not byte-level`);
      bytes[(starts[id] as number) + i] = byte;
    }
  });
  return { bytes, starts };
}

/** Bytes of a token that are compared as one number. */
const KEY_BYTES = 6;

/** Ids of the tokens that stand for text, in the order of their bytes. */
function sortedByBytes({ bytes, starts }: TokenTable): Uint32Array {
  const start = (id: number) => starts[id] as number;
  const ids = Uint32Array.from(starts.keys()).filter((id) => (starts[id + 1] ?? 0) > start(id));
  const keys = Float64Array.from({ length: starts.length - 1 }, (_, id) => {
    let key = 0;
    for (let i = 0; i < KEY_BYTES; i++)
      key = key * 256 + (start(id) + i < start(id + 1) ? (bytes[start(id) + i] as number) : 0);
    return key;
  });
  const text = (id: number) => bytes.subarray(start(id), start(id + 1));
  return ids.sort((a, b) => (keys[a] as number) - (keys[b] as number) || Buffer.compare(text(a), text(b)));
}

/**
 * The alphabet of byte-level BPE: a printable Latin-1 byte is written as its own character, each other byte, in
 * order, as a character from U+0100 on.
 */
export function byteOfCharacter(): Map<string, number> {
  const printable = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  const alphabet = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) alphabet.set(String.fromCodePoint(printable(byte) ? byte : next++), byte);
  return alphabet;
}
