import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CompletionRequest, Engine, Thought } from '../completion/engine';
import { messageOf } from '../model/errors';
import { LruMap } from '../model/lru';
import type { RequestQueue } from './requestQueue';

/** What is kept of a user's file. */
interface Kept {
  thought: Thought | undefined;
  /** The text to think about next; undefined while the thought is about the newest. */
  request: CompletionRequest | undefined;
}

/**
 * A thought for each user and file, refined while nobody waits for an answer. Those used longest ago are forgotten first,
 * and nothing of one user's reaches another's.
 */
export class UserThoughts {
  readonly #engine: Pick<Engine, 'readsThought' | 'follow' | 'thought'>;
  readonly #queue: Pick<RequestQueue, 'idle'>;
  readonly #steps: number;
  readonly #log: (line: string) => void;
  readonly #kept: LruMap<string, Kept>;
  #thinking: Promise<void> | undefined;

  /** @param capacity files of users whose thoughts are kept */
  constructor(
    engine: Pick<Engine, 'readsThought' | 'follow' | 'thought'>,
    queue: Pick<RequestQueue, 'idle'>,
    how: { readonly steps: number; readonly capacity: number; readonly log?: (line: string) => void },
  ) {
    this.#engine = engine;
    this.#queue = queue;
    this.#steps = how.steps;
    this.#log = how.log ?? (() => undefined);
    this.#kept = new LruMap(how.capacity);
  }

  /** How many are kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** The thought of a key, where there is one yet. */
  of(key: string): Thought | undefined {
    return this.#kept.get(key)?.thought;
  }

  /** The text of a key is this now: it is thought about when nobody waits. */
  about(key: string, request: CompletionRequest): void {
    if (!this.#engine.readsThought || this.#steps === 0) return;
    const kept = this.#kept.get(key) ?? { thought: undefined, request: undefined };
    kept.request = request;
    this.#kept.set(key, kept);
    this.#thinking ??= this.#think()
      // Answers come without a thought, too.
      .catch((error: unknown) => this.#log(`thinking failed: ${messageOf(error)}`))
      .finally(() => (this.#thinking = undefined));
  }

  /** Resolves when there is nothing to think about. */
  async rested(): Promise<void> {
    await this.#thinking;
  }

  async #think(): Promise<void> {
    for (;;) {
      const kept = [...this.#kept.values()].reverse().find(({ request }) => request !== undefined);
      if (!kept?.request) return;
      const { request } = kept;
      kept.request = undefined;
      await this.#queue.idle();
      const following = this.#engine.follow(request, kept.thought, this.#steps);
      if (!following) continue;
      do {
        // One short run between two looks at who waits.
        await nextTurn();
        await this.#queue.idle();
      } while (await following.refinement.advance());
      kept.thought = this.#engine.thought(following.refinement);
    }
  }
}
