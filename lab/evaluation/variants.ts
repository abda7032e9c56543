import type { CompletionOptions } from '../../src/completion/engine';

/** What one variant rests on. */
export interface Variant {
  readonly name: string;
  /** Whose thought it is: the context's after so many steps, somebody else's, or the plain decoder's, which has none. */
  readonly thought: number | Control | 'plain';
  readonly options: Pick<
    CompletionOptions,
    'memory' | 'samples' | 'alternatives' | 'rankByConfidence' | 'syntaxCheck'
  > & {
    readonly candidates: number;
  };
  /** Of the context's thought one part only: what the steps made of it, or the evidence as it was read. */
  readonly part?: 'steps' | 'reading';
  /** Whether it sees the open file only. */
  readonly alone?: true;
  /** Whether it is scored, too: a reranked or repaired text has no likelihood. */
  readonly likelihood: boolean;
}

/** Thoughts that are not the item's own, as controls: what they lack is what the context gave. */
export const CONTROLS = ['other repository', 'other file', 'workspace'] as const;
export type Control = (typeof CONTROLS)[number];

/** How the name of a variant ends that has the lookup memory, or of a thought only what its steps made. */
export const WITH_MEMORY = ' + memory';
export const STEPS_ALONE = ', steps alone';

/** Steps of the thoughts that are not asked for by number. */
export const DEFAULT_STEPS = 4;

/** Thoughts drawn, and beams kept, where a variant has more than one. */
const SAMPLES = 4;
const BEAM = 4;

/** Thoughts that write texts to choose from, as in the editor when a suggestion is triggered manually. */
const CHOICE = 4;

const DECODER = { memory: false, samples: 1, rankByConfidence: false, syntaxCheck: false, candidates: 1 } as const;

/** Quality over thinking steps, with controls. @param steps 0 and USUAL_STEPS among them */
export function stepVariants(steps: readonly number[]): Variant[] {
  const plainly = { options: DECODER, likelihood: true };
  const memory = { options: { ...DECODER, memory: true }, likelihood: true };
  return [
    ...steps.map((thought) => ({ name: `T=${thought}`, thought, ...plainly })),
    ...steps.map((thought) => ({ name: `T=${thought}${WITH_MEMORY}`, thought, ...memory })),
    ...steps
      .filter((thought) => thought > 0)
      .map((thought) => ({ name: `T=${thought}${STEPS_ALONE}`, thought, part: 'steps' as const, ...plainly })),
    { name: `T=${DEFAULT_STEPS}, reading alone`, thought: DEFAULT_STEPS, part: 'reading', ...plainly },
    ...CONTROLS.map((thought) => ({ name: thought, thought, ...plainly })),
    { name: 'plain', thought: 'plain', ...plainly },
    { name: `plain${WITH_MEMORY}`, thought: 'plain', ...memory },
  ];
}

/** The families of models that are joined here, alone and together. */
export function familyVariants(): Variant[] {
  const variant = (name: string, thought: Variant['thought'], options: Partial<Variant['options']> = {}): Variant => {
    const { rankByConfidence, syntaxCheck, alternatives } = options;
    const likelihood = !rankByConfidence && !syntaxCheck && !alternatives;
    return { name, thought, options: { ...DECODER, ...options }, likelihood };
  };
  return [
    variant('plain', 'plain'),
    variant('z0', 0),
    variant('z', DEFAULT_STEPS),
    variant('z+samples', DEFAULT_STEPS, { samples: SAMPLES }),
    variant('z+confidence', DEFAULT_STEPS, { candidates: BEAM, rankByConfidence: true }),
    variant('z+syntax check', DEFAULT_STEPS, { candidates: BEAM, syntaxCheck: true }),
    variant('z+memory', DEFAULT_STEPS, { memory: true }),
    { ...variant('z+memory, open file only', DEFAULT_STEPS, { memory: true }), alone: true },
    variant('z0+memory', 0, { memory: true }),
    variant('z+memory+choice', DEFAULT_STEPS, { memory: true, alternatives: CHOICE }),
    variant('all', DEFAULT_STEPS, {
      memory: true,
      samples: SAMPLES,
      candidates: BEAM,
      rankByConfidence: true,
      syntaxCheck: true,
    }),
  ];
}
