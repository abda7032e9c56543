import { ContextMemory, type Source } from '../memory/context';
import { mix, mixKnn } from '../memory/mixture';
import { knnDistribution, type KnnDistribution } from '../memory/knn';
import { WorkspaceMemory } from '../memory/workspace';
import { boostInFileTokens } from '../memory/inFileBoost';
import { Identifiers } from '../memory/identifiers';
import type { PositionRange } from '../memory/ngramCache';
import { predict, type CacheHit, type LongestMatch } from '../memory/prediction';
import type { Bundle } from '../model/bundle';
import { isLarge, type Conditioning, type Decoder } from '../model/decoder';
import type { MemoryWeights, KnnWeights } from '../model/manifest';
import { plainProducts, type HiddenKeyRows, type Products, type DatastoreEntry } from '../model/hiddenKeys';
import { unjoined, type LookupContext } from './around';
import { nearestFiles } from './neighbours';
import type { CompletionRequest, SourceText } from './document';
import type { Draft } from './draft';
import { isBinary, stableStart } from '../text';
import { restOfLine } from './stop';

/** Turns the decoder's logits after a context into log p of the next token; both are [vocabulary]. */
export type Mix = (logits: Float32Array, context: LookupContext, state?: HiddenState) => Float32Array;

/** Where the decoder is, for the kNN cache. */
export interface HiddenState {
  /** Under which the context has been read. */
  readonly thought: Conditioning;
  /** Rows of the window behind each of which the text goes on, and the row of the state. */
  readonly rows: readonly PositionRange[];
  readonly row: number;
  /** Its key, if it is not in the decoder's own caches. */
  readonly hiddenKey?: HiddenKeyRows | undefined;
}

/** What the kNN cache holds: the window, read by a decoder, and the evidence of a thought. */
export interface KnnSources {
  readonly decoder: Pick<Decoder, 'hiddenKeysOf'>;
  readonly datastore: readonly DatastoreEntry[];
}

/** Limits on what one completion can look up, in characters. */
const NEAR = 1 << 17;
const RELATED = 1 << 20;

/** The start of the text before the cursor moves in steps of this size, so that typing does not move it. */
const BLOCK = 1 << 14;

/**
 * The texts that a completion can look things up in, the farthest first: related files, the lines after the cursor's,
 * the text before the cursor. What follows the cursor in its own line is left out, as from the window, so nothing that
 * is remembered reaches from one side of the cursor to the other.
 */
export function memorySources({ path, prefix, suffix, related }: CompletionRequest): Source[] {
  let remaining = RELATED;
  const others = related.filter((other, i) => {
    const again = other.path === path || related.findIndex((first) => first.path === other.path) < i;
    if (again || isBinary(other.text) || other.text.length > remaining) return false;
    remaining -= other.text.length;
    return true;
  });
  const after = suffix.slice(restOfLine(suffix).length + 1);
  return [
    ...others.map((other) => ({ key: `related ${other.path}`, text: other.text, own: false })).reverse(),
    { key: `after ${path}`, text: after.slice(0, NEAR), own: true },
    { key: `before ${path}`, text: prefix.slice(stableStart(prefix, NEAR, { block: BLOCK })), own: true },
  ];
}

/** Closed files that a thought may rest on, and how many tokens of each: as many as all its chunks can hold. */
const NEIGHBOURS = 4;
const NEIGHBOUR_TOKENS = 2048;

/** Tokens that a context must share with a place elsewhere so that what followed there is worth a try. */
const MIN_MATCH = 2;

/** Tokens that a context must share with a place elsewhere so that the memory can be sure of what followed there. */
const SURE_MATCH = 3;

/**
 * Tokens of a draft that are worth a try with a large decoder, by the length of the match: of what followed three tokens half
 * is right, of what followed eight three quarters, and seven tokens more take a run twice the time (docs/speed.md).
 */
export function draftTokens(length: number): number {
  if (length < 5) return 1;
  return length < 8 ? 3 : 7;
}

/** The lookup memory of an engine: what it holds of open files follows the request at hand, and the workspace is there. */
export class LookupMemory {
  /** Files of the workspace as they are on disk; empty unless somebody fills it. */
  readonly workspace: WorkspaceMemory;
  /** Which tokens begin, lengthen and end a word. */
  readonly identifiers: Identifiers;
  readonly #memory: ContextMemory;
  /** Whether the decoder takes longer for a run of several tokens. */
  readonly #tokensCost: boolean;
  readonly #weights: MemoryWeights | undefined;
  readonly #knnWeights: KnnWeights | undefined;
  readonly #tokenizer: Bundle['tokenizer'];
  readonly #products: Products;
  /** Files whose text is told by the request: what is on disk of them is not theirs, and may be what is being changed. */
  #open: ReadonlySet<string> = new Set();

  /** @param products by which hidden keys are compared */
  constructor({ tokenizer, manifest }: Pick<Bundle, 'tokenizer' | 'manifest'>, products: Products = plainProducts) {
    this.#products = products;
    this.#memory = new ContextMemory(tokenizer, manifest.architecture.vocabulary, manifest.window.tokens);
    this.workspace = new WorkspaceMemory(manifest.architecture.vocabulary);
    this.identifiers = new Identifiers(tokenizer);
    this.#tokensCost = isLarge(manifest);
    this.#weights = manifest.memory;
    this.#knnWeights = manifest.knn;
    this.#tokenizer = tokenizer;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#memory.bytes + this.workspace.bytes;
  }

  /**
   * Takes in what stands around the cursor.
   * @param taken tokens before the cursor that are generated again (token healing)
   * @param deadline texts not encoded when `performance.now()` says this wait for another time
   * @returns whether everything is in
   */
  show(request: CompletionRequest, taken: number, deadline?: number): boolean {
    this.#open = new Set([request.path, ...request.related.map(({ path }) => path)]);
    return this.#memory.show(memorySources(request), taken, deadline);
  }

  /** Hits for the end of a context; what stands in closed files is farther than all that is open. */
  lookUp({ tokens, joined }: LookupContext): CacheHit[] {
    const near = this.#memory.lookUp(tokens);
    const found = [...near, ...this.workspace.lookUp(tokens, this.#open, this.#memory.length)];
    if (joined === undefined) return found;
    return found.flatMap((one) => {
      const [token] = unjoined([one.token], joined, this.#tokenizer) ?? [];
      return token === undefined ? [] : [{ ...one, token }];
    });
  }

  /** In-file mask: 1 for each token of the vocabulary that occurs in the file of the cursor, else 0. */
  get inFileMask(): Uint8Array {
    return this.#memory.inFileMask;
  }

  /** Beginnings of the closed files of the workspace that are nearest to a request's, for its thought to rest on. */
  neighbours({ path, related }: CompletionRequest): SourceText[] {
    const told = new Set(related.map((other) => other.path));
    return nearestFiles(path, this.workspace.paths, told, NEIGHBOURS).map((near) => {
      const text = this.#tokenizer.decode([...(this.workspace.tokensOf(near, NEIGHBOUR_TOKENS) ?? [])]);
      // The last line may be cut, in the middle of a character even.
      return { path: near, text: text.slice(0, text.lastIndexOf('\n') + 1) };
    });
  }

  /** How the text went on after the longest match of a context's end, however short; no decoder is asked. */
  longestMatch({ tokens, joined }: LookupContext, count: number): LongestMatch {
    const near = this.#memory.draft(tokens, count);
    const far = this.workspace.draft(tokens, count, this.#open);
    const best = far.length > near.length ? far : near;
    const written = unjoined(best.tokens, joined, this.#tokenizer);
    return written ? { ...best, tokens: written } : { tokens: [], length: 0 };
  }

  /** Whether there are weights by which it can be mixed with the decoder. */
  get fitted(): boolean {
    return this.#weights !== undefined;
  }

  /**
   * How the decoder's opinion and what is looked up become one; undefined for a model whose weights for that were not fitted.
   * @param identifiers whether things are looked up by their words
   * @param sources of the kNN distribution
   */
  mix(identifiers: boolean, read?: KnnSources): Mix | undefined {
    const weights = this.#weights;
    if (!identifiers || !weights) return read && this.#mixKnn(read);
    const { inFileBoost, knn: knnWeights } = weights;
    return (logits, context, state) => {
      const knn = read && state && knnWeights ? this.knn(read, state, knnWeights.sharpness) : undefined;
      const boosted = boostInFileTokens(logits, this.inFileMask, inFileBoost);
      return mix(boosted, this.lookUp(context), this.identifiers.at(context.tokens), weights, knn);
    };
  }

  /** The kNN distribution at a state. */
  knn(read: KnnSources, state: HiddenState, inverseTemperature: number): KnnDistribution | undefined {
    return knnOf(read, state, inverseTemperature, this.#products);
  }

  #mixKnn(read: KnnSources): Mix | undefined {
    const knnWeights = this.#knnWeights;
    if (!knnWeights) return undefined;
    return (logits, _, state) => {
      return mixKnn(logits, knnWeights, state && this.knn(read, state, knnWeights.sharpness));
    };
  }

  /**
   * p of tokens by the n-gram cache alone, no decoder is asked; 0 where one of them is not known from a match of some length.
   * @param contextOf the context once so many of the tokens stand
   */
  probability(tokens: readonly number[], contextOf: (count: number) => LookupContext): number {
    const weights = this.#weights;
    if (!weights) return 0;
    let probability = 1;
    for (const [count, token] of tokens.entries()) {
      const prediction = predict(this.lookUp(contextOf(count)), weights);
      if (!prediction || prediction.maxLength < SURE_MATCH) return 0;
      probability *= prediction.entries.find((entry) => entry.token === token)?.share ?? 0;
    }
    return probability;
  }

  /** What followed the end of a context elsewhere, where enough of it is the same there. */
  readonly draft: Draft = (context, count) => {
    const { tokens, length } = this.longestMatch(context, count);
    return length < MIN_MATCH ? [] : tokens.slice(0, this.#tokensCost ? draftTokens(length) : count);
  };
}

/** The kNN distribution at a state: over the window before it, and the evidence. */
export function knnOf(
  { decoder, datastore }: KnnSources,
  { thought, rows, row, hiddenKey }: HiddenState,
  inverseTemperature: number,
  products: Products = plainProducts,
): KnnDistribution | undefined {
  const window = decoder.hiddenKeysOf(thought);
  if (!window) return undefined;
  const { hiddenKeys, tokens } = window;
  const own = hiddenKey ?? (row < hiddenKeys.length ? hiddenKeys.slice(row, row + 1) : undefined);
  if (!own) return undefined;
  // What is written in branches is not in the decoder's caches: there the window ends.
  const last = Math.min(row, hiddenKeys.length, tokens.length - 1);
  const here = rows.flatMap(({ start, end }) => {
    const to = Math.min(end, last);
    return to > start ? [{ ...hiddenKeys.slice(start, to), tokens: tokens.slice(start + 1, to + 1) }] : [];
  });
  return knnDistribution(own, [...here, ...datastore], inverseTemperature, products);
}
