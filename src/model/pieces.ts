import { textLines } from '../text';

/**
 * How a text may be cut into pieces that encode apart as they do together, which depends on the tokenizer's pattern.
 * `lines`: nothing joins across a line break. `lines-with-blanks`: a line break joins what stands before it, and the blank
 * lines behind it (Qwen2, Llama 3). `line-breaks-first`: a line break joins the white space around it, the last of which
 * joins what follows (GPT-2).
 */
export const PIECES = ['lines', 'lines-with-blanks', 'line-breaks-first'] as const;

export type Pieces = (typeof PIECES)[number];

/** Cuts a text; joined, the pieces are the text, and none is empty. */
export function piecesOf(text: string, pieces: Pieces): string[] {
  switch (pieces) {
    case 'lines':
      return textLines(text);
    case 'lines-with-blanks':
      return text.match(/[^\r\n]*[\r\n](?:\p{White_Space}*[\r\n])?|[^\r\n]+/gu) ?? [];
    case 'line-breaks-first':
      return cutBeforeBreaks(text);
  }
}

/** Cuts before every run of white space with a line break in it. */
function cutBeforeBreaks(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (const { 0: run, index } of text.matchAll(/\p{White_Space}+/gu)) {
    if (index === from || !run.includes('\n')) continue;
    parts.push(text.slice(from, index));
    from = index;
  }
  if (from < text.length) parts.push(text.slice(from));
  return parts;
}
