import type { IGrammar, StateStack } from 'vscode-textmate';

/** Longer lines are data: read as if they were blank, and nothing is known in them. */
export const MAX_LINE = 2_000;

/**
 * The state in which a grammar ends each line of a document. After an edit only the changed lines are read again, and those
 * below them up to the first that ends in the state that it had before.
 */
export class LineStates {
  readonly #ends: (StateStack | undefined)[] = [];
  /** Lines from the first on whose states are right. */
  #right = 0;
  /** The states of the lines from here on follow from the one before them. */
  #consistent = 0;

  constructor(readonly grammar: IGrammar) {}

  /**
   * Text was put in place of the lines `from` to `to`, both included and from 0.
   * @param newlines how many the new text holds
   */
  changed(from: number, to: number, newlines: number): void {
    const [start, end] = [Math.max(0, Math.min(from, to)), Math.max(0, from, to)];
    if (start >= this.#ends.length) return;
    const before = this.#consistent;
    const kept = end < this.#ends.length;
    const last = kept ? [this.#ends[end]] : [];
    const between = Array.from({ length: kept ? newlines : 0 }, () => undefined);
    this.#ends.splice(start, end - start + 1, ...between, ...last);
    const below = start + newlines + 1;
    this.#consistent = Math.max(below, before > end ? before + newlines - (end - start) : before);
    this.#right = Math.min(this.#right, start);
  }

  /**
   * Reads on towards a line, for as long as there is time.
   * @param textOf the text of a line, without its end
   * @returns the state before the line, null before the first; undefined where time was over first
   */
  before(line: number, textOf: (line: number) => string, timeOver: () => boolean): StateStack | null | undefined {
    while (this.#right < line) {
      if (timeOver()) return undefined;
      this.#read(textOf(this.#right));
    }
    return line === 0 ? null : this.#ends[line - 1];
  }

  #read(text: string): void {
    const line = this.#right;
    const start = line === 0 ? null : (this.#ends[line - 1] as StateStack);
    const read = text.length > MAX_LINE ? '' : text;
    const end = this.grammar.tokenizeLine2(read, start).ruleStack;
    const same = line + 1 >= this.#consistent && this.#ends[line]?.equals(end) === true;
    this.#ends[line] = end;
    this.#right = same ? this.#ends.length : line + 1;
  }
}
