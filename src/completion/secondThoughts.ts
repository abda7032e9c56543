import type { Conditioning } from '../model/decoder';
import type { Tokenizer } from '../model/tokenizer';
import { decode } from './decode';
import type { DecodeOptions } from './decodeOptions';
import { consume, type Healed } from './heal';
import { beginning, textOf, type Hypothesis } from './hypothesis';
import { sequenceLogprob, type AgreedCandidate, type Ensemble } from './samples';

/** The thought after something was written at the cursor; the one before it where that changes nothing. */
export type Reconsider = (written: string) => Promise<Conditioning>;

/**
 * Rethinking: the thought is refined on the context and the draft together, the text is written again under it, and the
 * more probable of the two under the context's own thought is kept first. (Latent Thought Models, Kong et al. 2025, infer z
 * anew from what was generated; here the context's thought has the last word, so that a draft cannot argue for itself.)
 * @param candidates the most probable first
 * @returns the candidates with the new one among them; undefined if it was aborted
 */
export async function rethink(
  ensemble: Ensemble,
  candidates: readonly AgreedCandidate[],
  options: DecodeOptions,
  reconsider: Reconsider,
): Promise<AgreedCandidate[] | undefined> {
  const { decoder, tokenizer, thoughts, head, healed } = ensemble;
  const [first] = candidates;
  const [thought] = thoughts;
  if (!first || !thought) return [...candidates];
  const after = await reconsider(first.text);
  if (after === thought) return [...candidates];
  const again = await decode(decoder, tokenizer, after, head, healed, { ...options, width: 1 });
  const other = again?.[0];
  if (!other) return undefined;
  if (candidates.some(({ text }) => text === other.text)) return [...candidates];
  const logprob = await sequenceLogprob(ensemble, thought, other.tokens, options.mix);
  return [...candidates, { ...other, logprob, agreement: 0 }].sort((a, b) => b.logprob - a.logprob);
}

/**
 * A plan for several lines: the thought is refined further on the first line of the most probable candidate, and the
 * lines after it are written anew from there.
 * @returns the candidates, the first with other lines after its first one; undefined if it was aborted
 */
export async function plan(
  ensemble: Ensemble,
  candidates: readonly AgreedCandidate[],
  options: DecodeOptions,
  reconsider: Reconsider,
): Promise<AgreedCandidate[] | undefined> {
  const { decoder, tokenizer, thoughts, head, healed } = ensemble;
  const [first, ...others] = candidates;
  const [thought] = thoughts;
  const several = first?.text.trimStart().includes('\n') === true;
  const line = first && several ? firstLine(first.tokens, healed, tokenizer) : undefined;
  if (!first || !thought || !line) return [...candidates];
  const after = await reconsider(textOf(line.bytes));
  if (after === thought) return [...candidates];
  const logprob = await sequenceLogprob(ensemble, thought, line.tokens, options.mix);
  const start = { ...line, logprob };
  const again = await decode(decoder, tokenizer, after, head, healed, { ...options, width: 1, start });
  const planned = again?.[0];
  return planned && [{ ...planned, agreement: first.agreement }, ...others];
}

/** The beginning of a text up to the end of its first line that has text; undefined where that does not end. */
export function firstLine(
  tokens: readonly number[],
  healed: Healed,
  tokenizer: Pick<Tokenizer, 'bytes'>,
): Hypothesis | undefined {
  let hypothesis = beginning(healed);
  // The last token ended the candidate: what it would begin is not part of it.
  for (const token of tokens.slice(0, -1)) {
    const { need, text } = consume(hypothesis.need, tokenizer.bytes(token));
    const bytes = Buffer.concat([hypothesis.bytes, text]);
    hypothesis = { tokens: [...hypothesis.tokens, token], bytes, need, logprob: 0, marks: [] };
    const written = textOf(bytes);
    if (written.endsWith('\n') && written.trim() !== '') return hypothesis;
  }
  return undefined;
}
