import { beam } from './beam';
import type { DecodeOptions } from './decodeOptions';
import { greedy } from './greedy';
import type { Candidate } from './hypothesis';
import type { ConditionedWindow } from './prepared';

/**
 * Continues a window greedily, or with a beam.
 * @returns candidates, the most probable first; undefined if it was aborted between two runs
 */
export async function decode(window: ConditionedWindow, options: DecodeOptions): Promise<Candidate[] | undefined> {
  return options.width === 1 ? greedy(window, options) : beam(window, options);
}
