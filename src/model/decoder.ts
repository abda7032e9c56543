import { joined } from './arrays';
import type { Graphs } from './graphs';
import { KeyValueCache, Rows } from './cache';
import type { HiddenKeys, HiddenKeyRows } from './hiddenKeys';
import { quantiseRows } from './quantisedRows';
import { LruMap } from './lru';
import type { Manifest } from './manifest';
import { Rotation } from './rotary';
import type { WantedWindow, WindowCache } from './keptWindows';
import { thoughtSize } from './thoughtShape';
import { reuseSuffix, type ReadSuffix, type SuffixPlan, type WindowParts } from './suffixReuse';

/** The part of a thought that the decoder needs: its vectors, and a number that no other thought has. */
export interface Conditioning {
  readonly version: number;
  /** z, [top layers, features, width] */
  readonly mu: Float32Array;
}

/** Who asked may want the answer no longer. */
export interface Abortable {
  readonly aborted: boolean;
}

/** Tokens of one run; a window is filled in runs of this size, so that other work can come between. */
const RUN_TOKENS = 128;

/** The same of a large decoder: a run of it takes long. */
const LARGE_RUN_TOKENS = 32;

/** Whether a decoder's weights are so many that each token of a run takes time. */
export function isLarge({ files }: Pick<Manifest, 'files'>): boolean {
  return files.weights.bytes > 2 ** 27;
}

/** Tokens for which caches have memory at first. */
const INITIAL_CAPACITY = 256;

/** Thoughts whose top caches are kept: the one that serves, and the one that is being prepared. */
const KEPT_THOUGHTS = 2;

/** Memory that a window takes which has been read to its end, in bytes. */
export function bytesOfWindow({ architecture, window, thought }: Manifest): number {
  const { layers, trunkLayers, kvHeads, headWidth, width } = architecture;
  const keysAndValues = 2 * 4 * kvHeads * headWidth;
  const top = (layers - trunkLayers) * keysAndValues + width + 4;
  return window.tokens * (trunkLayers * keysAndValues + 4 * width + (thought ? KEPT_THOUGHTS : 1) * top);
}

/** Rows behind those of a cache that count again once all before them have been computed. */
interface KeptRows extends SuffixPlan {
  /** The window for which they are kept, up to their end. */
  readonly tokens: readonly number[];
  /** Caches in which they lie and do not count yet. */
  readonly waiting: Set<KeyValueCache>;
}

/**
 * The decoder over one growing window. It keeps the trunk's states and keys/values of the last window, and the top's for
 * the last thoughts; a new window recomputes only what comes after the longest shared beginning, a new thought only the
 * top. Where the text that is written stands behind a middle marker, a thought acts from that marker on, and what stands before it
 * is read once for all thoughts.
 */
export class Decoder implements WindowCache<Decoder> {
  readonly #graphs: Graphs;
  readonly #manifest: Manifest;
  readonly #runTokens: number;
  #states: Rows;
  #trunk: KeyValueCache;
  /** Top caches by thought version. */
  readonly #tops = new LruMap<number, KeyValueCache>(KEPT_THOUGHTS);
  #tokens: number[] = [];
  /** The suffix of the window that has been arranged. */
  #suffix: ReadSuffix | undefined;
  #kept: KeptRows | undefined;
  /** z without a thought. */
  readonly #prior: Float32Array;
  /** The first row on which a thought acts. */
  #thoughtFrom = 0;

  constructor(graphs: Graphs, manifest: Manifest) {
    this.#graphs = graphs;
    this.#manifest = manifest;
    this.#runTokens = isLarge(manifest) ? LARGE_RUN_TOKENS : RUN_TOKENS;
    this.#states = new Rows(manifest.architecture.width, INITIAL_CAPACITY);
    this.#trunk = graphs.trunkCache(1, INITIAL_CAPACITY);
    this.#prior = new Float32Array(thoughtSize(manifest));
  }

  /**
   * Says where the suffix stands in a window of prefix, suffix and middle, before that window is read. Keys and values of a suffix
   * that has been read serve on where the prefix before it changes by a few tokens.
   * @param tokens of the window, at least up to the end of the suffix
   * @param maxStale tokens of the prefix that may change before the suffix is read again; 0: nothing is kept that is not exact
   */
  arrange(tokens: readonly number[], parts: WindowParts, maxStale: number): void {
    const read = this.#suffix;
    this.#thoughtFrom = parts.suffixEnd - 1;
    const plan = this.#planFor(tokens, parts, maxStale);
    if (plan === 'as it is') return;
    this.#kept = undefined;
    const { ropeBase, headWidth } = this.#manifest.architecture;
    if (!plan || !ropeBase) {
      this.#truncate(Math.min(this.#shared(tokens), parts.suffixStart, read?.suffixStart ?? 0));
      this.#suffix = { ...parts, stale: 0 };
      return;
    }
    const count = parts.suffixEnd - parts.suffixStart;
    const tops = [...this.#tops.values()].filter(({ length }) => length >= plan.from + count - 1);
    this.#truncate(plan.shared);
    const rotation = new Rotation(parts.suffixStart - plan.from, headWidth, ropeBase);
    this.#states.move(plan.from, parts.suffixStart, count);
    for (const cache of [this.#trunk, ...tops]) cache.move(plan.from, parts.suffixStart, count, rotation);
    this.#suffix = { ...parts, stale: plan.stale };
    this.#kept = { ...plan, tokens: tokens.slice(0, plan.end), waiting: new Set([this.#trunk, ...tops]) };
  }

  /** How the suffix that has been read serves in a window: where it stands, moved, or not at all. */
  #planFor(tokens: readonly number[], parts: WindowParts, maxStale: number): SuffixPlan | 'as it is' | undefined {
    const read = this.#suffix;
    if (!read) return undefined;
    if (read.suffixStart === parts.suffixStart && read.suffixEnd === parts.suffixEnd && read.stale <= maxStale) {
      const kept = this.#kept?.tokens;
      if (kept?.every((token, i) => token === tokens[i])) return 'as it is';
    }
    if (read.suffixStart === parts.suffixStart && this.#shared(tokens) >= parts.suffixEnd - 1) {
      return read.stale <= maxStale ? 'as it is' : undefined;
    }
    if (!this.#manifest.architecture.ropeBase) return undefined;
    return reuseSuffix({ ...read, tokens: this.#tokens }, { ...parts, tokens }, maxStale);
  }

  /** Tokens that have been read. */
  get length(): number {
    return this.#tokens.length;
  }

  /** Memory held by what has been read, in bytes. */
  get bytes(): number {
    const tops = [...this.#tops.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    return this.#states.bytes + this.#trunk.bytes + tops;
  }

  /** Tokens of a window that need not be read for it. */
  overlap({ tokens, parts }: WantedWindow, maxStale: number): number {
    const shared = this.#shared(tokens);
    if (!parts) return shared;
    const plan = this.#planFor(tokens, parts, maxStale);
    if (plan === 'as it is') return Math.max(shared, this.#kept?.end ?? 0);
    if (plan) return plan.shared + plan.end - plan.resume;
    return Math.min(shared, parts.suffixStart, this.#suffix?.suffixStart ?? 0);
  }

  /** A decoder of its own that has read the same. */
  copy(): Decoder {
    const copy = new Decoder(this.#graphs, this.#manifest);
    copy.#tokens = [...this.#tokens];
    copy.#states = this.#states.copy();
    copy.#trunk = this.#trunk.copy();
    copy.#suffix = this.#suffix;
    for (const [version, top] of this.#tops.entries()) copy.#tops.set(version, top.copy());
    return copy;
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
      const { end, z } = this.#topRun(from, tokens.length, thought);
      logits.push(await this.#graphs.top(this.#states.slice(from, end), z, end - from, top));
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
        const next = tokens.slice(done, Math.min(done + this.#runTokens, this.#limit(this.#trunk)));
        this.#states.append(await this.#graphs.trunk(next, this.#trunk));
        this.#tokens.push(...next);
        this.#resume(this.#trunk);
      } else if (top.length < count) {
        const { end, z } = this.#topRun(top.length, Math.min(count, this.#limit(top)), thought);
        await this.#graphs.top(this.#states.slice(top.length, end), z, 1, top);
        this.#resume(top);
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
  branch(thought: Conditioning, batch: number, capacity: number): Branches {
    return new Branches(
      this.#graphs,
      this.#trunk.repeated(batch, capacity),
      this.#topOf(thought).repeated(batch, capacity),
      repeat(thought.mu, batch),
    );
  }

  /** One hypothesis for each of several thoughts, under all of which the same window has been filled. */
  branchEach(thoughts: readonly Conditioning[], capacity: number): Branches {
    return new Branches(
      this.#graphs,
      this.#trunk.repeated(thoughts.length, capacity),
      KeyValueCache.side(
        thoughts.map((thought) => this.#topOf(thought)),
        capacity,
      ),
      joined(thoughts.map(({ mu }) => mu)),
    );
  }

  /**
   * What has been read under a thought: hidden keys, a row a token, and the tokens; undefined where the bundle's graphs do not
   * give them. Valid until something else is read.
   */
  hiddenKeysOf(thought: Conditioning): { hiddenKeys: HiddenKeys; tokens: readonly number[] } | undefined {
    const hiddenKeys = this.#tops.get(thought.version)?.hiddenKeys;
    return hiddenKeys && { hiddenKeys, tokens: this.#tokens };
  }

  /** Tokens of a window that are not in the caches of a thought. */
  unread(tokens: readonly number[], { version }: Conditioning): number {
    const top = this.#tops.get(version);
    const kept = this.#kept && top && this.#kept.waiting.has(top) ? this.#kept.end - this.#kept.resume : 0;
    return tokens.length - Math.min(this.#shared(tokens), top?.length ?? this.#sharedRows) - kept;
  }

  #shared(tokens: readonly number[]): number {
    let shared = 0;
    while (shared < tokens.length && shared < this.#tokens.length && tokens[shared] === this.#tokens[shared]) shared++;
    return shared;
  }

  #keepShared(tokens: readonly number[]): void {
    const shared = this.#shared(tokens);
    this.#truncate(shared);
    // What is kept belongs to one window.
    if (this.#kept?.tokens.some((token, i) => token !== tokens[i])) this.#kept = undefined;
  }

  #truncate(length: number): void {
    this.#tokens.length = Math.min(this.#tokens.length, length);
    this.#states.truncate(length);
    this.#trunk.truncate(length);
    for (const top of this.#tops.values()) top.truncate(length);
  }

  /** Where a run that begins here has to end: before rows that are kept. */
  #limit(cache: KeyValueCache): number {
    const kept = this.#kept;
    return kept?.waiting.has(cache) && cache.length < kept.resume ? kept.resume : Infinity;
  }

  /** Lets rows count that are kept in a cache, if those before them have been computed by now. */
  #resume(cache: KeyValueCache): void {
    const kept = this.#kept;
    if (!kept || cache.length !== kept.resume || !kept.waiting.delete(cache)) return;
    cache.extend(kept.end);
    if (cache !== this.#trunk) return;
    this.#states.extend(kept.end);
    this.#tokens.push(...kept.tokens.slice(kept.resume));
  }

  /** A run of the top from a row on: where it ends, and under which z. No run has rows that a thought acts on, and others. */
  #topRun(from: number, limit: number, { mu }: Conditioning): { end: number; z: Float32Array } {
    const before = from < this.#thoughtFrom;
    const end = Math.min(limit, from + this.#runTokens, before ? this.#thoughtFrom : Infinity);
    return { end, z: before ? this.#prior : mu };
  }

  #topOf(thought: Conditioning): KeyValueCache {
    const top = this.#tops.get(thought.version) ?? this.#newTop();
    this.#tops.set(thought.version, top);
    return top;
  }

  /** Rows that are the same under all thoughts and have been read under some. */
  get #sharedRows(): number {
    return Math.min(this.#thoughtFrom, Math.max(0, ...[...this.#tops.values()].map(({ length }) => length)));
  }

  /** For another thought: with the rows that are the same under all of them, as far as some thought's cache has them. */
  #newTop(): KeyValueCache {
    const [deepest] = [...this.#tops.values()].sort((a, b) => b.length - a.length);
    if (!deepest || this.#thoughtFrom === 0) return this.#graphs.topCache(1, INITIAL_CAPACITY);
    const top = deepest.repeated(1, INITIAL_CAPACITY);
    top.truncate(this.#thoughtFrom);
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

  /** The hidden key of hypothesis `i`, where the bundle's graphs give them. */
  hiddenKey(i: number): HiddenKeyRows | undefined {
    const { lastHiddenKeys, batch } = this.#top;
    const width = (lastHiddenKeys?.length ?? 0) / batch;
    return lastHiddenKeys && quantiseRows(lastHiddenKeys.subarray(i * width, (i + 1) * width), width);
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
