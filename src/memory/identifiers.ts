import type { Tokenizer } from '../model/tokenizer';

/** The identifier that a context ends in the middle of: more of it may come. */
export interface OpenIdentifier {
  /** Tokens of it that stand there, 0 where the context does not end in a word. */
  readonly tokens: number;
  /** Whether a token would lengthen it. */
  continuesWord(token: number): boolean;
}

/** Identifiers in tokens: runs of letters, digits, `_` and `$`, as in identifiers; what is beyond ASCII counts as a letter. */
export class Identifiers {
  /** For each token: whether its first byte, its last byte, and all of its bytes are a word's. */
  readonly #first: Uint8Array;
  readonly #last: Uint8Array;
  readonly #whole: Uint8Array;

  constructor(tokenizer: Pick<Tokenizer, 'size' | 'bytes'>) {
    const { size } = tokenizer;
    this.#first = new Uint8Array(size);
    this.#last = new Uint8Array(size);
    this.#whole = new Uint8Array(size);
    for (let id = 0; id < size; id++) {
      const inWord = [...tokenizer.bytes(id)].map(isWordByte);
      this.#first[id] = Number(inWord[0] === true);
      this.#last[id] = Number(inWord.at(-1) === true);
      this.#whole[id] = Number(inWord.length > 0 && inWord.every(Boolean));
    }
  }

  /** The identifier at the end of a context. */
  at(context: readonly number[]): OpenIdentifier {
    const end = context.length;
    let tokens = 0;
    if (this.#last[context[end - 1] ?? -1]) {
      tokens = 1;
      // The token before belongs to the same word as long as nothing but word bytes lie between.
      while (this.#whole[context[end - tokens] as number] && this.#last[context[end - tokens - 1] ?? -1]) tokens++;
    }
    return { tokens, continuesWord: (token) => this.#first[token] === 1 };
  }
}

function isWordByte(byte: number): boolean {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
  return isDigit || (isLetter && byte < 0x80) || byte === 0x5f || byte === 0x24 || byte >= 0x80;
}
