import type { CompletionRequest, CompletionResult, Engine, SourceText, Thought } from '../../src/completion/engine';
import { SyntaxCheckers } from '../../src/syntax/checker';
import { thoughtAfter, thoughtsAfter } from '../thoughts';
import { isCopy, type Item, type Kind, type CutKind, type CutSite } from './items';
import { footprint } from './footprint';
import { editSimilarity, exactMatch, identifierF1 } from './metrics';
import { USUAL_STEPS, type Way } from './ways';

/** What one way of completing made of one item. */
export interface Outcome {
  /** NLL of the target, where the way is a likelihood. */
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
  /** Kept in memory for the place beside the model's weights, in MB. */
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
  /** By the name of the way. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

/** Texts that a person would look through before typing on. */
const LOOKED_AT = 3;

/** A thought that does not rest on the item's file, and the files that it may rest on. */
interface Foreign {
  readonly thought: Thought;
  readonly sources: readonly SourceText[];
}

/** Completes and scores the items of sites in every way. Sites of several repositories should come in mixed order. */
export class Measurer {
  readonly #engine: Engine;
  readonly #plain: Engine | undefined;
  readonly #ways: readonly Way[];
  /** Own thoughts of the last site of each repository, the latest last. */
  readonly #past = new Map<string, Thought>();
  /** Thoughts about other files, by control and repository: one serves all sites whose file it does not know. */
  readonly #foreign = new Map<string, Foreign>();
  readonly #checkers = new SyntaxCheckers();

  /** @param plain a decoder without thought, trained at the same cost; without it that way is left out */
  constructor(engine: Engine, ways: readonly Way[], plain?: Engine) {
    this.#engine = engine;
    this.#plain = plain;
    this.#ways = ways;
  }

  async measure(site: CutSite): Promise<Measured[]> {
    const steps = this.#ways.flatMap(({ thought }) => (typeof thought === 'number' ? thought : []));
    const own = await thoughtsAfter(this.#engine, site.request, [...new Set([...steps, USUAL_STEPS])]);
    const usual = own.get(USUAL_STEPS) as Thought;
    const thoughts = new Map<Way, Thought>();
    for (const way of this.#ways) {
      const thought = await this.#thoughtOf(way, site, own);
      if (thought) thoughts.set(way, thought);
    }
    const measured: Measured[] = [];
    for (const item of site.items) measured.push(await this.#measureItem(item, thoughts, usual));
    this.#past.delete(site.repository);
    this.#past.set(site.repository, usual);
    return measured;
  }

  async #measureItem(item: Item, thoughts: ReadonlyMap<Way, Thought>, usual: Thought): Promise<Measured> {
    const { request, target } = item;
    const checker = await this.#checkers.of(request.path);
    const parses = (text: string) =>
      text === '' ? undefined : checker?.check(request.prefix, request.suffix, [{ text, replaceSuffix: 0 }])[0]?.parses;
    const outcomes: Record<string, Outcome> = {};
    // Where steps have changed nothing, nothing is to be measured anew.
    const known = new Map<string, Outcome>();
    for (const [way, thought] of thoughts) {
      const engine = way.thought === 'plain' ? this.#plain : this.#engine;
      // A decoder whose memory was not fitted has none: it would be the same way twice.
      if (!engine || (engine === this.#plain && way.options.memory && !engine.hasMemoryWeights)) continue;
      const key = JSON.stringify([
        way.thought === 'plain',
        thought.version,
        thought.readings.length,
        way.options,
        way.alone,
      ]);
      const outcome = known.get(key) ?? (await this.#under(engine, item, way, thought, parses));
      known.set(key, outcome);
      const thinking = typeof way.thought === 'number' ? { thinking: thought.trace.milliseconds } : {};
      const { nats, ...rest } = outcome;
      const megabytes = footprint(engine.bundle.manifest, way, thought, engine.lookupBytes) / 1e6;
      outcomes[way.name] = { ...(way.likelihood && nats !== undefined && { nats }), ...rest, ...thinking, megabytes };
    }
    const copied = await this.#engine.copied(request, target.split('\n').length);
    outcomes['n-gram cache'] = { ...compare(copied, target), parses: parses(copied) };
    outcomes['closing bracket'] = compare(')', target);
    return {
      repository: item.repository,
      path: request.path,
      kind: item.kind,
      place: item.place,
      bytes: Buffer.byteLength(target),
      coverage: usual.trace.coverage,
      parses: parses(target),
      outcomes,
    };
  }

  /** Some controls have nobody to be taken from, like the first site's other repository: they are left out there. */
  async #thoughtOf(
    { thought, part }: Way,
    site: CutSite,
    own: ReadonlyMap<number, Thought>,
  ): Promise<Thought | undefined> {
    if (thought === 'plain') return this.#plain?.prior;
    if (typeof thought === 'number') return this.#partOf(own.get(thought), part);
    if (thought === 'other repository') return [...this.#past].findLast(([name]) => name !== site.repository)?.[1];
    return this.#foreignTo(site, thought);
  }

  /** What the steps made of a thought without what was read, or z_0 with that; undefined where the bundle reads nothing. */
  #partOf(thought: Thought | undefined, part: Way['part']): Thought | undefined {
    if (!thought || !part) return thought;
    if (!this.#engine.bundle.manifest.states) return undefined;
    return part === 'steps' ? { ...thought, readings: [] } : { ...this.#engine.prior, readings: thought.readings };
  }

  /** The thought about other files of the site's repository: about one of them, or about those that are open beside it. */
  async #foreignTo(
    { repository, request }: CutSite,
    control: 'other file' | 'workspace',
  ): Promise<Thought | undefined> {
    const key = `${control}\n${repository}`;
    const known = this.#foreign.get(key);
    const text = request.prefix + request.suffix;
    const isForeign = (other: SourceText) => other.path !== request.path && !isCopy(text, other.text);
    if (known?.sources.every(isForeign)) return known.thought;
    const [first] = request.related;
    if (!first) return undefined;
    const about: CompletionRequest =
      control === 'workspace'
        ? { path: request.path, prefix: '', suffix: '', related: request.related }
        : { path: first.path, prefix: first.text, suffix: '', related: [] };
    const thought = await thoughtAfter(this.#engine, about, USUAL_STEPS);
    this.#foreign.set(key, { thought, sources: control === 'workspace' ? request.related : [first] });
    return thought;
  }

  async #under(
    engine: Engine,
    { request: whole, target }: Item,
    { options, likelihood, alone }: Way,
    thought: Thought,
    parses: (text: string) => boolean | undefined,
  ): Promise<Outcome> {
    const request = alone ? { ...whole, related: [] } : whole;
    const { memory = false, samples = 1 } = options;
    const nats = likelihood ? (await engine.score(request, target, thought, { memory, samples })).nats : undefined;
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
