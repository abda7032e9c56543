/** What every layer knows of texts. It imports nothing. */

/** The lines of a text, each with its newline; the last one may be without, and is absent if it would be empty. */
export function textLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+/g) ?? [];
}

/** Text as the model knows it: every line ends in "\n". */
export function normaliseNewlines(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/** Whether a text holds NUL characters, as no source code does. */
export function isBinary(text: string): boolean {
  return text.includes('\0');
}

/** Line ends in a part of a text. */
export function countNewlines(text: string, from = 0, to = text.length): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** The last lines of a text, at most `count`, however long it is. */
export function lastLines(text: string, count: number): string[] {
  let start = text.length + 1;
  for (let i = 0; i < count && start > 0; i++) start = start < 2 ? 0 : text.lastIndexOf('\n', start - 2) + 1;
  return text.slice(start).split('\n');
}

/**
 * Where to begin to read a text when at least its last `wanted` characters count: at a multiple of `block`, so that it stays put
 * while text is added at the end; or where a line begins, if one does within `reach` from there.
 */
export function stableStart(
  text: string,
  wanted: number,
  { block, reach = Infinity }: { readonly block: number; readonly reach?: number },
): number {
  const at = Math.floor((text.length - wanted) / block) * block;
  if (at <= 0) return 0;
  const newline = text.indexOf('\n', at);
  return newline === -1 || newline > at + reach ? at : newline + 1;
}
