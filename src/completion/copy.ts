import type { Tokenizer } from '../model/tokenizer';
import type { LongestMatch } from '../memory/prediction';
import { consume, type HealedPrompt } from './heal';
import { beginning, end, unfinished, type Candidate, type StopRules, type Hypothesis } from './hypothesis';

/**
 * The text at the cursor as it went on after the longest match of the window's end, word for word: a lookup model's own
 * candidate. Its log p is 0 until somebody asks the decoder.
 * @param find what followed the longest match of the text's end, once tokens stand behind the window's head
 * @param window tokens between that and the cursor, those that healing takes back included
 * @returns undefined where nothing is known, or nothing that begins with the bytes that were taken back
 */
export function copyAt(
  find: (written: readonly number[]) => LongestMatch,
  window: readonly number[],
  healed: HealedPrompt,
  tokenizer: Tokenizer,
  options: StopRules,
): Candidate | undefined {
  const taken = window.slice(healed.tokens.length);
  const asTyped = find(window);
  // What was typed may be the beginning of a token, as which it stands nowhere; then its beginning may be found.
  const before = find(healed.tokens);
  const spelled = [
    { length: asTyped.length, tokens: asTyped.length > 0 ? [...taken, ...asTyped.tokens] : [] },
    { length: before.length + taken.length, tokens: before.tokens },
  ].sort((a, b) => b.length - a.length);
  for (const { tokens } of spelled) {
    const candidate = spell(tokens, healed, tokenizer, options);
    if (candidate && candidate.text !== '') return candidate;
  }
  return undefined;
}

function spell(
  tokens: readonly number[],
  healed: HealedPrompt,
  tokenizer: Tokenizer,
  options: StopRules,
): Candidate | undefined {
  let hypothesis: Hypothesis = beginning(healed);
  for (const token of tokens) {
    const { pendingBytes } = hypothesis;
    if (pendingBytes.length > 0 && !tokenizer.compatible(pendingBytes).includes(token)) return undefined;
    const after = consume(pendingBytes, tokenizer.bytes(token));
    const bytes = Buffer.concat([hypothesis.bytes, after.text]);
    hypothesis = {
      tokens: [...hypothesis.tokens, token],
      bytes,
      pendingBytes: after.pendingBytes,
      logprob: 0,
      marks: [],
    };
    const ended = end({ ...hypothesis, parent: 0, token }, options);
    if (ended) return ended;
  }
  return hypothesis.pendingBytes.length > 0 ? undefined : unfinished(hypothesis, options.cursor);
}
