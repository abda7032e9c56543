import type { CompletionRequest, CompletionResult, Engine, Thought } from '../../completion/engine';
import { SyntaxJudges } from '../../syntax/judge';
import { thoughtsAfter } from '../thoughts';
import type { Item, Kind, Place } from './items';
import { editSimilarity, exactMatch, identifierF1 } from './metrics';
import { USUAL_STEPS, type Control, type Way } from './ways';

/** What one way of completing made of one item. */
export interface Outcome {
  /** NLL of the target, where the way is a likelihood. */
  readonly nats?: number;
  readonly exact: boolean;
  readonly similarity: number;
  readonly f1?: number | undefined;
  /** Whether the file parses with the suggestion; undefined without one, or where it cannot be said. */
  readonly parses?: boolean | undefined;
  readonly milliseconds?: number;
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
  readonly place: Place;
  readonly bytes: number;
  /** Share of the text outside the window that the thought rests on. */
  readonly coverage: number;
  /** Whether the file parses with the target in its place: what the parser says of the truth. */
  readonly parses?: boolean | undefined;
  /** By the name of the way. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

interface Past {
  readonly repository: string;
  readonly path: string;
  readonly thought: Thought;
}

/** Completes and scores items in every way. Items of several repositories should come in mixed order. */
export class Measurer {
  readonly #engine: Engine;
  readonly #plain: Engine | undefined;
  readonly #ways: readonly Way[];
  readonly #past: Past[] = [];
  readonly #judges = new SyntaxJudges();

  /** @param plain a decoder without thought, trained at the same cost; without it that way is left out */
  constructor(engine: Engine, ways: readonly Way[], plain?: Engine) {
    this.#engine = engine;
    this.#plain = plain;
    this.#ways = ways;
  }

  async measure(item: Item): Promise<Measured> {
    const { request, target } = item;
    const steps = this.#ways.flatMap(({ thought }) => (typeof thought === 'number' ? thought : []));
    const own = await thoughtsAfter(this.#engine, request, [...new Set([...steps, USUAL_STEPS])]);
    const usual = own.get(USUAL_STEPS) as Thought;
    const judge = await this.#judges.of(request.path);
    const parses = (text: string) =>
      text === '' ? undefined : judge?.judge(request.prefix, request.suffix, [{ text, replaceSuffix: 0 }])[0]?.parses;
    const outcomes: Record<string, Outcome> = {};
    for (const way of this.#ways) {
      const engine = way.thought === 'plain' ? this.#plain : this.#engine;
      const thought = await this.#thoughtOf(way, item, own);
      if (engine && thought) outcomes[way.name] = await this.#under(engine, item, way, thought, parses);
    }
    const maxLines = target.split('\n').length;
    const copied = await this.#engine.copied(request, maxLines);
    outcomes['n-gram cache'] = { ...compare(copied, target), parses: parses(copied) };
    outcomes['closing bracket'] = compare(')', target);
    this.#past.push({ repository: item.repository, path: request.path, thought: usual });
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

  /** The first items have nobody before them: they are left out of those controls. */
  async #thoughtOf({ thought }: Way, item: Item, own: ReadonlyMap<number, Thought>): Promise<Thought | undefined> {
    if (thought === 'plain') return this.#plain?.prior;
    return typeof thought === 'number' ? own.get(thought) : this.#control(thought, item);
  }

  async #control(control: Control, { repository, request }: Item): Promise<Thought | undefined> {
    if (control === 'workspace') {
      const workspace: CompletionRequest = { path: request.path, prefix: '', suffix: '', related: request.related };
      return (await thoughtsAfter(this.#engine, workspace, [USUAL_STEPS])).get(USUAL_STEPS);
    }
    const wanted = (past: Past) =>
      control === 'other repository'
        ? past.repository !== repository
        : past.repository === repository && past.path !== request.path;
    return this.#past.findLast(wanted)?.thought;
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
    const result = await engine.complete(request, { ...options, steps: 0, maxLines, thought });
    const { text, milliseconds } = result;
    const shown = text.split('\n').slice(0, maxLines).join('\n');
    return {
      ...(nats !== undefined && { nats }),
      milliseconds,
      parses: parses(shown),
      ...sizeOf(shown, result),
      ...compare(shown, target),
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
