import type { Tokenizer } from '../model/tokenizer';

/**
 * A token that says something to a reader: the beginning of a word, behind a space or with a capital, of three letters, digits,
 * `_` or `$` at least. What else a vocabulary has are signs, and pieces from the middle of words.
 */
const WORD = /^(?:\s+[\p{L}_$]|[\p{Lu}_$])[\p{L}\p{N}_$]{2,}$/u;

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
    const text = tokenizer.decode([token]);
    if (WORD.test(text)) words.add(text.trim());
  }
  return [...words];
}
