/** A name or a number, or one other character. Blanks are none. */
export interface Token {
  readonly text: string;
  /** Where it begins, in UTF-16 units. */
  readonly start: number;
}

const TOKEN = /[\p{L}\p{N}_$]+|[^\s\p{L}\p{N}_$]/gu;

/** The tokens of a text. @param base where the text begins */
export function tokensOf(text: string, base = 0): Token[] {
  return [...text.matchAll(TOKEN)].map((match) => ({ text: match[0], start: base + match.index }));
}

/** Whether a text is one name: no number, no operator. */
export function isName(text: string): boolean {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(text);
}

/** The line that holds an offset: where it begins and where it ends, without its end. */
export function lineAt(text: string, offset: number): { readonly start: number; readonly end: number } {
  const start = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  return { start, end: end === -1 ? text.length : end };
}
