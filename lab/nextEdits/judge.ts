import type { CompletionRequest, Engine, Thought } from '../../src/completion/engine';
import type { TextEdit } from '../../src/edits/history';
import { targetsOf } from '../../src/edits/targets';
import { UsageError } from '../../src/cli/command';
import { thoughtAfter } from '../thoughts';

/**
 * Thoughts under which a model judges: none; one that is refined once, before the first edit; and that one as it follows
 * each edit, as in the editor.
 */
export const VARIANTS = ['z_0', 'frozen', 'warm'] as const;
export type Variant = (typeof VARIANTS)[number];

/** log p(new) − log p(old) by variant, in nats; empty where no model was asked. */
export type Gains = Readonly<Partial<Record<Variant, number>>>;

/** What a model says of one candidate, and how many milliseconds the first variant took for it. */
export interface Judgement {
  readonly gains: Gains;
  readonly milliseconds: number;
}

/** Judges what is found while somebody edits one file. */
export interface FileJudge {
  /** The file was edited. @param now it and the others, with the cursor behind the edit */
  edited(now: CompletionRequest): void;
  judge(question: Question): Promise<Judgement>;
}

/** An edit that may be the next. */
export interface Question {
  readonly path: string;
  readonly text: string;
  readonly edit: TextEdit;
  /** The line that was edited, as it stands now. */
  readonly line: string;
}

/** Somebody comes to a file. @param before it and the others as they were before the commit, the cursor at the first edit */
export type Judge = (before: CompletionRequest) => FileJudge;

/** Variants as `--judge` takes them. @throws UsageError naming what they can be */
export function variantList(list: string): Variant[] {
  const words = list === 'on' ? ['z_0'] : list.split(',').map((word) => word.trim());
  return [...new Set(words)].map((word) => {
    const variant = VARIANTS.find((one) => one === word);
    if (!variant) throw new UsageError(`--judge ${word}: use ${VARIANTS.join(', ')}, several with commas, or off`);
    return variant;
  });
}

/**
 * @param steps of a thought that is refined cold; warm steps are as many as in the editor
 * @param context characters that are read before a place, behind the line that was edited; default: as in the editor
 */
export function judgeBy(engine: Engine, variants: readonly Variant[], steps: number, context?: number): Judge {
  return (before) => new EngineJudge(engine, variants, { steps, before, context });
}

/** What a model reads and compares. */
function placeOf({ path, text, edit, line }: Question, context: number | undefined) {
  const { prefix, suffix, ...targets } = targetsOf(edit, text);
  if (context === undefined) return { path, prefix, suffix, ...targets };
  const near = prefix.slice(-context);
  return {
    path,
    ...targets,
    prefix: near.includes(line) ? near : `${line}\n${near}`,
    suffix: suffix.slice(0, context / 4),
  };
}

class EngineJudge implements FileJudge {
  #frozen: Thought | undefined;
  #warm: Thought | undefined;
  /** Edits that the thought has yet to follow: it does when somebody wants to know. */
  #unfollowed: CompletionRequest[] = [];

  constructor(
    private readonly engine: Engine,
    private readonly variants: readonly Variant[],
    private readonly how: { steps: number; before: CompletionRequest; context: number | undefined },
  ) {}

  edited(now: CompletionRequest): void {
    if (this.variants.includes('warm')) this.#unfollowed.push(now);
  }

  async judge(question: Question): Promise<Judgement> {
    const place = placeOf(question, this.how.context);
    const gains: Partial<Record<Variant, number>> = {};
    const times: number[] = [];
    for (const variant of this.variants) {
      const thought = await this.#thought(variant);
      const began = performance.now();
      gains[variant] = await this.engine.gain(place, thought);
      times.push(performance.now() - began);
    }
    return { gains, milliseconds: times[0] ?? 0 };
  }

  async #thought(variant: Variant): Promise<Thought> {
    if (variant === 'z_0') return this.engine.prior;
    this.#frozen ??= await thoughtAfter(this.engine, this.how.before, this.how.steps);
    if (variant === 'frozen') return this.#frozen;
    this.#warm ??= this.#frozen;
    for (const now of this.#unfollowed) {
      const refinement = this.engine.follow(now, this.#warm, this.how.steps)?.refinement;
      if (!refinement) continue;
      while (await refinement.advance());
      this.#warm = this.engine.thought(refinement);
    }
    this.#unfollowed = [];
    return this.#warm;
  }
}
