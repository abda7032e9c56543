import { Tokenizer as BytePairEncoder } from '@huggingface/tokenizers';
import { LruMap } from './lru';
import { piecesOf, type Pieces } from './pieces';

const REMEMBERED_PIECES = 8192;
const LONGEST_REMEMBERED = 400;
/** No vocabulary is larger. */
const MAX_TOKENS = 2 ** 20;

/**
 * Byte-level BPE of a bundle. Text in, token ids out, and back; special tokens can neither be spelled by a text nor
 * decoded to one. Pre-tokens are capped in length by the tokenizer's own pattern, so encoding is linear in the text
 * whatever its lines look like. What encodes apart as it does together is a piece (src/model/pieces.ts).
 */
export class Tokenizer {
  /** Number of token ids. */
  readonly size: number;
  readonly #encoder: BytePairEncoder;
  readonly #bytes: Uint8Array[];
  /** Ids of the text tokens, ordered by their bytes. */
  readonly #sorted: number[];
  readonly #known = new LruMap<string, readonly number[]>(REMEMBERED_PIECES);

  readonly #pieces: Pieces;

  /**
   * @param json content of a Hugging Face tokenizer.json with a byte-level BPE model
   * @param pieces how a text may be cut so that its parts encode as the whole does
   */
  constructor(json: string, pieces: Pieces = 'lines') {
    this.#pieces = pieces;
    const file = JSON.parse(json) as TokenizerFile;
    if (file.model?.type !== 'BPE') throw new Error(`model.type is ${String(file.model?.type)}, not BPE`);
    this.#encoder = new BytePairEncoder(file, {});
    this.size = tokenCount(file.model);
    this.#bytes = tokenBytes(file.model, this.size);
    this.#sorted = [...this.#bytes.keys()].filter((id) => this.bytes(id).length > 0);
    this.#sorted.sort((a, b) => Buffer.compare(this.bytes(a), this.bytes(b)));
  }

  /** Token ids of a text; a lone surrogate counts as U+FFFD. */
  encode(text: string): number[] {
    if (text === '') return [];
    return this.#encoder.encode(text.toWellFormed(), { add_special_tokens: false }).ids;
  }

  /** Cuts a text whose lines end in "\n" into parts that encode apart as they do together. */
  pieces(text: string): string[] {
    return piecesOf(text, this.#pieces);
  }

  /** Token ids of one piece, remembered: while a file is edited nearly all its lines stay what they were. */
  encodePiece(piece: string): readonly number[] {
    if (piece.length > LONGEST_REMEMBERED) return this.encode(piece);
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
    return this.#bytes[id] ?? NONE;
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

/** The bytes of each token that text can produce: single bytes and merges; what is left in the vocabulary is special. */
function tokenBytes(model: BytePairModel, size: number): Uint8Array[] {
  const alphabet = byteOfCharacter();
  const bytes = Array.from({ length: size }, () => NONE);
  const add = (token: string) => {
    const id = model.vocab[token];
    if (id === undefined) return;
    bytes[id] = Uint8Array.from(token, (character) => {
      const byte = alphabet.get(character);
      if (byte === undefined) throw new Error(`token ${JSON.stringify(token)} is not byte-level`);
      return byte;
    });
  };
  for (const character of alphabet.keys()) add(character);
  for (const merge of model.merges) add((typeof merge === 'string' ? merge.split(' ') : merge).join(''));
  return bytes;
}

/**
 * The alphabet of byte-level BPE: a printable Latin-1 byte is written as its own character, each other byte, in
 * order, as a character from U+0100 on.
 */
function byteOfCharacter(): Map<string, number> {
  const printable = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  const alphabet = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) alphabet.set(String.fromCodePoint(printable(byte) ? byte : next++), byte);
  return alphabet;
}
