/** The lines of a text, each with its newline; the last one may be without, and is absent if it would be empty. */
export function textLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+/g) ?? [];
}

/** Text as the model knows it: every line ends in "\n". */
export function normaliseNewlines(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}
