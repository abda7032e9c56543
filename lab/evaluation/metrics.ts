/** How a suggestion compares with the text that stood there. Definitions of CrossCodeEval (Ding et al. 2023, §4.1). */

/** Equal but for white space at the ends of lines. */
export function exactMatch(suggestion: string, target: string): boolean {
  return trimLines(suggestion) === trimLines(target);
}

function trimLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .trim();
}

/**
 * Similarity 0 to 1: 2 · (length of the longest common subsequence) / (sum of the lengths), the ratio that
 * CrossCodeEval takes from its fuzzy matcher. Two empty texts are equal.
 */
export function editSimilarity(suggestion: string, target: string): number {
  const [a, b] = [[...suggestion.trim()], [...target.trim()]];
  if (a.length + b.length === 0) return 1;
  let above = new Uint32Array(b.length + 1);
  let row = new Uint32Array(b.length + 1);
  for (const character of a) {
    for (let j = 1; j <= b.length; j++) {
      row[j] =
        character === b[j - 1] ? (above[j - 1] as number) + 1 : Math.max(above[j] as number, row[j - 1] as number);
    }
    [above, row] = [row, above];
  }
  return (2 * (above[b.length] as number)) / (a.length + b.length);
}

const KEYWORDS = new Set(
  (
    'abstract and any as assert async await boolean break case catch class const continue debugger def default del ' +
    'delete do elif else enum except export extends false finally for from function get global if implements import in ' +
    'instanceof interface is lambda let new nonlocal not null number of or pass private protected public raise readonly ' +
    'return self set static string super switch this throw true try type typeof undefined unknown var void while with ' +
    'yield None True False'
  ).split(' '),
);

/** Identifiers outside strings and comments, keywords left out. */
export function identifiersOf(text: string): string[] {
  const code = text.replace(/\/\/.*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, ' ');
  return (code.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? []).filter((word) => !KEYWORDS.has(word));
}

/** F1 of the sets of identifiers; undefined if neither text has any. */
export function identifierF1(suggestion: string, target: string): number | undefined {
  const [found, wanted] = [new Set(identifiersOf(suggestion)), new Set(identifiersOf(target))];
  if (found.size + wanted.size === 0) return undefined;
  const common = [...found].filter((name) => wanted.has(name)).length;
  return (2 * common) / (found.size + wanted.size);
}
