import type { Abortable } from '../model/decoder';
import type { Thought } from '../thought/thought';
import type { RemoteText } from './remoteText';

export interface CompletionOptions {
  /** Refinement steps (default: as many as pay with the model); they count only when no thought is given. */
  readonly steps?: number | undefined;
  /** 1 = the line suffix, more = a block of at most that many lines. */
  readonly maxLines: number;
  /** Whether a block ends with the syntax node that it begins or goes on with (default: yes), or only by indentation and number of lines. */
  readonly units?: boolean | undefined;
  /** 1 = greedy, more = width of the beam. */
  readonly candidates: number;
  /** Whether the lookup memory is used (default: `DEFAULTS.memory`); without weights for it in the bundle it is not. */
  readonly memory?: boolean | undefined;
  /** Whether the kNN cache is used (default: yes), with the lookup memory or without. */
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
  /** Whether it is made before anybody asks for it: its window is read next to those that have been read (default: no). */
  readonly prefetch?: boolean | undefined;
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
