import { LruMap } from '../model/lru';
import type { Evidence } from './evidence';
import type { Thought } from './thought';

/** Share of new or lost chunks above which a thought is better refined from the prior than from what it was. */
const COLD_ABOVE = 0.5;

/** Warm steps after an edit; whoever wants fewer steps in all takes fewer. */
export const WARM_STEPS = 2;

/** Numbers of gradients, and of what was read, that are kept in all, a byte each: 64 MiB. */
const NUMBERS = 1 << 26;

/**
 * The latest thought of each file; that of the file used longest ago is forgotten first. Gradients and
 * what was read take the most room, so only those of the files thought about last are kept: the others are refined from the prior again
 * when they change.
 */
export class ThoughtStore {
  readonly #thoughts: LruMap<string, Thought>;
  readonly #numbers: number;

  constructor(capacity = 16, numbers = NUMBERS) {
    this.#thoughts = new LruMap(capacity);
    this.#numbers = numbers;
  }

  get(path: string): Thought | undefined {
    return this.#thoughts.get(path);
  }

  set(path: string, thought: Thought): void {
    this.#thoughts.set(path, thought);
    let left = this.#numbers;
    for (const [one, each] of [...this.#thoughts.entries()].reverse()) {
      const read = each.datastore.reduce((sum, { numbers }) => sum + numbers.length, 0);
      left -= each.gradients.size * each.mu.length + read;
      // Its place among those used last stays as it is.
      if (left < 0 && one !== path && each.gradients.size > 0)
        this.#thoughts.replace(one, {
          ...each,
          gradients: new Map(),
          extraEntries: new Map(),
          datastore: [],
          evidence: [],
        });
    }
  }

  delete(path: string): void {
    this.#thoughts.delete(path);
  }

  clear(): void {
    this.#thoughts.clear();
  }
}

/** How a thought follows an edit: not at all, by warm steps on what changed, or by a new refinement from the prior. */
export type UpdateKind = 'none' | 'warm' | 'cold';

/**
 * How a thought should follow an edit.
 * @param thought what matters of it: which chunks it knows, by their keys
 */
export function planUpdate(
  thought: { readonly gradients: { readonly size: number; has(key: string): boolean } } | undefined,
  { chunks, waiting = 0 }: Pick<Evidence, 'chunks' | 'waiting'>,
): UpdateKind {
  if (!thought || thought.gradients.size === 0) return chunks.length === 0 ? 'none' : 'cold';
  const fresh = chunks.filter((chunk) => !thought.gradients.has(chunk.key)).length;
  if (fresh === 0) return 'none';
  const unknown = (fresh + waiting) / (chunks.length + waiting);
  const lost = 1 - (chunks.length - fresh) / thought.gradients.size;
  return unknown > COLD_ABOVE || lost > COLD_ABOVE ? 'cold' : 'warm';
}
