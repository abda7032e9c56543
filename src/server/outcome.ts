/** What a run came to, and what of it is remembered. */
import type { Answer } from '../inference/messages';
import type { Context } from './continuation';
import type { Remembered } from './suggestionCache';

export type RunOutcome =
  | { readonly entry: Remembered; readonly reason?: undefined }
  /** `thought`: under which there is nothing at this place; undefined where another run may find something. */
  | { readonly entry?: undefined; readonly reason: string; readonly thought?: number };

/** The suggestion that a run at a place made, or why there is none. */
export function outcomeOf({ prefix, suffix }: Context, answer: Answer | { readonly reason: string }): RunOutcome {
  if (!('result' in answer)) return { reason: answer.reason };
  const { text, replaceSuffix, stop, partial, reason = 'the model suggests nothing here' } = answer.result;
  if (stop === 'aborted') return { reason: 'given up because the text changed meanwhile' };
  // With more time, or with all that can be looked up, there may be something else.
  const final = !partial && stop !== 'time';
  if (text === '') return { reason, ...(final && { thought: answer.thought }) };
  // What was written in haste serves now and is not the last word.
  return { entry: { prefix, suffix, text, replaceSuffix, thought: final ? answer.thought : -1 } };
}

/** Whether a run read more than half of its window again. */
export function isCold({ window, result }: Answer): boolean {
  return 2 * result.read > window.prefixTokens + window.suffixTokens;
}
