import { openBundle, type Bundle } from '../model/bundle';
import { endTokens, type ThoughtSteps } from '../model/manifest';
import { bytesOfWindow, Decoder, isLarge, type Abortable } from '../model/decoder';
import { KeptWindows } from '../model/keptWindows';
import { MAX_STALE, RESTING_STALE } from '../model/suffixReuse';
import type { Products } from '../model/hiddenKeys';
import type { Graphs, ReadChunk } from '../model/graphs';
import { readChunk } from '../model/readChunk';
import { openProducts } from '../model/kernel/products';
import { LruMap } from '../model/lru';
import { openDevice, type DeviceReport, type DeviceSetting, type OpenedDevice } from '../model/providers';
import { loadRuntime, type Runtime } from '../model/runtime';
import { Serial } from '../model/serial';
import { groupEnds } from '../model/thoughtShape';
import { measureChunkTokens } from '../thought/calibrate';
import {
  collectEvidence,
  MAX_CHUNKS,
  MAX_EXTRA_CHUNKS,
  type Evidence,
  type EvidenceLimits,
  type EvidenceSource,
} from '../thought/evidence';
import { largestChanges, type TokenChange } from '../thought/changes';
import { Refinement, type EvidenceModel } from '../thought/refine';
import { followEvidence } from '../thought/followEvidence';
import { planUpdate, WARM_STEPS } from '../thought/store';
import { sampleThoughts, type SampledThought } from '../thought/sample';
import { priorThought, type Thought } from '../thought/thought';
import { SyntaxCheckers } from '../syntax/checker';
import type { WorkspaceMemory } from '../memory/workspace';
import { isBinary } from '../text';
import { aroundOf } from './around';
import { candidatesOf } from './candidates';
import { copyAt } from './copy';
import type { DecodeOptions } from './decodeOptions';
import { candidateOfRemote } from './remoteText';
import { generate, GREEDY, type Sampling, type Generation, type GeneratedToken } from './generate';
import { heal, type HealedPrompt } from './heal';
import type { AgreedCandidate, Candidate } from './hypothesis';
import { documentOf, type CompletionRequest } from './document';
import { LookupMemory } from './lookupMemory';
import { evidenceSources, wholeTexts } from './sources';
import { cursorContext, type CursorContext } from './stop';
import { Postprocessor } from './postprocess';
import { DEFAULTS, type CompletionOptions } from './options';
import type { CompletionResult, Suggested } from './results';
import { tokensOf } from './prepared';
import { cutWindow, RESERVE, type Window } from './window';

export type { CandidateReport, DeviceReport, DeviceSetting } from '../model/providers';
export type { Evidence } from '../thought/evidence';
export type { Refinement } from '../thought/refine';
export type { TokenChange } from '../thought/changes';
export type { Thought, ThoughtTrace } from '../thought/thought';
export type { Candidate } from './hypothesis';
export type { Stop } from './stop';
export type { CompletionRequest, SourceText } from './document';
export * from './options';
export type * from './results';

export interface EngineOptions {
  readonly device: DeviceSetting;
  /** Threads of one run; default: one for each physical core, at most four. */
  readonly threads?: number | undefined;
  /** Measure every device, the CPU included, even if there is nothing to choose (`doctor`). */
  readonly measureAll?: boolean | undefined;
  /** Windows whose caches are kept, as much memory as so many full ones take (default: 4). */
  readonly windows?: number | undefined;
  /** Evidence chunks as long as in training, however long a gradient takes: the same figures on every machine. */
  readonly trainedChunks?: boolean | undefined;
  readonly log?: ((line: string) => void) | undefined;
  /** ONNX Runtime, where it is not the one that is installed. */
  readonly runtime?: Runtime | undefined;
  /** Share of the loading that is done, 0 to 1, and what is being done. */
  readonly onProgress?: ((fraction: number, what: string) => void) | undefined;
}

/** p of a text by the n-gram cache alone from which it is shown before the decoder is asked: at 0.7 seven of ten are right. */
const SURE = { usual: 0.7, strict: 0.9 };

/** Windows whose caches are kept: as many bytes as so many full ones have. */
const KEPT_WINDOWS = 4;

/** Milliseconds for which texts are taken into the memory before other work may come between. */
const STRETCH_MS = 30;

/** Of a decoder that reads no thought. */
const NO_STEPS: ThoughtSteps = {
  features: 0,
  defaultSteps: 0,
  maxSteps: 1,
  stepSize: [[]],
  warmStepSize: [],
  priorPull: [[]],
  warmPriorPull: [],
  priorDeviation: [],
  posteriorDeviation: [],
};

/** Tokens that are told of a thought. */
const CHANGES = 12;

/** Evidence chunks that are kept as they were read; of a large decoder fewer are, since each takes most of a megabyte. */
const KEPT_CHUNKS = { small: 64, large: 24 };

/** Evidence chunks of one thought of a large decoder: each takes it seconds to read. */
const LARGE_CHUNKS = 8;

/** New chunks of one update, so that following an edit takes a tenth of what a thought takes from the beginning. */
const FRESH_CHUNKS = { small: { fresh: 2, freshExtra: 4 }, large: { fresh: 1, freshExtra: 0 } };

/**
 * A bundle at work: completions, thoughts and scores. It owns the ONNX sessions and their caches, and knows neither
 * editor nor process. Every model run blocks the event loop while it computes; between runs it turns.
 */
export class Engine {
  readonly bundle: Bundle;
  readonly device: DeviceReport;
  /** The prior as a thought. */
  readonly prior: Thought;
  /** Tokens of an evidence chunk: such that a gradient is short on this machine. */
  readonly chunkTokens: number;
  readonly #graphs: Graphs;
  readonly #opened: OpenedDevice;
  readonly #model: EvidenceModel;
  readonly #windows: KeptWindows<Decoder>;
  readonly #lookup: LookupMemory;
  readonly #checkers = new SyntaxCheckers();
  readonly #postprocessor: Postprocessor;
  /** Samples drawn from a thought's posterior, so that their caches serve again. */
  readonly #sampled = new WeakMap<Float32Array, SampledThought[]>();
  /** Work on a decoder's caches and on the memory happens one piece after the other. */
  readonly #serial = new Serial();

  private constructor(bundle: Bundle, opened: OpenedDevice, chunkTokens: number, products: Products, windows: number) {
    const { graphs, report } = opened;
    const windowBytes = bytesOfWindow(bundle.manifest);
    const make = () => new Decoder(graphs, bundle.manifest);
    this.#windows = new KeptWindows({ make, windowBytes, budget: windows * windowBytes });
    this.bundle = bundle;
    this.device = report;
    this.#opened = opened;
    this.chunkTokens = chunkTokens;
    this.prior = priorThought(bundle.prior);
    this.#graphs = graphs;
    this.#lookup = new LookupMemory(bundle, products);
    this.#postprocessor = new Postprocessor(bundle.manifest, this.#checkers);
    this.#model = rememberChunks(graphs, bundle);
  }

  /**
   * Opens a bundle: checks its files, chooses the device, loads the graphs.
   * @throws UserError in one line if the bundle or the runtime cannot be used
   */
  static async open(bundleDirectory: string, options: EngineOptions): Promise<Engine> {
    const { onProgress } = options;
    const bundle = await openBundle(bundleDirectory, (share) => onProgress?.(share * 0.5, 'checking the model files'));
    onProgress?.(0.5, 'choosing the device');
    const opened = await openDevice(options.runtime ?? (await loadRuntime()), bundle, options);
    onProgress?.(0.9, 'measuring');
    const trained = bundle.manifest.chunk.tokens;
    const { thought, specialTokens } = bundle.manifest;
    const measures = thought !== undefined && specialTokens !== undefined && !options.trainedChunks;
    const chunkTokens = measures ? await measureChunkTokens(opened.graphs, bundle) : trained;
    onProgress?.(1, `ready on ${opened.report.device}`);
    return new Engine(bundle, opened, chunkTokens, await openProducts(), options.windows ?? KEPT_WINDOWS);
  }

  /** What the laboratory measures with (`lab/engineMeasures.ts`): nothing that ships asks for it. */
  get internals(): EngineInternals {
    return {
      lookup: this.#lookup,
      postprocessor: this.#postprocessor,
      run: (work) => this.#serial.run(work),
      decoder: (request, maxStale) => this.#decoder(request.path, this.#window(request), maxStale),
      healedWindow: (request) => this.#healedWindow(request),
      samples: (thought, count) => this.#samples(thought, count),
      candidates: async (request, options) => {
        const thought = options.thought ?? (await this.#think(request, options));
        return this.#serial.run(() => this.#decode(request, options, thought));
      },
      copy: (request, cursor) => {
        const window = this.#window(request);
        return this.#copy(window, heal(window.prefix, this.bundle.tokenizer), cursor);
      },
    };
  }

  /** Files of the workspace that the lookup memory knows in addition to the open ones: none, unless they are put in. */
  get workspace(): WorkspaceMemory {
    return this.#lookup.workspace;
  }

  /** Memory that windows hold which have been read, in bytes. */
  get windowBytes(): number {
    return this.#windows.bytes;
  }

  /** Whether the bundle has weights for the lookup memory, without which nothing is looked up. */
  get hasMemoryWeights(): boolean {
    return this.bundle.manifest.memory !== undefined;
  }

  /** Whether the decoder reads a thought; without one nothing is refined. */
  get readsThought(): boolean {
    return this.bundle.manifest.thought !== undefined;
  }

  /** Steps that pay with this model, unless the user wants others. */
  get defaultSteps(): number {
    return this.bundle.manifest.thought?.defaultSteps ?? 0;
  }

  /** Whether the decoder reads what follows in the cursor's line, and knows how sure it is of what it writes before that. */
  get infills(): boolean {
    const { prompt, confidence } = this.bundle.manifest;
    return prompt?.style === 'prefix-suffix-middle' && confidence !== undefined;
  }

  /** Completes at the cursor. Aborting ends it after the run at hand. */
  async complete(request: CompletionRequest, options: CompletionOptions): Promise<CompletionResult> {
    const start = performance.now();
    const thought = options.thought ?? (await this.#think(request, options));
    const { candidates, partial, read } = await this.#serial.run(() => this.#decode(request, options, thought));
    return {
      ...(await this.#postprocessor.postprocess(request, candidates, options)),
      ...(partial && { partial }),
      read,
      written: Array.isArray(candidates) ? (candidates[0]?.tokens.length ?? 0) : 0,
      milliseconds: performance.now() - start,
      thought: thought.trace,
    };
  }

  /**
   * Writes at the cursor, a token each `next()`, as it comes: neither fitted to what follows nor withheld. Nothing else is
   * written meanwhile, so whoever stops early has to say so (`return()`).
   */
  async *generate(request: CompletionRequest, options: GenerateOptions): AsyncGenerator<GeneratedToken, Generation> {
    const document = documentOf(request);
    const { prefix, suffix } = document;
    if (isBinary(prefix) || isBinary(suffix)) return { text: '', stop: 'none' };
    const { bundle } = this;
    const { tokenizer, manifest } = bundle;
    const { maxTokens, thought = this.prior, signal } = options;
    const release = await this.#serial.hold();
    try {
      const window = cutWindow(document, tokenizer, manifest, Math.max(RESERVE, maxTokens));
      const { head } = window;
      const around = aroundOf(window, tokenizer);
      const healed = heal(window.prefix, tokenizer);
      const decoder = this.#decoder(options.reader ?? request.path, window, 0);
      if (this.#lookup.fitted) this.#lookup.show(document, window.prefix.length - healed.tokens.length);
      const mix = this.#lookup.mix(true, { decoder, datastore: thought.datastore });
      const checker = options.maxLines > 1 ? await this.#checkers.of(request.path) : undefined;
      const cursor = cursorContext(prefix, suffix, options.maxLines, checker?.unit(prefix, suffix));
      const continued = { decoder, tokenizer, thought, head, healed, around, mix };
      const { sampling = GREEDY, top = 0 } = options;
      const limits = { maxTokens, sampling, top, signal, endTokens: endTokens(manifest), cursor };
      return yield* generate(continued, limits);
    } finally {
      release();
    }
  }

  /**
   * What the n-gram cache alone is sure of at the cursor, up to the end of the line: no decoder is asked. Only where a large
   * decoder takes its time; undefined where the cache is not sure, and for others.
   * @param limit p from which it is sure (default: by the confidence that is asked for)
   */
  async early(request: CompletionRequest, options: CompletionOptions, limit?: number): Promise<Early | undefined> {
    const { tokenizer, manifest } = this.bundle;
    const { memory = DEFAULTS.memory, memoryDeadlineMs = Infinity, confidence } = options;
    const document = documentOf(request);
    const { prefix, suffix } = document;
    if (!memory || !this.#lookup.fitted || !isLarge(manifest) || isBinary(prefix) || isBinary(suffix)) return undefined;
    const window = cutWindow(document, tokenizer, manifest);
    const healed = heal(window.prefix, tokenizer);
    const found = await this.#serial.run(() => {
      this.#lookup.show(document, window.prefix.length - healed.tokens.length, performance.now() + memoryDeadlineMs);
      const copy = this.#copy(window, healed, cursorContext(prefix, suffix, 1));
      const around = aroundOf(window, tokenizer);
      const written = (count: number) => around.context([...healed.tokens, ...(copy?.tokens.slice(0, count) ?? [])]);
      return Promise.resolve(copy && { copy, probability: this.#lookup.probability(copy.tokens, written) });
    });
    if (!found || found.probability < (limit ?? SURE[confidence === 'strict' ? 'strict' : 'usual'])) return undefined;
    const shown = { ...options, confidence: 'off', syntaxCheck: false } as const;
    const { text, replaceSuffix } = await this.#postprocessor.postprocess(
      request,
      [{ ...found.copy, agreement: 1 }],
      shown,
    );
    return text === '' ? undefined : { text, replaceSuffix, probability: found.probability };
  }

  /**
   * A refinement of the thought on the text outside the window, one ONNX run for each `advance()`.
   * @param options.from a thought from before an edit: only what changed is evaluated, and `steps` are warm ones
   * @param options.prior where it begins, and what every step is pulled toward: the prior, or a thought of the workspace
   */
  refinement(request: CompletionRequest, options: RefinementStart): Refinement {
    return this.#refine(this.evidence(request, options.chunks), options);
  }

  /**
   * A refinement by which a thought follows an edit: warm steps on what changed, or `steps` steps again where most of it
   * did. Undefined if the evidence is what it was.
   * @param prior what the steps are pulled toward, as in `refinement`
   */
  follow(
    request: CompletionRequest,
    before: Thought | undefined,
    steps: number,
    prior?: Thought,
  ): { refinement: Refinement; kind: 'warm' | 'cold' } | undefined {
    const known = before?.gradients.size ? before : undefined;
    const evidence = known ? this.#followed(request, known) : this.evidence(request);
    const kind = planUpdate(before, evidence);
    if (kind === 'none' && before) return undefined;
    if (kind !== 'warm') {
      // What follows keeps to chunks as they were cut; what begins anew is cut anew.
      const anew = known ? this.evidence(request) : evidence;
      return { refinement: this.#refine(anew, { steps, prior }), kind: 'cold' };
    }
    return { refinement: this.#refine(evidence, { steps: Math.min(WARM_STEPS, steps), from: before, prior }), kind };
  }

  /** The best thought of a refinement so far. */
  thought(refinement: Refinement): Thought {
    return refinement.result();
  }

  /**
   * The tokens that a thought makes more or less likely at the cursor, by decoder and thought alone; one ONNX run for each
   * `next()`.
   */
  async *changes(request: CompletionRequest, thought: Thought): AsyncGenerator<void, TokenChange[]> {
    const choose = () => Promise.resolve(this.#decoder(request.path, this.#window(request), RESTING_STALE));
    const decoder = await this.#serial.run(choose);
    const window = this.#healedWindow(request);
    const logits: Float32Array[] = [];
    for (const one of [this.prior, thought]) {
      const runs = decoder.fill(window, one, window.length - 1);
      while (!(await this.#serial.run(() => runs.next())).done) yield;
      logits.push((await this.#serial.run(() => decoder.logits(window, one))).slice());
      yield;
    }
    const [before, after] = logits as [Float32Array, Float32Array];
    return largestChanges(before, after, CHANGES, this.bundle.tokenizer);
  }

  /**
   * What a refinement of this request would rest on.
   * @param chunks whose gradients are taken, at most (default: as many as the decoder has time for)
   */
  evidence(request: CompletionRequest, chunks?: number): Evidence {
    const { manifest, tokenizer } = this.bundle;
    const sources = this.#sources(request)?.sources ?? [];
    return collectEvidence(sources, tokenizer, manifest, this.#evidenceLimits(chunks));
  }

  /** The same of a thought that follows what has changed. */
  #followed(request: CompletionRequest, before: Thought): Evidence {
    const { manifest, tokenizer } = this.bundle;
    const found = this.#sources(request);
    if (!found) return collectEvidence([], tokenizer, manifest, this.#evidenceLimits());
    const limits = { ...this.#evidenceLimits(), ...(isLarge(manifest) ? FRESH_CHUNKS.large : FRESH_CHUNKS.small) };
    return followEvidence(before, wholeTexts(found.request), found.sources, tokenizer, manifest, limits);
  }

  /** What stands outside the window, and the request with all its files; undefined where nothing counts. */
  #sources(request: CompletionRequest): { sources: EvidenceSource[]; request: CompletionRequest } | undefined {
    const document = documentOf(request);
    const { manifest, tokenizer } = this.bundle;
    if (!manifest.thought || isBinary(document.prefix) || isBinary(document.suffix)) return undefined;
    const related = [...document.related, ...this.#lookup.neighbours(document)];
    const all = { ...document, related };
    return { sources: evidenceSources(all, cutWindow(document, tokenizer, manifest)), request: all };
  }

  /** @param chunks as in `evidence` */
  #evidenceLimits(chunks?: number): EvidenceLimits {
    const { manifest } = this.bundle;
    return {
      tokens: this.chunkTokens,
      count: chunks ?? (isLarge(manifest) ? LARGE_CHUNKS : MAX_CHUNKS),
      // More is read only for the kNN cache.
      extraChunks: manifest.knn || manifest.memory?.knn ? MAX_EXTRA_CHUNKS : 0,
    };
  }

  /**
   * Fills the caches of the request's window for a thought, one ONNX run for each `next()`; a completion with that
   * thought then only has to decode. Until then the thought before serves with its own caches.
   * @param options.memory whether the texts around the cursor are taken into the memory, too, a stretch at a time
   */
  async *prepare(
    request: CompletionRequest,
    thought: Thought,
    { memory = DEFAULTS.memory }: { memory?: boolean } = {},
  ): AsyncGenerator<void, void> {
    const document = documentOf(request);
    const takeIn = () => Promise.resolve(this.#lookup.show(document, 0, performance.now() + STRETCH_MS));
    if (memory && this.#lookup.fitted) while (!(await this.#serial.run(takeIn))) yield;
    // What is loaded once is loaded before somebody waits for a suggestion.
    await this.#checkers.of(request.path);
    const choose = () => Promise.resolve(this.#decoder(request.path, this.#window(request), RESTING_STALE));
    const decoder = await this.#serial.run(choose);
    const runs = decoder.fill(this.#healedWindow(request), thought);
    while (!(await this.#serial.run(() => runs.next())).done) yield;
  }

  /** Whether a request's window goes on from another's, so that the caches of the one before stay. */
  extendsWindow(before: CompletionRequest, request: CompletionRequest): boolean {
    const [one, other] = [this.#healedWindow(before), this.#healedWindow(request)];
    return other.length > one.length && one.every((token, i) => token === other[i]);
  }

  /**
   * Tokens that would have to be read for an automatic suggestion.
   * @param resting whether nobody types: then less of what has been read serves
   */
  unread(request: CompletionRequest, resting = false): number {
    const { parts } = this.#window(request);
    const tokens = this.#healedWindow(request);
    return tokens.length - this.#windows.overlap(request.path, { tokens, parts }, resting ? RESTING_STALE : MAX_STALE);
  }

  /** Tokens of the window on either side of the cursor. */
  window(request: CompletionRequest): { prefixTokens: number; suffixTokens: number } {
    const { prefix, context, suffixTokens } = this.#window(request);
    return { prefixTokens: context.length + prefix.length, suffixTokens };
  }

  /** Whether the device is another than the CPU, which computed the same first. */
  get verifiable(): boolean {
    return this.#opened.verify !== undefined;
  }

  /** What is wrong with what the device computes by now, if anything is: some short runs, compared with the CPU's at opening. */
  async verify(): Promise<string | undefined> {
    return this.#opened.verify?.();
  }

  async close(): Promise<void> {
    await this.#serial.run(() => this.#graphs.release());
  }

  #refine(evidence: Evidence, { steps, from, prior = this.prior }: RefinementStart): Refinement {
    const { manifest } = this.bundle;
    // Without a thought there is no evidence, so no step is taken.
    const constants = manifest.thought ?? NO_STEPS;
    const { width } = manifest.architecture;
    const shape = { groupEnds: groupEnds(manifest), width };
    return new Refinement(this.#model, evidence, { steps, from, prior, constants, ...shape });
  }

  async #think(request: CompletionRequest, options: CompletionOptions): Promise<Thought> {
    const refinement = this.refinement(request, { steps: options.steps ?? this.defaultSteps, prior: options.prior });
    while (!options.signal?.aborted && (await refinement.advance()));
    return refinement.result();
  }

  async #decode(request: CompletionRequest, options: CompletionOptions, thought: Thought): Promise<Decoded> {
    const document = documentOf(request);
    if (isBinary(document.prefix) || isBinary(document.suffix)) return { candidates: 'the file is binary', read: 0 };
    if (options.signal?.aborted) return { candidates: undefined, read: 0 };
    const { tokenizer, manifest } = this.bundle;
    const window = cutWindow(document, tokenizer, manifest);
    const healed = heal(window.prefix, tokenizer);
    const memory = options.memory ?? DEFAULTS.memory;
    const recalls = memory && this.#lookup.fitted;
    const deadline = performance.now() + (options.memoryDeadlineMs ?? Infinity);
    const complete = !recalls || this.#lookup.show(document, window.prefix.length - healed.tokens.length, deadline);
    const checker = options.maxLines > 1 && (options.units ?? true) ? await this.#checkers.of(request.path) : undefined;
    const { prefix, suffix } = document;
    const cursor = cursorContext(prefix, suffix, options.maxLines, checker?.unit(prefix, suffix));
    if (options.written) return { candidates: [candidateOfRemote(options.written, cursor)], read: 0 };
    const decoder = this.#decoder(request.path, window, options.exact === false ? MAX_STALE : 0, options.prefetch);
    const { datastore } = thought;
    const mix = this.#lookup.mix(memory, options.knn === false ? undefined : { decoder, datastore });
    const alternatives = options.alternatives ?? 0;
    const draft = recalls && (options.drafts ?? this.#graphs.batchingIsCheap) ? this.#lookup.draft : undefined;
    const ensemble = {
      decoder,
      tokenizer,
      thoughts: this.#samples(thought, Math.max(options.samples ?? 1, alternatives)),
      head: window.head,
      healed,
      around: aroundOf(window, tokenizer),
      mix,
    };
    const read = decoder.unread(tokensOf(ensemble), thought);
    // What several thoughts write is judged as a whole.
    const single = ensemble.thoughts.length === 1;
    const decoding: DecodeOptions = {
      cursor,
      width: options.candidates,
      distinctFirstTokens: alternatives > 1,
      maxTokens: RESERVE,
      endTokens: endTokens(manifest),
      draft,
      minLogprob: single ? this.#postprocessor.minLogprob(options) : undefined,
      signal: options.signal,
      timeBudget: options.timeBudget,
    };
    // Among alternatives is the memory's own text, too, which depends on no thought.
    const copy = recalls && alternatives > 1 ? this.#copy(window, healed, cursor) : undefined;
    const candidates = await candidatesOf(ensemble, decoding, copy);
    return { candidates, read, ...(!complete && { partial: true }) };
  }

  /** How the text goes on after the longest match of its end in what has been shown to the memory. */
  #copy(window: Window, healed: HealedPrompt, cursor: CursorContext): Candidate | undefined {
    const { tokenizer, manifest } = this.bundle;
    const around = aroundOf(window, tokenizer);
    const find = (written: readonly number[]) => this.#lookup.longestMatch(around.context(written), RESERVE);
    return copyAt(find, window.prefix, healed, tokenizer, { endTokens: endTokens(manifest), cursor });
  }

  #window(request: CompletionRequest): Window {
    return cutWindow(documentOf(request), this.bundle.tokenizer, this.bundle.manifest);
  }

  /** The window as a completion reads it: without the tokens that healing takes back. */
  #healedWindow(request: CompletionRequest): number[] {
    const { head, prefix } = this.#window(request);
    return [...head, ...heal(prefix, this.bundle.tokenizer).tokens];
  }

  #samples(thought: Thought, count: number): SampledThought[] {
    const known = this.#sampled.get(thought.mu);
    // The first of many are those of few: nothing is drawn again, and no cache is lost, where the number changes.
    if (known && known.length >= count) return known.slice(0, count);
    const { manifest } = this.bundle;
    // A decoder that reads no thought writes the same under each.
    if (!manifest.thought) return Array.from({ length: count }, () => thought);
    const drawn = sampleThoughts(thought, manifest.thought.posteriorDeviation, groupEnds(manifest), count);
    this.#sampled.set(thought.mu, drawn);
    return drawn;
  }

  /**
   * What reads a window: where most of it has been read.
   * @param key whose windows are its own: the path, or a user and a path
   * @param maxStale as `Decoder.arrange` has it
   * @param prefetch as `KeptWindows.of` has it
   */
  #decoder(key: string, { head, prefix, parts }: Window, maxStale: number, prefetch = false): Decoder {
    const decoder = this.#windows.of(key, { tokens: [...head, ...prefix], parts }, maxStale, prefetch);
    if (parts) decoder.arrange(head, parts, maxStale);
    return decoder;
  }
}

/** Parts of an engine, and steps of what it does. */
export interface EngineInternals {
  readonly lookup: LookupMemory;
  readonly postprocessor: Postprocessor;
  /** Does work on caches and memory after whatever is under way. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  /** What reads the window of a request. @param maxStale as `Decoder.arrange` has it */
  decoder(request: CompletionRequest, maxStale: number): Decoder;
  /** The window as a completion reads it. */
  healedWindow(request: CompletionRequest): number[];
  /** Thoughts drawn from the posterior. */
  samples(thought: Thought, count: number): SampledThought[];
  /** Candidates as they were written. */
  candidates(request: CompletionRequest, options: CompletionOptions): Promise<Decoded>;
  /** What went on after the longest match, as far as it has been shown to the memory. */
  copy(request: CompletionRequest, cursor: CursorContext): Candidate | undefined;
}

export interface GenerateOptions {
  readonly maxTokens: number;
  /** As in `CompletionOptions`. */
  readonly maxLines: number;
  /** Default: the most probable token each time. */
  readonly sampling?: Sampling | undefined;
  /** How many of the most probable tokens are told at each place (default: none). */
  readonly top?: number | undefined;
  /** Default: the prior. */
  readonly thought?: Thought | undefined;
  /** Whose caches are used: one window for each (default: the path). */
  readonly reader?: string | undefined;
  readonly signal?: Abortable | undefined;
}

/** What the n-gram cache is sure of. */
interface Early extends Suggested {
  /** p by the cache alone. */
  readonly probability: number;
}

interface RefinementStart {
  readonly steps: number;
  readonly from?: Thought | undefined;
  readonly prior?: Thought | undefined;
  /** Chunks of evidence at most; default: as many as the decoder has time for. */
  readonly chunks?: number | undefined;
}

/** The evidence graph with the last chunks kept as they were read: that does not depend on z. */
function rememberChunks(graphs: Graphs, { manifest, prior }: Bundle): EvidenceModel {
  const chunks = new LruMap<string, ReadChunk>(isLarge(manifest) ? KEPT_CHUNKS.large : KEPT_CHUNKS.small);
  return {
    remembered: (chunk) => chunks.get(chunk.key),
    async *read({ key, inputs, targets }) {
      const read = yield* readChunk(graphs, inputs, targets, prior);
      chunks.set(key, read);
      return read;
    },
    evaluate: (chunk, read, z) => graphs.evidence(read, chunk.weights, z),
    async hiddenKeys({ inputs }, z) {
      const cache = graphs.topCache(1, inputs.length);
      await graphs.top(await graphs.trunk(inputs), z, 1, cache);
      return cache.hiddenKeys?.slice();
    },
  };
}

/** Candidates; or the reason why there are none; or undefined if it was aborted. */
interface Decoded {
  readonly candidates: AgreedCandidate[] | string | undefined;
  readonly read: number;
  readonly partial?: true;
}
