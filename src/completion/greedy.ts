import { plainAround } from './around';
import { Deadline } from './deadline';
import type { DecodeOptions } from './decodeOptions';
import { speculate } from './draft';
import { beginning, end, expand, textOf, unfinished, type Candidate, type Hypothesis } from './hypothesis';
import { mixed, tokensOf, type ConditionedWindow } from './prepared';

/**
 * Continues a window with the most probable token each time.
 * @returns the one candidate; undefined if it was aborted between two runs
 */
export async function greedy(window: ConditionedWindow, options: DecodeOptions): Promise<Candidate[] | undefined> {
  const { decoder, tokenizer, thought, head, healed, around = plainAround(head), mix } = window;
  const { cursor, endTokens, maxTokens, signal, minLogprob = -Infinity } = options;
  const deadline = new Deadline(options);
  const ask = speculate(decoder, thought, options.draft, signal);
  let written: Hypothesis = beginning(healed);
  while (written.tokens.length < maxTokens) {
    const { tokens } = written;
    const context = around.context([...healed.tokens, ...tokens]);
    const logits = await ask(tokensOf(window, tokens), context, maxTokens - 1 - tokens.length);
    if (!logits || signal?.aborted) return undefined;
    if (tokens.length === 0) deadline.start();
    const [step] = expand([written], [mixed(window, logits, tokens)], tokenizer, { width: 1, endTokens, mix });
    if (!step) return [];
    const ended = end(step, options);
    if (ended) return [ended];
    written = step;
    if (written.tokens.length === maxTokens) break;
    if (written.logprob < minLogprob) return [lowConfidence(written)];
    if (deadline.passed) return [unfinished(written, cursor, 'time')];
  }
  return [unfinished(written, cursor)];
}

function lowConfidence({ bytes, tokens, logprob, marks }: Hypothesis): Candidate {
  return { text: textOf(bytes), tokens, logprob, marks, stop: 'lowConfidence' };
}
