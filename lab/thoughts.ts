import { DEFAULTS, type CompletionRequest, type Engine, type Refinement, type Thought } from '../src/completion/engine';
import { wholeNumber } from '../src/cli/arguments';

/** Numbers of steps as `--steps` takes them: separated by commas. Ascending, each once. */
export function stepList(list: string): number[] {
  const steps = list.split(',').map((word) => wholeNumber('--steps', word.trim(), 0, DEFAULTS.maxSteps));
  return [...new Set(steps)].sort((a, b) => a - b);
}

/** The thought after a number of steps. */
export async function thoughtAfter(engine: Engine, request: CompletionRequest, steps: number): Promise<Thought> {
  return finished(engine, engine.refinement(request, { steps }));
}

/** The thought at the end of a refinement. */
export async function finished(engine: Engine, refinement: Refinement): Promise<Thought> {
  while (await refinement.advance());
  return engine.thought(refinement);
}

/** The thought after each number of steps: one refinement passes them all. Only the last one can be continued. */
export async function thoughtsAfter(
  engine: Engine,
  request: CompletionRequest,
  steps: readonly number[],
): Promise<ReadonlyMap<number, Thought>> {
  const thoughts = new Map<number, Thought>();
  const refinement = engine.refinement(request, { steps: Math.max(...steps) });
  const add = (count: number, thought: Thought) => thoughts.set(count, { ...thought, gradients: new Map() });
  if (steps.includes(0)) add(0, engine.prior);
  while (await refinement.advance()) {
    const { step } = refinement.progress;
    if (step > 0 && steps.includes(step) && !thoughts.has(step)) add(step, engine.thought(refinement));
  }
  // Where refinement stopped early, further steps change nothing.
  const last = engine.thought(refinement);
  for (const count of steps) if (!thoughts.has(count)) add(count, last);
  if (last.trace.steps > 0) thoughts.set(Math.max(...steps), last);
  return thoughts;
}
