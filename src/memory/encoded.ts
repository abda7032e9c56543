import type { Tokenizer } from '../model/tokenizer';
import { textLines } from '../model/lines';

/** Characters encoded between two looks at the clock. */
const STRETCH = 1 << 10;

/**
 * A text and its tokens, line by line: after an edit only what comes after the last unchanged line is encoded again, and
 * encoding can be interrupted and taken up later.
 */
export class EncodedText {
  readonly tokens: number[] = [];
  #text = '';
  /** For each line that is encoded: where it begins, in characters and in tokens. */
  readonly #lines: { character: number; token: number }[] = [];

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
    for (const line of textLines(text.slice(at))) {
      if (at - looked >= STRETCH && deadline !== Infinity) {
        if (now() > deadline) break;
        looked = at;
      }
      this.#lines.push({ character: at, token: this.tokens.length });
      for (const token of tokenizer.encodeLine(line)) this.tokens.push(token);
      at += line.length;
    }
    this.#text = text.slice(0, at);
    return at === text.length;
  }

  /** Takes everything back from the first line on that is not whole and the same in both texts. */
  #keepShared(text: string): void {
    const old = this.#text;
    let shared = text.startsWith(old) ? old.length : 0;
    while (shared < old.length && old.charCodeAt(shared) === text.charCodeAt(shared)) shared++;
    const end = shared === 0 ? 0 : old.lastIndexOf('\n', shared - 1) + 1;
    const first = this.#lines.findIndex(({ character }) => character >= end);
    if (first !== -1) {
      this.tokens.length = this.#lines[first]?.token ?? 0;
      this.#lines.length = first;
    }
    this.#text = old.slice(0, end);
  }
}
