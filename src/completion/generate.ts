import type { Abortable, Decoder } from '../model/decoder';
import { randomFrom } from '../model/random';
import { beginning, end, expand, textOf, type StopRules, type Hypothesis, type Step } from './hypothesis';
import { mixed, tokensOf, type ConditionedWindow } from './prepared';
import type { Stop } from './stop';

/** How tokens are chosen. */
export interface Sampling {
  /** 0: always the most probable one. */
  readonly temperature: number;
  /** The most probable tokens that have this probability together are chosen from. */
  readonly topP: number;
  /** The same seed gives the same text. */
  readonly seed: number;
}

export const GREEDY: Sampling = { temperature: 0, topP: 1, seed: 0 };

/** Tokens that are chosen from, at most: what is less probable is hardly ever right. */
const CHOSEN_FROM = 64;

/** A token that was written, and what could have been. */
export interface GeneratedToken {
  /** What it adds to the text; what healing took back before the cursor is no part of it. */
  readonly bytes: Uint8Array;
  /** log p in nats, whatever the temperature. */
  readonly logprob: number;
  /** The most probable tokens here, the most probable first, as many as were asked for. */
  readonly top: readonly { readonly bytes: Uint8Array; readonly logprob: number }[];
  /** The whole text so far. */
  readonly text: string;
}

/** How the writing ended. */
export interface Generation {
  readonly text: string;
  readonly stop: Stop;
}

export interface GenerateLimits extends StopRules {
  readonly maxTokens: number;
  readonly sampling: Sampling;
  /** How many of the most probable tokens are told at each place. */
  readonly top: number;
  readonly signal?: Abortable | undefined;
}

/**
 * Writes on from a window, a token each `next()`: what a caller sees while it is being written. A suggestion is decoded
 * instead (`decode`), which knows drafts and beams.
 * @returns the text up to where it ends; stop is `aborted` if nobody wanted it any more
 */
export async function* generate(
  window: Omit<ConditionedWindow, 'decoder'> & { readonly decoder: Pick<Decoder, 'logits'> },
  limits: GenerateLimits,
): AsyncGenerator<GeneratedToken, Generation> {
  const { decoder, tokenizer, thought, healed, mix } = window;
  const { maxTokens, sampling, top, signal, endTokens } = limits;
  const random = randomFrom(sampling.seed);
  const width = sampling.temperature === 0 ? Math.max(1, top) : Math.max(CHOSEN_FROM, top);
  let written: Hypothesis = beginning(healed);
  for (let count = 0; count < maxTokens; count++) {
    const logits = await decoder.logits(tokensOf(window, written.tokens), thought, 1, signal);
    if (!logits || signal?.aborted) return { text: textOf(written.bytes), stop: 'aborted' };
    const row = mixed(window, logits, written.tokens);
    const steps = expand([written], [row], tokenizer, { width, endTokens, mix });
    const chosen = sampleStep(steps, sampling, random);
    if (!chosen) return { text: textOf(written.bytes), stop: 'none' };
    const before = written;
    const added = (step: Step) => step.bytes.subarray(before.bytes.length);
    const told = steps.slice(0, top).map((step) => ({ bytes: added(step), logprob: step.logprob - before.logprob }));
    const ended = end(chosen, limits);
    const text = textOf(chosen.bytes);
    if (!endTokens.includes(chosen.token)) {
      yield { bytes: added(chosen), logprob: chosen.logprob - before.logprob, top: told, text };
    }
    if (ended) return { text: ended.text, stop: ended.stop };
    written = chosen;
  }
  return { text: textOf(written.bytes), stop: 'length' };
}

/**
 * One of the most probable steps: the first, or one drawn by its probability at a temperature.
 * @param steps the most probable first
 */
export function sampleStep<Weighed extends { readonly logprob: number }>(
  steps: readonly Weighed[],
  { temperature, topP }: Sampling,
  random: () => number,
): Weighed | undefined {
  const [first] = steps;
  if (temperature === 0 || !first) return first;
  const weights = steps.map(({ logprob }) => Math.exp((logprob - first.logprob) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  // Those that have the wanted probability together, the one that reaches it included.
  let nucleus = 0;
  let mass = 0;
  while (nucleus < steps.length && (nucleus === 0 || mass < topP)) mass += weights[nucleus++]! / total;
  let left = random() * mass * total;
  for (let i = 0; i < nucleus; i++) {
    left -= weights[i]!;
    if (left < 0) return steps[i];
  }
  return steps[nucleus - 1];
}
