import { normal, randomFrom } from '../model/random';
import { nextVersion, type Thought } from './thought';

/** z of one of several samples, with a version that no other thought has. */
export type SampledThought = Pick<Thought, 'version' | 'mu'>;

/**
 * Samples of a thought's posterior N(μ, σ²). The first is μ itself, so that one sample is the thought; the others are
 * the same every time for the same μ.
 * @param deviation σ of each group of z
 * @param ends where each group ends
 * @param count samples in all, 1 or more
 */
export function sampleThoughts(
  thought: Thought,
  deviation: readonly number[],
  ends: readonly number[],
  count: number,
): SampledThought[] {
  const others = Array.from({ length: count - 1 }, (_, sample) => {
    const uniform = randomFrom(sample + 1);
    let group = 0;
    const mu = thought.mu.map((mean, i) => {
      if (i === ends[group]) group++;
      return mean + (deviation[group] ?? 0) * normal(uniform);
    });
    return { version: nextVersion(), mu };
  });
  return [thought, ...others];
}
