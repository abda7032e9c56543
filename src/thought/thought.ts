import type { DatastoreEntry } from '../model/hiddenKeys';
import type { QuantisedRows } from '../model/quantisedRows';
import type { Chunk } from './evidence';

/** How a thought came about: what the user sees of it, and what `doctor`, `--trace` and the thought panel draw. */
export interface ThoughtTrace {
  /** Steps taken. */
  readonly steps: number;
  /** NLL of the evidence that the gradient saw, nats per token, at step 0 … steps. */
  readonly nll: readonly number[];
  /** NLL of the held-out chunks, nats per token, at step 0 … steps; empty if none is held out. */
  readonly heldOut: readonly number[];
  /** KL(q‖prior) at step 0 … steps, in nats per token of that evidence: what the thought costs, compared with what it explains. */
  readonly kl: readonly number[];
  /** The step whose z was kept. */
  readonly best: number;
  /** Share of the text outside the window that the chunks hold, 0 to 1. */
  readonly coverage: number;
  readonly chunks: readonly ChunkInfo[];
  /** Runs of the model that it took. */
  readonly runs: number;
  readonly milliseconds: number;
}

export interface ChunkInfo {
  readonly path: string;
  /** Line of the file at which the chunk begins, 1-based. */
  readonly line: number;
  readonly tokens: number;
  readonly heldOut: boolean;
  /** Whether the user changed something in it recently: then it weighs more. */
  readonly edited?: boolean | undefined;
}

/** A posterior over the thought given the evidence: immutable, and named by a version that no other thought has. */
export interface Thought {
  readonly version: number;
  /** Mean of q(z | evidence), [rows, thought vectors, width]. */
  readonly mu: Float32Array;
  readonly trace: ThoughtTrace;
  /** The kNN datastore of the evidence, an entry a chunk: hidden keys, and the token that followed each. */
  readonly datastore: readonly DatastoreEntry[];
  /** Those of them that are of extra chunks, by the chunk's key: an edit elsewhere leaves them as they are. */
  readonly extraEntries: ReadonlyMap<string, DatastoreEntry>;
  /** Last known gradient of each chunk that mu rests on, by the chunk's key: what a warm start reuses. */
  readonly gradients: ReadonlyMap<string, ChunkGradient>;
  /** What it rests on: where that still stands after an edit, it need not be read again. */
  readonly evidence: readonly Chunk[];
}

export interface ChunkGradient {
  /** ∂NLL/∂z of the chunk, summed over its tokens: rounded, since a chunk may have half a million of them. */
  readonly gradient: QuantisedRows;
  readonly nll: number;
  /** Σ of the target weights: the number of tokens scored. */
  readonly tokens: number;
  readonly heldOut: boolean;
  /** The chunk in the datastore; undefined where the bundle's graphs do not give hidden keys. */
  readonly entry?: DatastoreEntry | undefined;
}

const NO_TRACE: ThoughtTrace = {
  steps: 0,
  nll: [],
  heldOut: [],
  kl: [],
  best: 0,
  coverage: 0,
  chunks: [],
  runs: 0,
  milliseconds: 0,
};

let versions = 0;

/** A version number that no thought of this process has had. */
export function nextVersion(): number {
  return ++versions;
}

/** The prior as a thought (version 0): what a completion is conditioned on before, or without, any refinement. */
export function priorThought(prior: Float32Array): Thought {
  return {
    version: 0,
    mu: prior,
    trace: NO_TRACE,
    datastore: [],
    extraEntries: new Map(),
    gradients: new Map(),
    evidence: [],
  };
}
