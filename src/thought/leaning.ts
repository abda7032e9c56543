import type { Tokenizer } from '../model/tokenizer';

/** What a word consists of that says something to a reader: letters, digits, `_` and `$`, two of them at least. */
const WORD = /^[\p{L}_$][\p{L}\p{N}_$]+$/u;

/**
 * Words that a thought makes likelier wherever they may come, the most first: single tokens, and so sometimes the beginning
 * of a longer word.
 * @param leaning what the thought adds to each token's logit, [vocabulary], in nats
 * @param count words at most
 */
export function likelierWords(leaning: Float32Array, tokenizer: Pick<Tokenizer, 'decode'>, count: number): string[] {
  const tokens = Array.from(leaning.keys()).filter((token) => (leaning[token] ?? 0) > 0);
  tokens.sort((a, b) => (leaning[b] ?? 0) - (leaning[a] ?? 0));
  const words = new Set<string>();
  for (const token of tokens) {
    if (words.size === count) break;
    const word = tokenizer.decode([token]).trim();
    if (WORD.test(word)) words.add(word);
  }
  return [...words];
}
