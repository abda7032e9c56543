import type { ThoughtTrace } from '../thought/thought';
import type { Stop } from './stop';

/** A text for the cursor. */
export interface Suggested {
  /** With the document's own newlines. */
  readonly text: string;
  /** Characters after the cursor that the text covers. */
  readonly replaceSuffix: number;
}

/** A suggestion, and what is known of it. */
export interface RankedCandidate {
  readonly text: string;
  /** Characters after the cursor that the text covers. */
  readonly replaceSuffix: number;
  /** log p, under the posterior predictive where there are several thoughts, in nats. */
  readonly logprob: number;
  /** log p under each thought, where there are several. */
  readonly logprobs?: readonly number[] | undefined;
  /** Probability, 0 to 1, that it is what would have been typed; without weights for it in the bundle it is not known. */
  readonly confidence?: number | undefined;
  /** Whether the file can be parsed with it; undefined where nobody asked, or where it cannot be said. */
  readonly parses?: boolean | undefined;
  /** Names in it that nothing declares. */
  readonly undeclared?: readonly string[] | undefined;
}

export interface CompletionResult {
  /** The suggestion, with the document's own newlines; empty if there is none. */
  readonly text: string;
  readonly candidates: readonly RankedCandidate[];
  /** Characters after the cursor that the text covers. */
  readonly replaceSuffix: number;
  readonly milliseconds: number;
  readonly thought: ThoughtTrace;
  readonly stop: Stop;
  /** Tokens of the window that no cache held. */
  readonly read: number;
  /** Tokens of the candidate that was the most probable, as it was written. */
  readonly written: number;
  /** Texts around the cursor were left out of the memory this time, since taking them in would have taken too long. */
  readonly partial?: true;
  /** Why there is no suggestion. */
  readonly reason?: string;
}
