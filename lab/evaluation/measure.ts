import type { CompletionRequest, CompletionResult, Engine, SourceText, Thought } from '../../src/completion/engine';
import { SyntaxCheckers } from '../../src/syntax/checker';
import { longestCopy, scoreUnderThought } from '../engineMeasures';
import { thoughtAfter, thoughtsAfter } from '../thoughts';
import { isCopy, type Item, type Kind, type CutKind, type CutSite } from './items';
import { footprint } from './footprint';
import { editSimilarity, exactMatch, identifierF1 } from './metrics';
import { DEFAULT_STEPS, type Variant } from './variants';

/** What one variant made of one item. */
export interface Outcome {
  /** NLL of the target, where the variant is a likelihood. */
  readonly nats?: number;
  readonly exact: boolean;
  /** Whether one of the first three texts, which a person would look through, is exact. */
  readonly within?: boolean | undefined;
  readonly similarity: number;
  readonly f1?: number | undefined;
  /** Whether the file parses with the suggestion; undefined without one, or where it cannot be said. */
  readonly parses?: boolean | undefined;
  /** Of completing, behind a window that has been read. */
  readonly milliseconds?: number;
  /** Kept in memory for the place in addition to the model's weights, in MB. */
  readonly megabytes?: number;
  /** Of the steps of thought before, where they are the item's own. */
  readonly thinking?: number;
  /** Size of the suggestion as far as it is compared; 0 where there is none. */
  readonly characters?: number;
  readonly lines?: number;
  /** log p of the suggestion in nats, and the confidence in it where the bundle has weights for that. */
  readonly logprob?: number;
  readonly confidence?: number;
}

export interface Measured {
  readonly repository: string;
  readonly path: string;
  readonly kind: Kind;
  readonly place: CutKind;
  readonly bytes: number;
  /** Share of the text outside the window that the thought rests on. */
  readonly coverage: number;
  /** Whether the file parses with the target in its place: what the parser says of the truth. */
  readonly parses?: boolean | undefined;
  /** By the name of the variant. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

/** Texts that a person would look through before typing on. */
const LOOKED_AT = 3;

/** A thought that does not rest on the item's file, and the files that it may rest on. */
interface OtherThought {
  readonly thought: Thought;
  readonly sources: readonly SourceText[];
}

/** Completes and scores the items of sites in every variant. Sites of several repositories should come in mixed order. */
export class Measurer {
  readonly #engine: Engine;
  readonly #plain: Engine | undefined;
  readonly #variants: readonly Variant[];
  /** Own thoughts of the last site of each repository, the latest last. */
  readonly #past = new Map<string, Thought>();
  /** Thoughts about other files, by control and repository: one serves all sites whose file it does not know. */
  readonly #otherThoughts = new Map<string, OtherThought>();
  readonly #checkers = new SyntaxCheckers();

  /** @param plain a decoder without thought, trained at the same cost; without it that variant is left out */
  constructor(engine: Engine, variants: readonly Variant[], plain?: Engine) {
    this.#engine = engine;
    this.#plain = plain;
    this.#variants = variants;
  }

  async measure(site: CutSite): Promise<Measured[]> {
    const steps = this.#variants.flatMap(({ thought }) => (typeof thought === 'number' ? thought : []));
    const own = await thoughtsAfter(this.#engine, site.request, [...new Set([...steps, DEFAULT_STEPS])]);
    const defaultThought = own.get(DEFAULT_STEPS) as Thought;
    const thoughts = new Map<Variant, Thought>();
    for (const variant of this.#variants) {
      const thought = await this.#thoughtOf(variant, site, own);
      if (thought) thoughts.set(variant, thought);
    }
    const measured: Measured[] = [];
    for (const item of site.items) measured.push(await this.#measureItem(item, thoughts, defaultThought));
    this.#past.delete(site.repository);
    this.#past.set(site.repository, defaultThought);
    return measured;
  }

  async #measureItem(item: Item, thoughts: ReadonlyMap<Variant, Thought>, defaultThought: Thought): Promise<Measured> {
    const { request, target } = item;
    const checker = await this.#checkers.of(request.path);
    const parses = (text: string) =>
      text === '' ? undefined : checker?.check(request.prefix, request.suffix, [{ text, replaceSuffix: 0 }])[0]?.parses;
    const outcomes: Record<string, Outcome> = {};
    // Where steps have changed nothing, nothing is to be measured again.
    const known = new Map<string, Outcome>();
    for (const [variant, thought] of thoughts) {
      const engine = variant.thought === 'plain' ? this.#plain : this.#engine;
      // A decoder whose memory was not fitted has none: it would be the same variant twice.
      if (!engine || (engine === this.#plain && variant.options.memory && !engine.hasMemoryWeights)) continue;
      const key = JSON.stringify([
        variant.thought === 'plain',
        thought.version,
        thought.datastore.length,
        variant.options,
        variant.alone,
      ]);
      const outcome = known.get(key) ?? (await this.#under(engine, item, variant, thought, parses));
      known.set(key, outcome);
      const thinking = typeof variant.thought === 'number' ? { thinking: thought.trace.milliseconds } : {};
      const { nats, ...rest } = outcome;
      const megabytes = footprint(engine.bundle.manifest, variant, thought, engine.internals.lookup.bytes) / 1e6;
      outcomes[variant.name] = {
        ...(variant.likelihood && nats !== undefined && { nats }),
        ...rest,
        ...thinking,
        megabytes,
      };
    }
    const copied = await longestCopy(this.#engine, request, target.split('\n').length);
    outcomes['n-gram cache'] = { ...compare(copied, target), parses: parses(copied) };
    outcomes['closing bracket'] = compare(')', target);
    return {
      repository: item.repository,
      path: request.path,
      kind: item.kind,
      place: item.place,
      bytes: Buffer.byteLength(target),
      coverage: defaultThought.trace.coverage,
      parses: parses(target),
      outcomes,
    };
  }

  /** Some controls have nobody to be taken from, like the first site's other repository: they are left out there. */
  async #thoughtOf(
    { thought, part }: Variant,
    site: CutSite,
    own: ReadonlyMap<number, Thought>,
  ): Promise<Thought | undefined> {
    if (thought === 'plain') return this.#plain?.prior;
    if (typeof thought === 'number') return this.#partOf(own.get(thought), part);
    if (thought === 'other repository') return [...this.#past].findLast(([name]) => name !== site.repository)?.[1];
    return this.#otherThought(site, thought);
  }

  /** What the steps made of a thought without what was read, or z_0 with that; undefined where the bundle reads nothing. */
  #partOf(thought: Thought | undefined, part: Variant['part']): Thought | undefined {
    if (!thought || !part) return thought;
    if (!this.#engine.bundle.manifest.knn) return undefined;
    return part === 'steps' ? { ...thought, datastore: [] } : { ...this.#engine.prior, datastore: thought.datastore };
  }

  /** The thought about other files of the site's repository: about one of them, or about those that are open with it. */
  async #otherThought(
    { repository, request }: CutSite,
    control: 'other file' | 'workspace',
  ): Promise<Thought | undefined> {
    const key = `${control}\n${repository}`;
    const known = this.#otherThoughts.get(key);
    const text = request.prefix + request.suffix;
    const isOther = (other: SourceText) => other.path !== request.path && !isCopy(text, other.text);
    if (known?.sources.every(isOther)) return known.thought;
    const [first] = request.related;
    if (!first) return undefined;
    const about: CompletionRequest =
      control === 'workspace'
        ? { path: request.path, prefix: '', suffix: '', related: request.related }
        : { path: first.path, prefix: first.text, suffix: '', related: [] };
    const thought = await thoughtAfter(this.#engine, about, DEFAULT_STEPS);
    this.#otherThoughts.set(key, { thought, sources: control === 'workspace' ? request.related : [first] });
    return thought;
  }

  async #under(
    engine: Engine,
    { request: whole, target }: Item,
    { options, likelihood, alone }: Variant,
    thought: Thought,
    parses: (text: string) => boolean | undefined,
  ): Promise<Outcome> {
    const request = alone ? { ...whole, related: [] } : whole;
    const { memory = false, samples = 1 } = options;
    const nats = likelihood
      ? (await scoreUnderThought(engine, request, target, thought, { memory, samples })).nats
      : undefined;
    const maxLines = target.split('\n').length;
    // The target is so many lines, not a syntax node: what ended with one would be measured by where it ends. The n-gram
    // cache knows the number of lines, too.
    const result = await engine.complete(request, { ...options, steps: 0, maxLines, units: false, thought });
    const { text, milliseconds, candidates } = result;
    const cut = (written: string) => written.split('\n').slice(0, maxLines).join('\n');
    const shown = cut(text);
    const others = candidates.map((candidate) => cut(candidate.text)).filter((other) => other !== shown);
    const lookedAt = [shown, ...new Set(others)].slice(0, LOOKED_AT);
    return {
      ...(nats !== undefined && { nats }),
      milliseconds,
      parses: parses(shown),
      ...sizeOf(shown, result),
      ...compare(shown, target),
      within: lookedAt.some((written) => exactMatch(written, target)),
    };
  }
}

function sizeOf(
  shown: string,
  { candidates }: Pick<CompletionResult, 'candidates'>,
): Pick<Outcome, 'characters' | 'lines' | 'logprob' | 'confidence'> {
  const { logprob, confidence } = candidates[0] ?? {};
  return {
    characters: shown.length,
    lines: shown === '' ? 0 : shown.split('\n').length,
    ...(logprob !== undefined && { logprob }),
    ...(confidence !== undefined && { confidence }),
  };
}

function compare(suggestion: string, target: string): Pick<Outcome, 'exact' | 'similarity' | 'f1'> {
  return {
    exact: exactMatch(suggestion, target),
    similarity: editSimilarity(suggestion, target),
    f1: identifierF1(suggestion, target),
  };
}
