import { summarise } from '../model/softmax';
import type { Tokenizer } from '../model/tokenizer';
import { startsWith } from '../model/tokenizer';

/**
 * Token healing. The text before the cursor often ends in the middle of what the model knows as one token ("compl" of
 * "complete", "const" of "const "); its last tokens are taken back, and what is generated must begin with their bytes.
 */
export interface HealedPrompt {
  readonly tokens: readonly number[];
  /** Bytes with which the continuation must begin. */
  readonly pendingBytes: Uint8Array;
}

/** Tokens taken back, at most: a word in pieces, and the space after it. */
export const HEALED_TOKENS = 3;

const NOTHING = new Uint8Array(0);

/** Takes back the last tokens, up to the beginning of the line or of a run of white space. */
export function heal(tokens: readonly number[], tokenizer: Tokenizer, max = HEALED_TOKENS): HealedPrompt {
  let kept = tokens.length;
  while (kept > 0 && tokens.length - kept < max) {
    const text = tokenizer.decode([tokens[kept - 1] as number]);
    if (text.endsWith('\n') || (kept < tokens.length && text.trim() === '')) break;
    kept--;
  }
  const taken = tokens.slice(kept).map((id) => tokenizer.bytes(id));
  return { tokens: tokens.slice(0, kept), pendingBytes: Buffer.concat(taken) };
}

/** The bytes still pending after a token, and what of the token is new text. */
export function consume(pendingBytes: Uint8Array, bytes: Uint8Array): { pendingBytes: Uint8Array; text: Uint8Array } {
  if (pendingBytes.length === 0) return { pendingBytes, text: bytes };
  if (startsWith(bytes, pendingBytes)) return { pendingBytes: NOTHING, text: bytes.subarray(pendingBytes.length) };
  return { pendingBytes: pendingBytes.subarray(bytes.length), text: NOTHING };
}

/** log Σ exp of the logits of some ids, or of all. */
export function logSumExp(logits: Float32Array, ids?: readonly number[]): number {
  if (!ids) return summarise(logits).total;
  let max = -Infinity;
  let sum = 0;
  for (const id of ids) max = Math.max(max, logits[id] ?? -Infinity);
  for (const id of ids) sum += Math.exp((logits[id] ?? -Infinity) - max);
  return max + Math.log(sum);
}

/**
 * log p(token | what came before, and that the text goes on with the pending bytes), in nats.
 * @param logits [vocabulary]
 */
export function logProbability(
  logits: Float32Array,
  token: number,
  pendingBytes: Uint8Array,
  tokenizer: Tokenizer,
): number {
  const ids = pendingBytes.length > 0 ? tokenizer.compatible(pendingBytes) : undefined;
  return (logits[token] ?? -Infinity) - logSumExp(logits, ids);
}
