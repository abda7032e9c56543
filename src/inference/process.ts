import { DEFAULTS, type Engine } from '../completion/engine';
import { messageOf, NumericalError } from '../model/errors';
import { LruMap } from '../model/lru';
import { ThoughtStore } from '../thought/store';
import type { Thought } from '../thought/thought';
import { now, usage, type CompletionRequest, type FromInference, type ToInference } from './messages';
import { Indexer } from './indexer';
import { WorkQueue, type Work } from './queue';
import { ThoughtKeeper } from './thoughtKeeper';

/** Only one suggestion is prefetched at a time: newer work supersedes it, whichever document it is about. */
const PREFETCH = '';

/** Key of the check of the device: no document has it. */
const VERIFICATION = '';

type Message<T extends ToInference['type']> = Extract<ToInference, { type: T }>;

/** After so many suggestions the device is asked whether it still computes what the CPU does. */
const VERIFY_EVERY = 256;

/**
 * For this long after an automatic suggestion no gradient run begins: whoever types on would wait for it. A thought
 * under way goes on in the pauses, and one that is asked for now goes on at once.
 */
const REST_MS = 150;

/** Tokens that are read at most for a suggestion that nobody may ask for, where its window is another one. */
const PREFETCH_TOKENS = 128;

/** For this long an automatic suggestion waits until texts are in the memory; the rest comes in at idle. */
const MEMORY_DEADLINE_MS = 30;

/**
 * The engine behind a queue: what the inference process does once its model is loaded. It keeps the thought that serves
 * for each document. A new one takes its place when its caches are filled, all at once: until then the one before serves
 * with its own caches.
 */
export class InferenceService {
  readonly #engine: Engine;
  readonly #send: (message: FromInference) => void;
  readonly #queue = new WorkQueue();
  readonly #thoughts = new ThoughtStore();
  /** The newest text of the documents used last, for which caches are worth filling; each brings all that is open along. */
  readonly #latest = new LruMap<string, CompletionRequest>(4);
  readonly #signals = new Map<number, { aborted: boolean }>();
  /** Whether suggestions use the memory, as far as is known. */
  #memory: boolean = DEFAULTS.memory;
  #decoded = 0;
  /** When the last gradient runs began and ended (`now`). */
  #runs: { readonly begin: number; readonly end: number }[] = [];
  #indexer: Indexer | undefined;
  #keeper: ThoughtKeeper | undefined;
  /** What the thought about a document began with, where that is the workspace's. */
  readonly #starts = new LruMap<string, Thought>(16);

  constructor(engine: Engine, send: (message: FromInference) => void) {
    this.#engine = engine;
    this.#send = send;
  }

  receive(message: ToInference): void {
    switch (message.type) {
      case 'complete':
        // A prefetch, about whichever document, makes way at its next token.
        this.#queue.drop('prefetch', PREFETCH);
        if (message.prefetch) this.#queue.push(this.#prefetching(message));
        else {
          this.#latest.set(message.uri, message.request);
          this.#queue.push(this.#decoding(message));
        }
        break;
      case 'abort': {
        const signal = this.#signals.get(message.id);
        if (signal) signal.aborted = true;
        break;
      }
      case 'think':
        this.#latest.set(message.uri, message.request);
        this.#queue.hold('refine', 0);
        this.#queue.push(this.#thinking(message));
        break;
      case 'changes':
        this.#queue.push(this.#changes(message));
        break;
      case 'forget':
        this.#latest.delete(message.uri);
        this.#thoughts.delete(message.uri);
        this.#starts.delete(message.uri);
        this.#queue.drop('refine', message.uri);
        break;
      case 'usage':
        this.#send({ type: 'usage', id: message.id, ...usage() });
        break;
      case 'workspace': {
        const { folders, endings, storage } = message;
        void this.#workspaceThought().open(storage);
        // A model whose weights for the memory were not fitted would look nothing up.
        if (this.#engine.hasMemoryWeights)
          void (this.#indexer ??= this.#newIndexer()).index({ folders, endings, storage });
        break;
      }
      case 'changed':
        void this.#indexer?.changed(message.paths);
        break;
      case 'cancelIndexing':
        this.#indexer?.stop();
        break;
      case 'open':
        break;
    }
  }

  #newIndexer(): Indexer {
    const { workspace: memory, bundle } = this.#engine;
    return new Indexer({
      memory,
      tokenizer: bundle.tokenizer,
      checksum: bundle.manifest.files.tokenizer.sha256,
      turn: (slice) =>
        new Promise((resolve, reject) => {
          this.#queue.push({
            lane: 'index',
            key: '',
            advance: () => {
              const more = slice();
              if (!more) resolve();
              return Promise.resolve(more);
            },
            dropped: (error) => reject(error instanceof Error ? error : new Error('superseded')),
          });
        }),
      log: (line) => this.#send({ type: 'log', line }),
      progress: (progress) => this.#send({ type: 'indexing', progress }),
    });
  }

  /** @param isPrefetch as the engine's options have it */
  #decoding(
    { id, uri, request, options: asked, sentAt, prefetch }: Message<'complete'>,
    isPrefetch = () => false,
  ): Work {
    const signal = { aborted: false };
    const arrived = now();
    this.#signals.set(id, signal);
    return {
      lane: 'decode',
      key: uri,
      advance: async () => {
        const waitedFor = this.#runs.filter(({ end }) => end > sentAt);
        const refinementRunsWaited = waitedFor.length;
        const refinementRunsAhead = waitedFor.filter(({ begin }) => begin > arrived).length;
        const { suggestionOptions, invoked, thinks = false, ...rest } = asked;
        const own = this.#thoughts.get(uri);
        const prior = thinks ? this.#startOf(uri, request.path) : undefined;
        const thought = own ?? prior ?? this.#engine.prior;
        // The time that the request has waited counts.
        const waited = now() - sentAt;
        const timeBudget = asked.timeBudget === undefined ? undefined : Math.max(0, asked.timeBudget - waited);
        const memoryDeadlineMs = invoked ? Infinity : MEMORY_DEADLINE_MS;
        this.#memory = suggestionOptions.memory ?? DEFAULTS.memory;
        // A manually triggered suggestion is shown, however sure the model is.
        const confidence = invoked ? 'off' : suggestionOptions.confidence;
        const exact = invoked;
        const base = { steps: 0, candidates: DEFAULTS.candidates, memoryDeadlineMs, exact, signal, thought, prior };
        const options = { ...base, prefetch: isPrefetch(), ...rest, ...suggestionOptions, confidence, timeBudget };
        const early = invoked || prefetch ? undefined : await this.#engine.early(request, options);
        if (early && !signal.aborted) {
          const { text, replaceSuffix } = early;
          this.#send({ type: 'early', id, text, replaceSuffix });
        }
        const result = await this.#engine.complete(request, options);
        if (!invoked && !prefetch) this.#queue.hold('refine', REST_MS);
        this.#signals.delete(id);
        const window = this.#engine.window(request);
        const circumstances = { thought: own?.version ?? 0, window, refinementRunsWaited, refinementRunsAhead };
        this.#send({ type: 'completed', id, result, ...circumstances });
        if (++this.#decoded % VERIFY_EVERY === 0) this.#queue.push(this.#verifying());
        return false;
      },
      dropped: (error) => {
        this.#signals.delete(id);
        this.#decline(id, error);
      },
    };
  }

  /**
   * The suggestion that may be wanted next. Where its window goes on from the one that is there now, it is read in it;
   * another one is read next to it, if little of it has to be read.
   */
  #prefetching(message: Message<'complete'>): Work {
    const { id, uri, request } = message;
    const extendsLatest = () => {
      const now = this.#latest.get(uri);
      return now !== undefined && this.#engine.extendsWindow(now, request);
    };
    const decoding = this.#decoding(message, () => !extendsLatest());
    const signal = this.#signals.get(id);
    return {
      lane: 'prefetch',
      key: PREFETCH,
      advance: async () => {
        if (extendsLatest() || this.#engine.unread(request) <= PREFETCH_TOKENS) return decoding.advance();
        this.#signals.delete(id);
        this.#send({ type: 'declined', id, reason: 'too much would have to be read' });
        return false;
      },
      dropped: (error) => {
        if (signal) signal.aborted = true;
        decoding.dropped(error);
      },
    };
  }

  #thinking(message: Message<'think'>): Work {
    const { id, uri } = message;
    const runs = this.#think(message);
    return {
      lane: 'refine',
      key: uri,
      advance: async () => {
        const begin = now();
        const { done } = await runs.next();
        this.#runs = [...this.#runs.slice(-31), { begin, end: now() }];
        return !done;
      },
      dropped: (error) => {
        this.#decline(id, error);
      },
    };
  }

  /** What the thought that serves changes at the cursor, for whoever looks at it. */
  #changes({ id, uri }: Message<'changes'>): Work {
    let runs: ReturnType<Engine['changes']> | undefined;
    return {
      lane: 'inspect',
      key: uri,
      advance: async () => {
        // The thought that serves when its turn has come.
        const [thought, request] = [this.#thoughts.get(uri), this.#latest.get(uri)];
        if (thought && request) runs ??= this.#engine.changes(request, thought);
        const { done, value } = runs ? await runs.next() : { done: true, value: [] };
        if (done) this.#send({ type: 'changes', id, changes: value ?? [] });
        return !done;
      },
      dropped: (error) => this.#decline(id, error),
    };
  }

  /** One short run for each `next()`: gradients, then the caches of the new thought; then it serves. */
  async *#think({ id, uri, request, mode, steps: wanted }: Message<'think'>): AsyncGenerator<void, void> {
    const engine = this.#engine;
    const before = this.#thoughts.get(uri);
    const prior = wanted > 0 ? this.#startOf(uri, request.path) : undefined;
    if (mode === 'prepare' || !engine.readsThought) {
      // What is at rest is read all the same, so that the next suggestion only has to be written.
      const serving = before ?? prior ?? engine.prior;
      yield* engine.prepare(this.#latest.get(uri) ?? request, serving, { memory: this.#memory });
      this.#send({ type: 'thought', id, uri });
      return;
    }
    const update =
      mode === 'cold'
        ? { refinement: engine.refinement(request, { steps: wanted, prior }), kind: 'cold' as const }
        : engine.follow(request, before, wanted, prior);
    if (!update) {
      this.#send({ type: 'thought', id, uri });
      return;
    }
    const { refinement, kind } = update;
    let told = -1;
    do {
      const { step, steps } = refinement.progress;
      if (step > told) this.#send({ type: 'thinking', uri, step, steps });
      told = step;
      yield;
    } while (await refinement.advance());

    const thought = engine.thought(refinement);
    const filling = engine.prepare(this.#latest.get(uri) ?? request, thought, { memory: this.#memory });
    while (!(await filling.next()).done) yield;
    this.#thoughts.set(uri, thought);
    this.#workspaceThought().add(request.path, thought);
    const { version, trace } = thought;
    const startedFrom = prior ? 'workspace' : 'prior';
    this.#send({ type: 'thought', id, uri, publication: { version, trace, kind, startedFrom } });
  }

  /** What the thought about a document begins with, if that is not the prior: the same for as long as it is open. */
  #startOf(uri: string, path: string): Thought | undefined {
    const start =
      this.#starts.get(uri) ?? (this.#thoughts.get(uri) ? undefined : this.#workspaceThought().startFor(path));
    if (start) this.#starts.set(uri, start);
    return start;
  }

  #workspaceThought(): ThoughtKeeper {
    const { bundle, prior } = this.#engine;
    const log = (line: string) => this.#send({ type: 'log', line });
    const { sha256: model } = bundle.manifest.files.weights;
    return (this.#keeper ??= new ThoughtKeeper({ model, length: prior.mu.length, log }));
  }

  /** At idle: devices have been seen to go wrong after a driver's update, or after the machine has slept. */
  #verifying(): Work {
    return {
      lane: 'refine',
      key: VERIFICATION,
      advance: async () => {
        const mismatch = await this.#engine.verify();
        if (mismatch !== undefined) this.#send({ type: 'deviceMismatch', reason: mismatch });
        return false;
      },
      dropped: () => undefined,
    };
  }

  #decline(id: number, error: unknown): void {
    if (error instanceof NumericalError && this.#engine.verifiable) {
      this.#send({ type: 'deviceMismatch', reason: error.message });
    }
    const reason = error === undefined ? 'superseded by newer work' : `the model failed: ${messageOf(error)}`;
    this.#send({ type: 'declined', id, reason });
  }
}
