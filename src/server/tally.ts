import type { Answer } from '../inference/messages';
import type { AnswerPath } from '../protocol';

/** How often requests were answered in which way. */
export class Tally {
  readonly paths: Record<AnswerPath, number> = {
    typedAlong: 0,
    cache: 0,
    waited: 0,
    memory: 0,
    reuse: 0,
    cold: 0,
    none: 0,
  };
  cancelled = 0;
  readonly accepted = { suggestions: 0, characters: 0 };
  readonly refinementRunsWaited: number[] = [];
  refinementRunsAhead = 0;
  /** Prefetches, and answers that came of them. */
  readonly prefetch = { runs: 0, served: 0 };

  ran(answer: Answer): void {
    const runs = answer.refinementRunsWaited;
    while (this.refinementRunsWaited.length <= runs) this.refinementRunsWaited.push(0);
    this.refinementRunsWaited[runs]!++;
    this.refinementRunsAhead += answer.refinementRunsAhead;
  }
}
