import type { Tokenizer } from '../model/tokenizer';
import { consume, logSumExp, type HealedPrompt } from './heal';
import type { Mix } from './lookupMemory';
import { cutUnfinished, stopAt, type CursorContext, type Stop } from './stop';

/** Where a token of a text ends, in its bytes, and log p of the tokens up to it, in nats. */
export interface Mark {
  readonly bytes: number;
  readonly logprob: number;
}

export interface Candidate {
  readonly text: string;
  /** What it was written as, the token that ended it included. */
  readonly tokens: readonly number[];
  /** log p of its tokens, of the one that ended it included, in nats. */
  readonly logprob: number;
  readonly stop: Stop;
  /** Of its last tokens one each: of all of them, unless it was written on from a draft, or several thoughts judged it. */
  readonly marks?: readonly Mark[] | undefined;
}

/** A candidate, and the share of the thoughts that would have written it themselves. */
export interface AgreedCandidate extends Candidate {
  readonly agreement: number;
  /** log p under each thought in nats, where there are several. */
  readonly logprobs?: readonly number[] | undefined;
}

/** The beginning of a suggestion. */
export interface Hypothesis {
  readonly tokens: readonly number[];
  readonly bytes: Uint8Array;
  readonly pendingBytes: Uint8Array;
  readonly logprob: number;
  readonly marks: readonly Mark[];
}

export interface Step extends Hypothesis {
  readonly parent: number;
  readonly token: number;
}

/**
 * The most probable continuations of the live hypotheses by one token, at most `width`.
 * @param mix what made the logits, if anything did: then they are log p already
 */
export function expand(
  live: readonly Hypothesis[],
  logits: readonly Float32Array[],
  tokenizer: Tokenizer,
  { width, endTokens, mix }: Pick<StopRules, 'endTokens'> & { readonly width: number; readonly mix?: Mix | undefined },
): Step[] {
  const steps: Step[] = [];
  live.forEach((hypothesis, parent) => {
    const row = logits[parent];
    if (!row) return;
    const { pendingBytes } = hypothesis;
    const ids = pendingBytes.length > 0 ? tokenizer.compatible(pendingBytes) : undefined;
    const total = mix && !ids ? 0 : logSumExp(row, ids);
    for (const token of mostProbable(row, width, (id) => endTokens.includes(id) || tokenizer.isText(id), ids)) {
      const after = consume(pendingBytes, tokenizer.bytes(token));
      const bytes = Buffer.concat([hypothesis.bytes, after.text]);
      const logprob = hypothesis.logprob + (row[token] ?? -Infinity) - total;
      const marks = [...hypothesis.marks, { bytes: bytes.length, logprob }];
      steps.push({
        parent,
        token,
        tokens: [...hypothesis.tokens, token],
        bytes,
        pendingBytes: after.pendingBytes,
        logprob,
        marks,
      });
    }
  });
  return steps.sort((a, b) => b.logprob - a.logprob).slice(0, width);
}

/** The `count` ids with the highest logits, highest first. */
export function mostProbable(
  logits: Float32Array,
  count: number,
  allowed: (id: number) => boolean = () => true,
  ids?: readonly number[],
): number[] {
  const best: number[] = [];
  const of = (id: number) => logits[id] ?? -Infinity;
  // What a logit has to exceed: none is looked at twice, but for those that are among the highest so far.
  let minLogit = -Infinity;
  const length = (ids ?? logits).length;
  for (let i = 0; i < length; i++) {
    const id = ids ? (ids[i] as number) : i;
    const logit = logits[id] as number;
    if (!(logit > minLogit) && best.length === count) continue;
    if (!allowed(id)) continue;
    let at = best.length;
    while (at > 0 && logit > of(best[at - 1] as number)) at--;
    best.splice(at, 0, id);
    best.length = Math.min(best.length, count);
    if (best.length === count) minLogit = of(best[count - 1] as number);
  }
  return best;
}

/** What ends a text. */
export interface StopRules {
  /** Any of these ends it. */
  readonly endTokens: readonly number[];
  readonly cursor: CursorContext;
}

/** The suggestion that a step completes, if it does. */
export function end(step: Step, { endTokens, cursor }: StopRules): Candidate | undefined {
  const { tokens, logprob, marks } = step;
  const text = textOf(step.bytes);
  if (endTokens.includes(step.token)) return { text: text.trimEnd(), tokens, logprob, marks, stop: 'end' };
  const stopped = stopAt(text, cursor);
  return stopped && { ...stopped, tokens, logprob, marks };
}

/** What is kept of a hypothesis that no token may be added to any more: it has none left, or no time. */
export function unfinished(
  { bytes, tokens, logprob, marks }: Hypothesis,
  cursor: CursorContext,
  stop: 'length' | 'time' = 'length',
): Candidate {
  return { text: cutUnfinished(textOf(bytes), cursor), tokens, logprob, marks, stop };
}

/** A hypothesis without any token, after the tokens that healing took back. */
export function beginning({ pendingBytes }: HealedPrompt): Hypothesis {
  return { tokens: [], bytes: new Uint8Array(0), pendingBytes, logprob: 0, marks: [] };
}

/** Text of generated bytes, without the beginning of a character at the end. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
}
