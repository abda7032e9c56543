import { nextVersion, type Thought } from './thought';

/**
 * A thought that has gone only a share of the way from z_0, for where something else speaks of the same evidence: what both say
 * would count twice. It rests on the same evidence; what follows an edit goes on from the whole one.
 * @param share 0 to 1
 */
export function tempered(thought: Thought, prior: Float32Array, share: number): Thought {
  if (share === 1 || thought.mu === prior) return thought;
  const mu = thought.mu.map((value, i) => {
    const origin = prior[i] as number;
    return origin + share * (value - origin);
  });
  return { ...thought, version: nextVersion(), mu };
}
