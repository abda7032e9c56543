import type { Conditioning, Decoder } from '../model/decoder';
import type { HiddenKeyRows } from '../model/hiddenKeys';
import type { Tokenizer } from '../model/tokenizer';
import { plainAround, type Around } from './around';
import type { HealedPrompt } from './heal';
import type { Mix } from './lookupMemory';

/** A window that has been made ready to be continued. */
export interface PreparedWindow {
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  /** Tokens of the window before the healed prefix. */
  readonly head: readonly number[];
  readonly healed: HealedPrompt;
  /** How what is written is looked up (default: the text goes on behind the head as it stands). */
  readonly around?: Around | undefined;
  /** What is mixed into the prediction of each token; the decoder alone decides without it. */
  readonly mix?: Mix | undefined;
}

/** One under a thought. */
export interface ConditionedWindow extends PreparedWindow {
  readonly thought: Conditioning;
}

/** One under several thoughts. */
export interface Ensemble extends PreparedWindow {
  /** Samples of the posterior over the thought. */
  readonly thoughts: readonly Conditioning[];
}

/** The tokens of a window, and what has been written behind it. */
export function tokensOf({ head, healed }: Pick<PreparedWindow, 'head' | 'healed'>, written: readonly number[] = []) {
  return [...head, ...healed.tokens, ...written];
}

/**
 * The decoder's logits after what has been written, with what is mixed into them.
 * @param hiddenKey where the decoder's own caches do not hold the last token
 */
export function mixed(
  { thought, head, healed, around = plainAround(head), mix }: Omit<ConditionedWindow, 'decoder'>,
  logits: Float32Array,
  written: readonly number[],
  hiddenKey?: HiddenKeyRows,
): Float32Array {
  if (!mix) return logits;
  const behind = [...healed.tokens, ...written];
  const row = head.length + behind.length - 1;
  return mix(logits, around.context(behind), { thought, rows: around.rows, row, hiddenKey });
}
