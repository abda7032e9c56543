import type { HiddenKeyRows, DatastoreEntry } from '../model/hiddenKeys';
import type { EvidenceOutput, ReadChunk } from '../model/graphs';
import type { ThoughtSteps } from '../model/manifest';
import { quantiseRows } from '../model/quantisedRows';
import type { Chunk, Evidence } from './evidence';
import { addGradient, addRounded, coldRule, kullbackLeibler, sharesOf, step, warmRule } from './posterior';
import { nextVersion, type ChunkGradient, type Thought } from './thought';

/** What refinement asks of the model; each call is one run, except where the answer is remembered. */
export interface EvidenceModel {
  /** A chunk as it was read, if that is remembered. */
  remembered(chunk: Chunk): ReadChunk | undefined;
  /** Reads a chunk, one run for each `next()`. */
  read(chunk: Chunk): AsyncGenerator<void, ReadChunk>;
  /**
   * Summed NLL of a chunk in nats under z, its gradient with respect to z, valid until the next call, and the hidden
   * keys of its rows, if the graph gives them.
   */
  evaluate(chunk: Chunk, read: ReadChunk, z: Float32Array): Promise<EvidenceOutput>;
  /** Hidden keys of a chunk under z, a row for each of its inputs; undefined where the graph gives none. */
  hiddenKeys(chunk: Chunk, z: Float32Array): Promise<HiddenKeyRows | undefined>;
}

export interface RefinementOptions {
  /** Gradient steps, 0 or more. */
  readonly steps: number;
  /** The prior: where a cold refinement starts, and what every step is pulled toward. */
  readonly prior: Thought;
  readonly constants: ThoughtSteps;
  /** Where each group of z ends, and of how many numbers its vectors are. */
  readonly groupEnds: readonly number[];
  readonly width: number;
  /** The posterior before an edit: only chunks that it does not know are evaluated, and the steps are warm ones. */
  readonly from?: Thought | undefined;
}

/** How much more a token counts that stands in what the user changed recently. */
const EDITED_WEIGHT = 2;

/** Steps in a row that the validation NLL may stay above its best before refinement stops. */
const EARLY_STOP_PATIENCE = 2;

/**
 * Posterior refinement: gradient steps of z on the evidence, one ONNX run at a time, so that decoding can come between.
 *
 * Validation chunks decide on each step (the evidence itself where there are none): the best z is kept, the z it
 * started from included, and after two steps in a row above the best it stops. A step whose gradient or result is not
 * finite is not taken.
 */
export class Refinement {
  readonly #model: EvidenceModel;
  readonly #chunks: readonly Chunk[];
  readonly #evidence: readonly Chunk[];
  readonly #coverage: number;
  readonly #options: RefinementOptions;
  readonly #runs: AsyncGenerator<void, void>;
  readonly #known = new Map<string, ChunkGradient>();
  /** Extra chunks that are not in the datastore yet, and the entries of those that are. */
  readonly #toEmbed: readonly Chunk[];
  readonly #extraEntries = new Map<string, DatastoreEntry>();
  readonly #curves = { nll: [] as number[], heldOut: [] as number[], kl: [] as number[] };
  #best: { mu: Float32Array; at: number; known: ReadonlyMap<string, ChunkGradient> } | undefined;
  #taken = { runs: 0, milliseconds: 0 };
  #result: Thought | undefined;

  constructor(model: EvidenceModel, evidence: Evidence, options: RefinementOptions) {
    this.#model = model;
    // A thought without gradients is a prior: there is nothing that warm steps could build on.
    const from = options.from?.gradients.size ? options.from : undefined;
    this.#options = { ...options, from };
    this.#coverage = evidence.coverage;
    // After an edit, a chunk that was there before keeps its part, and a new one guides.
    const before = from?.gradients;
    this.#chunks = before
      ? evidence.chunks.map((chunk) => ({ ...chunk, heldOut: before.get(chunk.key)?.heldOut ?? false }))
      : evidence.chunks;
    for (const chunk of this.#chunks) {
      const gradient = before?.get(chunk.key);
      if (gradient) this.#known.set(chunk.key, gradient);
    }
    for (const { key } of evidence.extraChunks) {
      const entry = from?.extraEntries.get(key) ?? from?.gradients.get(key)?.entry;
      if (entry) this.#extraEntries.set(key, entry);
    }
    this.#evidence = [...this.#chunks, ...evidence.extraChunks];
    this.#toEmbed = evidence.extraChunks.filter(({ key }) => !this.#extraEntries.has(key));
    this.#runs = this.#refine();
  }

  /** Does one ONNX run. @returns whether there is more to do */
  async advance(): Promise<boolean> {
    const start = performance.now();
    const { done } = await this.#runs.next();
    this.#taken.milliseconds += performance.now() - start;
    if (!done) this.#taken.runs++;
    return !done;
  }

  /** Steps finished, of how many. */
  get progress(): { step: number; steps: number } {
    return { step: Math.max(0, this.#curves.kl.length - 1), steps: this.#options.steps };
  }

  /** The best thought so far: that from which it started, until a step has proved better. */
  result(): Thought {
    const { from, prior } = this.#options;
    const best = this.#best;
    // Without any chunk there is nothing to think about; with the same chunks there is nothing new.
    if (!best) return from ?? prior;
    if (this.#result?.mu === best.mu && this.#result.trace.kl.length === this.#curves.kl.length) return this.#result;
    const start = from ?? prior;
    return (this.#result = {
      // The same z under the same version: caches that were filled for it stay valid.
      version:
        best.mu === start.mu ? start.version : this.#result?.mu === best.mu ? this.#result.version : nextVersion(),
      mu: best.mu,
      datastore: [...[...best.known.values()].flatMap(({ entry }) => entry ?? []), ...this.#extraEntries.values()],
      extraEntries: this.#extraEntries,
      gradients: best.known,
      evidence: this.#evidence,
      trace: {
        steps: this.progress.step,
        ...structuredClone(this.#curves),
        best: best.at,
        coverage: this.#coverage,
        chunks: this.#chunks.map(({ path, line, tokens, heldOut, edited }) => {
          return { path, line, tokens, heldOut, ...(edited && { edited }) };
        }),
        ...this.#taken,
      },
    });
  }

  async *#refine(): AsyncGenerator<void, void> {
    const { steps, prior, constants, groupEnds, from } = this.#options;
    const fresh = this.#chunks.filter((chunk) => !this.#known.has(chunk.key));
    if (steps === 0 || fresh.length === 0) return;
    const fitted = this.#chunks.filter((chunk) => !chunk.heldOut);
    const validation = this.#chunks.filter((chunk) => chunk.heldOut);
    const shares = sharesOf(fitted.map(({ tokens, edited }) => ({ tokens, weight: edited ? EDITED_WEIGHT : 1 })));
    const shareOf = new Map(fitted.map((chunk, i) => [chunk, shares[i] as number]));
    // What was known before, as it was kept, is the same in every step; what a step computes is added unrounded.
    const before = new Float32Array(prior.mu.length);
    for (const [{ key }, share] of shareOf) {
      const known = this.#known.get(key);
      if (known) addRounded(before, known.gradient, share);
    }
    /** Gradient of the evidence's mean NLL. */
    const mean = new Float32Array(prior.mu.length);
    let z = from?.mu ?? prior.mu;
    for (const chunk of this.#toEmbed) {
      const hiddenKeys = await this.#model.hiddenKeys(chunk, z);
      if (!hiddenKeys) break;
      this.#extraEntries.set(chunk.key, entryOf(chunk, hiddenKeys));
      yield;
    }
    let lowest = Infinity;
    let worse = 0;
    for (let t = 0; ; t++) {
      // A warm step evaluates what changed; the validation NLL is known where it starts and wanted where it ends.
      const active = t === 0 || !from ? fresh : [...fresh, ...validation];
      mean.set(before);
      for (const chunk of active) yield* this.#evaluate(chunk, z, mean, shareOf.get(chunk) ?? 0);
      const nll = this.#meanNll(validation.length > 0 ? validation : fitted);
      if (!Number.isFinite(nll) || !Number.isFinite(this.#meanNll(fitted))) return;
      this.#record(z, fitted, validation);
      if (nll < lowest) {
        lowest = nll;
        worse = 0;
        this.#best = { mu: z, at: t, known: new Map(this.#known) };
      } else if (++worse >= EARLY_STOP_PATIENCE) {
        return;
      }
      if (t === steps) return;
      const next = step(z, prior.mu, mean, from ? warmRule(constants) : coldRule(constants, t), groupEnds);
      if (!next) return;
      z = next;
    }
  }

  /** @param share with which the chunk's gradient, unrounded, goes into the mean; 0 of a validation chunk */
  async *#evaluate(chunk: Chunk, z: Float32Array, mean: Float32Array, share: number): AsyncGenerator<void, void> {
    const read = this.#model.remembered(chunk) ?? (yield* this.#read(chunk));
    const { nll, gradient, hiddenKeys } = await this.#model.evaluate(chunk, read, z);
    const entry = hiddenKeys && entryOf(chunk, quantiseRows(hiddenKeys, hiddenKeys.length / chunk.targets.length));
    const kept = quantiseRows(gradient, this.#options.width);
    this.#known.set(chunk.key, { nll, gradient: kept, tokens: chunk.tokens, heldOut: chunk.heldOut, entry });
    if (share > 0) addGradient(mean, gradient, share);
    yield;
  }

  async *#read(chunk: Chunk): AsyncGenerator<void, ReadChunk> {
    const reading = this.#model.read(chunk);
    for (;;) {
      const { done, value } = await reading.next();
      yield;
      if (done) return value;
    }
  }

  #record(z: Float32Array, fitted: readonly Chunk[], validation: readonly Chunk[]): void {
    const { prior, constants, groupEnds } = this.#options;
    this.#curves.nll.push(this.#meanNll(fitted));
    if (validation.length > 0) this.#curves.heldOut.push(this.#meanNll(validation));
    const { priorDeviation, posteriorDeviation } = constants;
    const tokens = fitted.reduce((sum, chunk) => sum + chunk.tokens, 0);
    this.#curves.kl.push(kullbackLeibler(z, prior.mu, priorDeviation, posteriorDeviation, groupEnds) / tokens);
  }

  /** NLL per token of chunks at the z where each was evaluated last. */
  #meanNll(chunks: readonly Chunk[]): number {
    const known = this.#lookUp(chunks);
    return known.reduce((sum, chunk) => sum + chunk.nll, 0) / known.reduce((sum, chunk) => sum + chunk.tokens, 0);
  }

  #lookUp(chunks: readonly Chunk[]): ChunkGradient[] {
    return chunks.flatMap((chunk) => this.#known.get(chunk.key) ?? []);
  }
}

/** The datastore entry of a chunk: without its header, whose tokens nobody writes. */
function entryOf({ targets, weights }: Chunk, { numbers, scales }: HiddenKeyRows): DatastoreEntry {
  const first = weights.findIndex((weight) => weight > 0);
  const width = numbers.length / scales.length;
  return { numbers: numbers.subarray(first * width), scales: scales.subarray(first), tokens: targets.slice(first) };
}
