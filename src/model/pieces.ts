/**
 * How a text may be cut into pieces that encode apart as they do together, which depends on the tokenizer's pattern.
 * `lines`: nothing joins across a line break. `lines-with-blanks`: a line break joins what stands before it, and the blank
 * lines behind it (Qwen2). `line-breaks-first`: a line break joins the indentation behind it (GPT-2).
 */
export const PIECES = ['lines', 'lines-with-blanks', 'line-breaks-first'] as const;

export type Pieces = (typeof PIECES)[number];

const PATTERN: Readonly<Record<Pieces, RegExp>> = {
  lines: /[^\n]*\n|[^\n]+/g,
  'lines-with-blanks': /[^\n]*\n(?:[^\S\n]*\n)*|[^\n]+/g,
  'line-breaks-first': /\s*\n\s*\S(?:.*\S)?|(?:(?!\s*\n)[^])+|[^]+/g,
};

/** Cuts a text whose lines end in "\n"; joined, the pieces are the text. */
export function piecesOf(text: string, pieces: Pieces): string[] {
  return text.match(PATTERN[pieces]) ?? [];
}
