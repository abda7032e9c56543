/** Meaningful places of a text, by its indentation and signs: any language, no parser. */

/** Width of the white space before the text of a line, in characters. */
export function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** Lines of a construct. */
const [MIN_LINES, MAX_LINES] = [2, 5];

/**
 * Lines of the construct that begins in a line: a head, all that is indented below it, and the brackets that close it.
 * @returns undefined if nothing is indented below, if it goes on (`} else {`), or if it is longer than five lines
 */
export function constructAt(lines: readonly string[], line: number): number | undefined {
  const indent = indentOf(lines[line] ?? '');
  const deeper = (text: string) => indentOf(text) > indent;
  let end = line + 1;
  while (end < lines.length && end - line <= MAX_LINES && isSaid(lines[end]) && deeper(lines[end] as string)) end++;
  if (end === line + 1) return undefined;
  // After an empty line the body may go on.
  const next = lines.slice(end).find(isSaid) ?? '';
  if (deeper(next)) return undefined;
  const closes = isSaid(lines[end]) && indentOf(next) === indent && /^[)\]}]/.test(next.trim());
  if (closes && /\w/.test(next)) return undefined;
  const count = end - line + Number(closes);
  return count >= MIN_LINES && count <= MAX_LINES ? count : undefined;
}

function isSaid(line: string | undefined): boolean {
  return line !== undefined && line.trim() !== '';
}

/** Whether a line begins a statement or an element of a list, and does not go on with what stands above. */
export function beginsStatement(lines: readonly string[], line: number): boolean {
  const text = lines[line] ?? '';
  if (!/^["'`@#*\p{L}\p{N}_$[({<]/u.test(text.trim())) return false;
  const above = lines.slice(0, line).findLast(isSaid);
  if (above === undefined) return true;
  return indentOf(text) <= indentOf(above) || /[{([:>,]\s*$/.test(above);
}

/** Columns right after an operator, an opening bracket, a comma or a keyword, with the space that follows it. */
export function meaningfulColumns(text: string): number[] {
  const marks =
    /(?:[.([{=,:?!+\-*/<>&|]+|\b(?:return|await|new|const|let|import|from|in|of|extends|def|if))(?: |(?=\S))/g;
  return [...text.matchAll(marks)].map((match) => match.index + match[0].length).filter((at) => at < text.length);
}
