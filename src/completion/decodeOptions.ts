import type { Draft } from './draft';
import type { StopRules } from './hypothesis';

/** How a window is continued. */
export interface DecodeOptions extends StopRules {
  /** 1 = greedy; more = width of the beam. */
  readonly width: number;
  readonly maxTokens: number;
  /** What may come next; greedily, it is tried, which changes the time that writing takes and not what is written. */
  readonly draft?: Draft | undefined;
  /** With several thoughts: whether each begins with another token, so that what they write differs. */
  readonly distinctFirstTokens?: boolean | undefined;
  /** log p below which a single text (`width` 1) is written no further: nothing of what it might become is shown. */
  readonly minLogprob?: number | undefined;
  readonly signal?: { readonly aborted: boolean } | undefined;
  /**
   * Milliseconds after which no further token is begun; none by default, so that every machine writes the same. Writing
   * alone has `MIN_WRITING_MS` of it, however long the window took to read.
   */
  readonly timeBudget?: number | undefined;
  /** The clock of the budget, in milliseconds. */
  readonly now?: () => number;
}
