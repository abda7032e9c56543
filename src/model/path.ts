import type { Tokenizer } from './tokenizer';

/** Tokens of a path that the model is told, at most. */
const MAX_TOKENS = 24;

/** What the model is told about a file: the last two components of its path, at most 60 characters. */
export function pathTail(path: string): string {
  return path.replaceAll('\\', '/').split('/').slice(-2).join('/').slice(-60);
}

export function pathTailTokens(path: string, tokenizer: Tokenizer): number[] {
  return tokenizer.encodePiece(pathTail(path)).slice(0, MAX_TOKENS);
}
