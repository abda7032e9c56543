import type { Tokenizer } from '../model/tokenizer';

/** Characters encoded between two looks at the clock. */
const STRETCH = 1 << 10;

/**
 * A text and its tokens, piece by piece: after an edit only what comes after the last unchanged piece is encoded again, and
 * encoding can be interrupted and taken up later.
 */
export class EncodedText {
  readonly tokens: number[] = [];
  #text = '';
  /** For each piece that is encoded: where it begins, in characters and in tokens. */
  readonly #pieces: { character: number; token: number }[] = [];

  /**
   * Makes the tokens those of a text.
   * @param deadline what `now()` may be at most while more is encoded
   * @returns whether all of it is encoded
   */
  update(text: string, tokenizer: Tokenizer, deadline = Infinity, now = () => performance.now()): boolean {
    if (text === this.#text) return true;
    this.#keepShared(text);
    let at = this.#text.length;
    let looked = at;
    for (const piece of tokenizer.pieces(text.slice(at))) {
      if (at - looked >= STRETCH && deadline !== Infinity) {
        if (now() > deadline) break;
        looked = at;
      }
      this.#pieces.push({ character: at, token: this.tokens.length });
      for (const token of tokenizer.encodePiece(piece)) this.tokens.push(token);
      at += piece.length;
    }
    this.#text = text.slice(0, at);
    return at === text.length;
  }

  /**
   * Takes back every piece that may be another in the new text: what comes behind a piece may belong to it, as long as it is
   * white space.
   */
  #keepShared(text: string): void {
    const old = this.#text;
    let shared = text.startsWith(old) ? old.length : 0;
    while (shared < old.length && old.charCodeAt(shared) === text.charCodeAt(shared)) shared++;
    while (shared > 0 && /\s/.test(old[shared - 1] as string)) shared--;
    const last = this.#pieces.findLastIndex(({ character }) => character < shared);
    const { character, token } = this.#pieces[Math.max(0, last)] ?? { character: 0, token: 0 };
    this.tokens.length = token;
    this.#pieces.length = Math.max(0, last);
    this.#text = old.slice(0, character);
  }
}
