/** The lines of a text, each with its newline; the last one may be without, and is absent if it would be empty. */
export function textLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+/g) ?? [];
}

/** Text as the model knows it: every line ends in "\n". */
export function normaliseNewlines(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

/** The last lines of a text, at most `count`, however long it is. */
export function lastLines(text: string, count: number): string[] {
  let start = text.length + 1;
  for (let i = 0; i < count && start > 0; i++) start = start < 2 ? 0 : text.lastIndexOf('\n', start - 2) + 1;
  return text.slice(start).split('\n');
}
