import type { CacheHit } from '../memory/prediction';
import type { KnnDistribution } from '../memory/knn';
import type { TokenExample } from '../memory/inFileBoost';
import type { OpenIdentifier } from '../memory/identifiers';
import type { Abortable } from '../model/decoder';
import type { Thought, ThoughtTrace } from '../thought/thought';
import type { RemoteText } from './remoteText';
import type { Stop } from './stop';

export interface SourceText {
  readonly path: string;
  readonly text: string;
  /** Lines of the text that were changed recently, from 0, in order. */
  readonly edited?: readonly number[] | undefined;
}

export interface CompletionRequest {
  readonly path: string;
  /** Whole text before the cursor. */
  readonly prefix: string;
  /** Whole text after the cursor. */
  readonly suffix: string;
  /** Other open files. */
  readonly related: readonly SourceText[];
  /** Lines of prefix and suffix together that were changed recently, from 0, in order. */
  readonly edited?: readonly number[] | undefined;
}

export interface CompletionOptions {
  /** Refinement steps (default: as many as pay with the model); they count only when no thought is given. */
  readonly steps?: number | undefined;
  /** 1 = the rest of the line, more = a block of at most that many lines. */
  readonly maxLines: number;
  /** Whether a block ends with the syntax node that it begins or goes on with (default: yes), or only by indentation and number of lines. */
  readonly units?: boolean | undefined;
  /** 1 = greedy, more = width of the beam. */
  readonly candidates: number;
  /** Whether the lookup memory is used (default: `DEFAULTS.memory`); without weights for it in the bundle it is not. */
  readonly memory?: boolean | undefined;
  /** Whether the kNN cache has its say (default: yes), with the lookup memory or without. */
  readonly knn?: boolean | undefined;
  /** Whether what the memory holds is tried as a draft (default: where a run of several tokens takes little longer than one of one). It changes the time only. */
  readonly drafts?: boolean | undefined;
  /** Thoughts drawn from the posterior (default: 1, the thought itself); candidates are then ranked under all of them. For measuring. */
  readonly samples?: number | undefined;
  /** Thoughts, at most 8, of which each writes a text that begins otherwise, for the user to choose from (default: none). */
  readonly alternatives?: number | undefined;
  /** Whether candidates are ranked by confidence (default: `DEFAULTS.rankByConfidence`); without weights for it in the bundle, by likelihood. */
  readonly rankByConfidence?: boolean | undefined;
  /** Whether what cannot be parsed is repaired or withheld (default: `DEFAULTS.syntaxCheck`). */
  readonly syntaxCheck?: boolean | undefined;
  /** How sure the model must be of what is shown: a level, or a probability (default: `DEFAULTS.confidence`). */
  readonly confidence?: ConfidenceLevel | number | undefined;
  /**
   * Milliseconds for taking texts into the memory that are new to it (default: as long as it takes). What is not ready
   * by then is left out, and the result is `partial`.
   */
  readonly memoryDeadlineMs?: number | undefined;
  /** Milliseconds after which what has been written is cut at its last line or word (default: no limit). */
  readonly timeBudget?: number | undefined;
  /** Whether all of the window is read as it is (default), or what follows the cursor may have been read behind a prefix of a few tokens less. */
  readonly exact?: boolean | undefined;
  /** Whether it is made before anybody asks for it: its window is read beside those that have been read (default: no). */
  readonly ahead?: boolean | undefined;
  /** A text that another model wrote here: it is presented, and none is written. */
  readonly written?: RemoteText | undefined;
  readonly signal?: Abortable | undefined;
  /** A thought refined before; nothing is refined then. */
  readonly thought?: Thought | undefined;
  /** Where refinement begins, and what it is pulled toward (default: the prior). */
  readonly prior?: Thought | undefined;
}

/** What holds where nobody says otherwise: in the editor's settings as on the command line. */
export const DEFAULTS = {
  maxSteps: 32,
  maxLines: 8,
  candidates: 1,
  memory: true,
  rankByConfidence: false,
  syntaxCheck: false,
  /** Whoever asks is answered; the editor, which is not asked, has a default of its own. */
  confidence: 'off',
} as const;

/** How sure the model must be of what is shown. */
export const CONFIDENCE_LEVELS = ['off', 'usual', 'strict'] as const;
export type ConfidenceLevel = (typeof CONFIDENCE_LEVELS)[number];

/**
 * A suggestion is shown as far as it is right with this probability: whoever has to look for the place where it goes wrong
 * cannot take it. Chosen by what is completed of texts of validation owners as they are typed (docs/evaluation.md).
 */
export const CONFIDENCE_THRESHOLDS: Readonly<Record<ConfidenceLevel, number>> = { off: 0, usual: 0.4, strict: 0.5 };

/** The probability with which what is shown must be right. */
export function confidenceThreshold(confidence: ConfidenceLevel | number = DEFAULTS.confidence): number {
  return typeof confidence === 'number' ? confidence : CONFIDENCE_THRESHOLDS[confidence];
}

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

/** A token of a target: the decoder's logits [vocabulary], and what the memory knows. */
export interface MixtureExample extends TokenExample {
  readonly hits: readonly CacheHit[];
  /** The word in which the text before the token ends. */
  readonly word: OpenIdentifier;
  /** The kNN distribution; undefined where the bundle's graphs do not give hidden keys. */
  readonly knn: KnnDistribution | undefined;
}

export interface Score {
  /** −log p of the target after the prefix, in nats. */
  readonly nats: number;
  /** UTF-8 bytes of the target. */
  readonly bytes: number;
}
