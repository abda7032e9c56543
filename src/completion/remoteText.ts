import type { Mark } from './hypothesis';
import type { AgreedCandidate } from './hypothesis';
import { cutUnfinished, stopAt, type CursorContext } from './stop';

/** A text that another model wrote at the cursor. */
export interface RemoteText {
  readonly text: string;
  /** Its tokens with log p in nats, where they are known; the last may reach beyond the text. */
  readonly tokens?: readonly { readonly text: string; readonly logprob: number }[] | undefined;
  /** Whether it ended by itself, or for its length. */
  readonly ended: boolean;
}

/**
 * What of such a text is a suggestion: it ends where one of our own would. Where nobody says how probable it is, it is
 * taken for certain.
 */
export function candidateOfRemote({ text: whole, tokens, ended }: RemoteText, cursor: CursorContext): AgreedCandidate {
  const parts = tokens ?? [...whole].map((text) => ({ text, logprob: 0 }));
  const marks: Mark[] = [];
  let [length, logprob] = [0, 0];
  const candidate = (text: string, stop: AgreedCandidate['stop']): AgreedCandidate => ({
    text,
    // Of another tokenizer: what counts is how many there are.
    tokens: marks.map((_, i) => i),
    logprob,
    stop,
    agreement: 1,
    marks: tokens && marks,
  });
  for (const part of parts) {
    length = Math.min(whole.length, length + part.text.length);
    logprob += Math.min(0, part.logprob);
    const text = whole.slice(0, length);
    marks.push({ bytes: Buffer.byteLength(text), logprob });
    const stopped = stopAt(text, cursor);
    if (stopped) return candidate(stopped.text, stopped.stop);
  }
  return ended ? candidate(whole.trimEnd(), 'end') : candidate(cutUnfinished(whole, cursor), 'length');
}
