import { joined } from './arrays';
import type { Graphs } from './graphs';
import { KeyValueCache, Rows } from './cache';
import type { Directions, Pointed } from './directions';
import { rounded } from './rounded';
import { LruMap } from './lru';
import type { Manifest } from './manifest';

/** The part of a thought that the decoder needs: its vectors, and a number that no other thought has. */
export interface Conditioning {
  readonly version: number;
  /** z, [rows, thought vectors, width] */
  readonly mu: Float32Array;
}

/** Who asked may want the answer no longer. */
export interface Abortable {
  readonly aborted: boolean;
}

/** Tokens of one run; a window is filled in runs of this size, so that other work can come between. */
const RUN_TOKENS = 128;

/** Thoughts whose top caches are kept: the one that serves, and the one that is being prepared. */
const KEPT_THOUGHTS = 2;

/**
 * The decoder over one growing window. It keeps the trunk's states and keys/values of the last window, and the top's for
 * the last thoughts; a new window recomputes only what comes after the longest shared beginning, a new thought only the
 * top.
 */
export class Decoder {
  readonly #graphs: Graphs;
  readonly #capacity: number;
  readonly #states: Rows;
  readonly #trunk: KeyValueCache;
  /** Top caches by thought version. */
  readonly #tops = new LruMap<number, KeyValueCache>(KEPT_THOUGHTS);
  #tokens: number[] = [];

  constructor(graphs: Graphs, manifest: Manifest) {
    this.#graphs = graphs;
    this.#capacity = manifest.window.tokens;
    this.#states = new Rows(manifest.architecture.width, this.#capacity);
    this.#trunk = graphs.trunkCache(1, this.#capacity);
  }

  /**
   * Logits after each of the last `count` tokens.
   * @returns [count, vocabulary]; undefined if it was aborted between two runs: the caches keep what has been read
   */
  async logits(tokens: readonly number[], thought: Conditioning, count?: number): Promise<Float32Array>;
  async logits(
    tokens: readonly number[],
    thought: Conditioning,
    count: number,
    signal: Abortable | undefined,
  ): Promise<Float32Array | undefined>;
  async logits(
    tokens: readonly number[],
    thought: Conditioning,
    count = 1,
    signal?: Abortable,
  ): Promise<Float32Array | undefined> {
    const start = tokens.length - count;
    if (count < 1 || start < 0) throw new RangeError(`logits of ${count} of ${tokens.length} tokens`);
    const filling = this.fill(tokens, thought, start);
    while (!(await filling.next()).done) if (signal?.aborted) return undefined;
    const top = this.#topOf(thought);
    top.truncate(start);
    const logits: Float32Array[] = [];
    while (top.length < tokens.length) {
      if (signal?.aborted) return undefined;
      const from = top.length;
      const to = Math.min(tokens.length, from + RUN_TOKENS);
      logits.push(await this.#graphs.top(this.#states.slice(from, to), thought.mu, to - from, top));
    }
    return joined(logits);
  }

  /**
   * Fills the caches, one ONNX run at a time, the top's for the first `count` tokens. Whoever stops early keeps what has
   * been computed, and another window may be filled between two runs.
   */
  async *fill(tokens: readonly number[], thought: Conditioning, count = tokens.length): AsyncGenerator<void, void> {
    for (;;) {
      this.#keepShared(tokens);
      const done = this.#tokens.length;
      const top = this.#topOf(thought);
      if (done < tokens.length) {
        const next = tokens.slice(done, done + RUN_TOKENS);
        this.#states.append(await this.#graphs.trunk(next, this.#trunk));
        this.#tokens.push(...next);
      } else if (top.length < count) {
        const states = this.#states.slice(top.length, Math.min(count, top.length + RUN_TOKENS));
        await this.#graphs.top(states, thought.mu, 1, top);
      } else {
        return;
      }
      yield;
    }
  }

  /** From now on, keeps the top caches of this many thoughts at least. */
  keep(thoughts: number): void {
    this.#tops.capacity = Math.max(KEPT_THOUGHTS, thoughts);
  }

  /** Hypotheses that share the window filled last under this thought, and continue it each in its own way. */
  branch(thought: Conditioning, batch: number, room: number): Branches {
    return new Branches(
      this.#graphs,
      this.#trunk.repeated(batch, room),
      this.#topOf(thought).repeated(batch, room),
      repeat(thought.mu, batch),
    );
  }

  /** One hypothesis for each of several thoughts, under all of which the same window has been filled. */
  branchEach(thoughts: readonly Conditioning[], room: number): Branches {
    return new Branches(
      this.#graphs,
      this.#trunk.repeated(thoughts.length, room),
      KeyValueCache.side(
        thoughts.map((thought) => this.#topOf(thought)),
        room,
      ),
      joined(thoughts.map(({ mu }) => mu)),
    );
  }

  /**
   * What has been read under a thought: the directions of the last states, a row a token, and the tokens; undefined where the
   * bundle's graphs do not tell directions. Valid until something else is read.
   */
  reading(thought: Conditioning): { directions: Directions; tokens: readonly number[] } | undefined {
    const directions = this.#tops.get(thought.version)?.directions;
    return directions && { directions, tokens: this.#tokens };
  }

  /** Tokens of a window that are not in the caches of a thought. */
  unread(tokens: readonly number[], { version }: Conditioning): number {
    return tokens.length - Math.min(this.#shared(tokens), this.#tops.get(version)?.length ?? 0);
  }

  #shared(tokens: readonly number[]): number {
    let shared = 0;
    while (shared < tokens.length && shared < this.#tokens.length && tokens[shared] === this.#tokens[shared]) shared++;
    return shared;
  }

  #keepShared(tokens: readonly number[]): void {
    const shared = this.#shared(tokens);
    this.#tokens.length = shared;
    this.#states.truncate(shared);
    this.#trunk.truncate(shared);
    for (const top of this.#tops.values()) top.truncate(shared);
  }

  #topOf(thought: Conditioning): KeyValueCache {
    const top = this.#tops.get(thought.version) ?? this.#graphs.topCache(1, this.#capacity);
    this.#tops.set(thought.version, top);
    return top;
  }
}

/** A batch of hypotheses with caches of their own. */
export class Branches {
  readonly #graphs: Graphs;
  readonly #trunk: KeyValueCache;
  readonly #top: KeyValueCache;
  readonly #z: Float32Array;
  readonly #start: number;

  constructor(graphs: Graphs, trunk: KeyValueCache, top: KeyValueCache, z: Float32Array) {
    this.#graphs = graphs;
    this.#trunk = trunk;
    this.#top = top;
    this.#z = z;
    this.#start = trunk.length;
  }

  /** Hypotheses of the batch. */
  get batch(): number {
    return this.#trunk.batch;
  }

  /** Appends one token to each hypothesis. @returns logits after it, [batch, vocabulary] */
  async append(tokens: readonly number[]): Promise<Float32Array> {
    return this.#graphs.top(await this.#graphs.trunk(tokens, this.#trunk), this.#z, 1, this.#top);
  }

  /** The direction of the last state of hypothesis `i`, where the bundle's graphs tell directions. */
  direction(i: number): Pointed | undefined {
    const { latest, batch } = this.#top;
    const width = (latest?.length ?? 0) / batch;
    return latest && rounded(latest.subarray(i * width, (i + 1) * width), width);
  }

  /** Hypothesis i becomes a continuation of what hypothesis `parents[i]` was. */
  reorder(parents: readonly number[]): void {
    if (parents.every((parent, i) => parent === i)) return;
    this.#trunk.reorder(parents, this.#start);
    this.#top.reorder(parents, this.#start);
  }
}

function repeat(values: Float32Array, times: number): Float32Array {
  return joined(Array.from({ length: times }, () => values));
}
