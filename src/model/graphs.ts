import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { fromBfloat16, joined } from './arrays';
import { KeyValueCache, type CacheShape } from './cache';
import { HiddenKeys, unitRows } from './hiddenKeys';
import { NumericalError } from './errors';
import type { Manifest } from './manifest';
import type { Kernel } from './kernel/kernel';
import type { Runtime } from './runtime';
import { thoughtShape, thoughtSize, topLayers } from './thoughtShape';

export interface EvidenceOutput {
  /** Σ weight · (−log p(target)), in nats. */
  readonly nll: number;
  /** ∂nll/∂z, [top layers, features, width]; the next call may write over it. */
  readonly gradient: Float32Array;
  /** Hidden keys: unit vectors along the last states, [S, width], where the graph gives them. */
  readonly hiddenKeys?: Float32Array;
  /** Log of the sum of e^logit at each scored row, [S], where the graph tells it. */
  readonly logSums?: Float32Array;
}

/** A chunk of evidence as the decoder has read it: what no thought changes, and what is therefore computed once. */
export interface ReadChunk {
  /** Trunk states of the rows whose next token is scored, [S, width]; as bfloat16 where they are kept for long. */
  readonly states: Float32Array | Uint16Array;
  /** The token after each, [S]: itself, or its place among the choices. */
  readonly targets: readonly number[];
  /** Where the softmax of the evidence graph tells a shortlist of tokens apart, and reads what stands before the scored rows. */
  readonly shortlist?: Shortlist;
}

export interface Shortlist {
  /** Tokens that are told apart. */
  readonly choices: readonly number[];
  /** Of all other tokens, log of the sum of e^logit at each scored row without a thought, [S]. */
  readonly rest: Float32Array;
  /** Keys and values of each top layer in turn, of the rows before, [kvHeads, P, headWidth] in bfloat16. */
  readonly past: readonly Uint16Array[];
}

/** What the top computes of a run. */
export interface TopOutput {
  /** [batch, logit count, vocabulary] */
  readonly logits: Float32Array;
  /** The normalised last hidden states, which the head multiplies, [batch, S, width]; undefined where the graph does not tell them. */
  readonly hidden: Float32Array | undefined;
}

/** Bytes of weights that stay in a processor's caches from one token to the next, or nearly do. */
const CACHED = 1 << 24;

/** The output with hidden keys of nano's graphs: the name is part of the bundle format. */
const HIDDEN_KEYS = 'directions';

/** The output by which adopted models' graphs tell their last states, normalised: what the head multiplies. */
const HIDDEN = 'hidden';

/** The outputs by which graphs tell the keys and values of a run's own tokens; others write them into the tables. */
const ADDED = ['new_keys', 'new_values'] as const;

/** What evidence graphs may tell besides NLL and gradient. */
const EVIDENCE_OUTPUTS = [HIDDEN_KEYS, 'log_sums'] as const;

type Output = 'states' | 'logits' | typeof HIDDEN_KEYS | typeof HIDDEN;

/** How the graphs are run, apart from the device. */
export interface GraphRunOptions {
  /** Tokens of one run at most, for devices that compute longer runs wrongly. */
  readonly maxRunTokens?: number;
  /** Computes runs of a few tokens in ONNX Runtime's place. */
  readonly kernel?: Kernel;
}

/**
 * The three graphs of a bundle as functions of typed arrays. Each call is one ONNX Runtime run, unless runs must be short, or
 * one of the kernel; a run blocks the event loop while it computes, and lets it turn once before. What is no finite number is
 * thrown, so that no cache keeps it.
 */
export class Graphs {
  readonly #runtime: Runtime;
  readonly #sessions: Sessions;
  readonly #manifest: Manifest;
  readonly #layers: number;
  /** Dimensions of z. */
  readonly #thought: readonly [layers: number, features: number, width: number];
  readonly #maxRunTokens: number;
  readonly #kernel: Kernel | undefined;
  /** Where gradients are written. */
  readonly #gradient: Float32Array;

  constructor(
    runtime: Runtime,
    sessions: Sessions,
    manifest: Manifest,
    { maxRunTokens = Infinity, kernel }: GraphRunOptions = {},
  ) {
    this.#runtime = runtime;
    this.#sessions = sessions;
    this.#manifest = manifest;
    this.#layers = topLayers(manifest);
    this.#thought = thoughtShape(manifest);
    this.#maxRunTokens = maxRunTokens;
    this.#kernel = kernel;
    this.#gradient = new Float32Array(thoughtSize(manifest));
  }

  /** An empty cache for the trunk's keys and values. */
  trunkCache(batch: number, capacity: number): KeyValueCache {
    return new KeyValueCache(this.#shape(this.#manifest.architecture.trunkLayers), batch, capacity);
  }

  /** The same for the top's, which belong to one thought. */
  topCache(batch: number, capacity: number): KeyValueCache {
    const cache = new KeyValueCache(this.#shape(this.#layers), batch, capacity);
    if (this.hasHiddenOutput && batch === 1)
      cache.hiddenKeys = new HiddenKeys(this.#manifest.architecture.width, capacity);
    return cache;
  }

  /**
   * @param tokens [batch, S]; in a batch of several, one each where something is cached
   * @param cache what came before; the tokens' own keys and values are in it afterwards
   * @returns states, [batch, S, width]
   */
  async trunk(tokens: readonly number[], cache = this.trunkCache(1, tokens.length)): Promise<Float32Array> {
    const count = tokens.length / cache.batch;
    if (this.#kernel?.takes(count, cache)) {
      await turn();
      return this.#kernel.trunk(tokens, cache);
    }
    const states: Float32Array[] = [];
    for (const { from, to } of this.#parts(count, cache.batch)) {
      const part = this.#integers(tokens.slice(from * cache.batch, to * cache.batch), [cache.batch, to - from]);
      const read = await this.#run('trunk', ['states'], { tokens: part }, to - from, cache);
      states.push(read.states as Float32Array);
    }
    return joined(states);
  }

  /**
   * @param states [batch, S, width]
   * @param z [batch, top layers, features, width]
   * @param logitCount for how many of the last positions logits are wanted, 1 to S
   * @param cache as for the trunk; it keeps the hidden keys, too, where the graph gives them
   * @returns logits, [batch, logit count, vocabulary]
   */
  async top(states: Float32Array, z: Float32Array, logitCount: number, cache?: KeyValueCache): Promise<Float32Array> {
    return (await this.topOutput(states, z, logitCount, cache)).logits;
  }

  /** The same with the hidden states of all positions. */
  async topOutput(
    states: Float32Array,
    z: Float32Array,
    logitCount: number,
    cache?: KeyValueCache,
  ): Promise<TopOutput> {
    const { width } = this.#manifest.architecture;
    const batch = cache?.batch ?? 1;
    const count = states.length / batch / width;
    const filled = cache ?? this.topCache(1, count);
    if (this.#kernel?.takes(count, filled)) {
      await turn();
      return { logits: this.#kernel.top(states, z, logitCount, filled), hidden: undefined };
    }
    const first = count - logitCount;
    const logits: Float32Array[] = [];
    const hidden: Float32Array[] = [];
    for (const { from, to } of this.#parts(count, batch)) {
      const part = states.subarray(from * batch * width, to * batch * width);
      const feeds = {
        states: this.#floats(part, [batch, to - from, width]),
        ...(this.#gradient.length > 0 && { z: this.#floats(z, [batch, ...this.#thought]) }),
        logit_count: this.#integers([Math.max(1, to - Math.max(from, first))], [1]),
      };
      const read = await this.#run('top', ['logits', ...this.#told], feeds, to - from, filled);
      if (to > first) logits.push(read.logits as Float32Array);
      if (read.hidden) hidden.push(read.hidden);
      const { [HIDDEN_KEYS]: hiddenKeys = read.hidden && unitRows(read.hidden.slice(), width) } = read;
      if (hiddenKeys) filled.appendHidden(hiddenKeys);
    }
    return { logits: joined(logits), hidden: hidden.length > 0 ? joined(hidden) : undefined };
  }

  /**
   * NLL of one chunk and its gradient with respect to z. They may be no numbers: whoever takes a step looks at them.
   * @param weights [S], 1 where the target counts, 0 where not
   * @param z [top layers, features, width]
   */
  async evidence(
    { states, targets, shortlist }: ReadChunk,
    weights: Float32Array,
    z: Float32Array,
  ): Promise<EvidenceOutput> {
    const session = await this.#sessions.evidence?.session();
    if (!session) throw new Error('this decoder reads no thought');
    const { width } = this.#manifest.architecture;
    const count = targets.length;
    const numbers = states instanceof Uint16Array ? fromBfloat16(states) : states;
    const shape = shortlist ? [count] : [1, count];
    const told = EVIDENCE_OUTPUTS.filter((name) => session.outputNames.includes(name));
    const output = await session.run(
      {
        states: this.#floats(numbers, [...shape, width]),
        targets: this.#integers(targets, shape),
        weights: this.#floats(weights, shape),
        z: this.#floats(z, [...this.#thought]),
        ...(shortlist && this.#shortlisted(shortlist, count)),
      },
      {
        nll: null,
        grad: this.#floats(this.#gradient, [...this.#thought]),
        ...Object.fromEntries(told.map((name) => [name, null])),
      },
    );
    const [hiddenKeys, logSums] = EVIDENCE_OUTPUTS.map((name) =>
      told.includes(name) ? floats(output, name) : undefined,
    );
    return {
      nll: floats(output, 'nll')[0] ?? NaN,
      gradient: floats(output, 'grad'),
      ...(hiddenKeys && { hiddenKeys }),
      ...(logSums && { logSums }),
    };
  }

  /** Whether the evidence graph tells a shortlist of tokens apart, behind rows that were read before. */
  async hasShortlist(): Promise<boolean> {
    const session = await this.#sessions.evidence?.session();
    return session?.inputNames.includes('choices') ?? false;
  }

  #shortlisted({ choices, rest, past }: Shortlist, count: number): Record<string, Tensor> {
    const { kvHeads, headWidth } = this.#manifest.architecture;
    const before = (past[0]?.length ?? 0) / kvHeads / headWidth;
    const positions = Array.from({ length: count }, (_, i) => before + i);
    const tables = past.map((table, i) => {
      const rows = this.#floats(fromBfloat16(table), [1, kvHeads, before, headWidth]);
      return [`past_${tableName(i)}`, rows] as const;
    });
    return {
      choices: this.#integers(choices, [choices.length]),
      rest: this.#floats(rest, [count]),
      positions: this.#integers(positions, [count]),
      ...Object.fromEntries(tables),
    };
  }

  /** Whether the kernel computes what it takes. */
  get hasKernel(): boolean {
    return this.#kernel !== undefined;
  }

  /**
   * Whether a run of several tokens takes hardly longer than one of a single token: ONNX Runtime waits for the start of its
   * operations and for its weights then, the kernel for weights that do not fit the processor's caches; else it computes.
   */
  get batchingIsCheap(): boolean {
    return this.#kernel === undefined || this.#kernel.bytes > CACHED;
  }

  /** The same sessions, run in another way. */
  with(options: GraphRunOptions): Graphs {
    return new Graphs(this.#runtime, this.#sessions, this.#manifest, options);
  }

  /** Ends profiling; the profiles lie where the sessions were told to write them. */
  endProfiling(): void {
    for (const session of this.#opened()) session.endProfiling();
  }

  async release(): Promise<void> {
    for (const session of this.#opened()) await session.release();
  }

  #opened(): InferenceSession[] {
    const { trunk, top, evidence } = this.#sessions;
    return [trunk, top, ...(evidence?.opened ? [evidence.opened] : [])];
  }

  /** The runs that so many tokens take: one, unless it were too long. In a batch of several each has one token. */
  *#parts(count: number, batch: number): Generator<{ from: number; to: number }> {
    const max = batch === 1 ? this.#maxRunTokens : Infinity;
    for (let from = 0; from < count; from += max) yield { from, to: Math.min(count, from + max) };
  }

  /** One run over a cache, which is where its keys and values go unless the provider gives them in memory of its own. */
  async #run(
    graph: 'trunk' | 'top',
    wanted: readonly Output[],
    feeds: Record<string, Tensor>,
    count: number,
    cache: KeyValueCache,
  ): Promise<Partial<Record<Output, Float32Array>>> {
    cache.reserve(count);
    const { kvHeads, headWidth } = cache.shape;
    const past: Record<string, Tensor> = {};
    const present: Record<string, Tensor> = {};
    const { inputNames, outputNames } = this.#sessions[graph];
    const appends = outputNames.includes(ADDED[0]);
    for (const [i, table] of cache.tables.entries()) {
      const tensor = this.#floats(table, [cache.batch, kvHeads, cache.capacity, headWidth]);
      past[`past_${tableName(i)}`] = tensor;
      if (!appends) present[`present_${tableName(i)}`] = tensor;
    }
    const positions = inputNames.includes('positions') && { positions: this.#positions(cache, count) };
    const fed = { ...feeds, ...positions, past_length: this.#integers([cache.length], [1]), ...past };
    const outputs = await this.#sessions[graph].run(fed, {
      ...Object.fromEntries(wanted.map((name) => [name, null])),
      ...present,
      ...(appends && Object.fromEntries(ADDED.map((name) => [name, null]))),
    });
    const results = wanted.map((name) => [name, NumericalError.check(floats(outputs, name), name)] as const);
    const check = (rows: Float32Array) => void NumericalError.check(rows, 'keys and values');
    if (appends) {
      const [keys, values] = ADDED;
      cache.append(count, floats(outputs, keys), floats(outputs, values), check);
    } else {
      const tables = Object.keys(present).map((name) => floats(outputs, name));
      cache.advance(count, tables, check);
    }
    return Object.fromEntries(results);
  }

  /** Whether the top gives hidden keys: bundles made before there was a kNN cache do not. */
  get hasHiddenOutput(): boolean {
    return this.#told.length > 0;
  }

  /** What the top tells of its last states. */
  get #told(): readonly Output[] {
    return ([HIDDEN_KEYS, HIDDEN] as const).filter((name) => this.#sessions.top.outputNames.includes(name));
  }

  #shape(layers: number): CacheShape {
    const { kvHeads, headWidth } = this.#manifest.architecture;
    return { layers, kvHeads, headWidth };
  }

  /** Positions of the next tokens: after those that are cached, the same in each entry of a batch. */
  #positions({ length, batch }: KeyValueCache, count: number): Tensor {
    const row = Array.from({ length: count }, (_, i) => length + i);
    return this.#integers(Array.from({ length: batch }, () => row).flat(), [batch, count]);
  }

  #floats(data: Float32Array, shape: number[]): Tensor {
    return new this.#runtime.Tensor('float32', data, shape);
  }

  #integers(data: readonly number[], shape: number[]): Tensor {
    return new this.#runtime.Tensor('int64', BigInt64Array.from(data, BigInt), shape);
  }
}

export type Sessions = Record<'trunk' | 'top', InferenceSession> & { readonly evidence?: LateSession };

/** A graph that is opened when it is first wanted: coder's evidence graph takes 90 MB, and by default no step is taken. */
export class LateSession {
  #opening: Promise<InferenceSession> | undefined;
  /** Undefined until it was wanted. */
  opened: InferenceSession | undefined;

  constructor(private readonly open: () => Promise<InferenceSession>) {}

  /** @throws what opening it throws, each time */
  async session(): Promise<InferenceSession> {
    this.opened ??= await (this.#opening ??= this.open());
    return this.opened;
  }
}

/** Lets the event loop turn once, so that what has come in meanwhile is seen. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** How the graphs call the tables of a cache. */
function tableName(table: number): string {
  return `${table % 2 === 0 ? 'key' : 'value'}_${table >> 1}`;
}

function floats(output: InferenceSession.ReturnType, name: string): Float32Array {
  const data = output[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`the graph's output ${name} is not float32`);
  return data;
}
