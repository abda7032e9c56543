import { DEFAULTS, type CompletionRequest, type Engine, type Thought } from '../../completion/engine';
import { thoughtsAfter } from '../thoughts';
import type { Item, Kind, Place } from './items';
import { editSimilarity, exactMatch, identifierF1 } from './metrics';

/** What one way of completing made of one item. */
export interface Outcome {
  /** NLL of the target, where the way is a likelihood. */
  readonly nats?: number;
  readonly exact: boolean;
  readonly similarity: number;
  readonly f1?: number | undefined;
  readonly milliseconds?: number;
}

export interface Measured {
  readonly repository: string;
  readonly path: string;
  readonly kind: Kind;
  readonly place: Place;
  readonly bytes: number;
  /** Share of the text outside the window that the thought rests on. */
  readonly coverage: number;
  /** By the name of the way, see `wayName`. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

/** Steps of the thoughts that are not the item's own. */
export const FOREIGN_STEPS = DEFAULTS.steps;

/** Thoughts that are not the item's own, as controls: what they lack is what the context gave. */
export const CONTROLS = ['other repository', 'other file', 'workspace'] as const;

/** What is added to the name of a way in which the lookup memory has its say; in the others it has none. */
export const WITH_MEMORY = ' + memory';

export function wayName(steps: number): string {
  return `T=${steps}`;
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
  readonly #steps: readonly number[];
  readonly #past: Past[] = [];

  /**
   * @param steps numbers of steps, 0 and FOREIGN_STEPS among them
   * @param plain a decoder without thought, trained at the same cost; measured as the way "plain"
   */
  constructor(engine: Engine, steps: readonly number[], plain?: Engine) {
    this.#engine = engine;
    this.#plain = plain;
    this.#steps = steps;
  }

  async measure(item: Item): Promise<Measured> {
    const { request, target } = item;
    const own = await thoughtsAfter(this.#engine, request, this.#steps);
    const four = own.get(FOREIGN_STEPS) as Thought;
    const outcomes: Record<string, Outcome> = {};
    for (const steps of this.#steps) {
      outcomes[wayName(steps)] = await this.#under(this.#engine, item, own.get(steps) as Thought);
    }
    for (const steps of [0, FOREIGN_STEPS]) {
      outcomes[`${wayName(steps)}${WITH_MEMORY}`] = await this.#under(
        this.#engine,
        item,
        own.get(steps) as Thought,
        true,
      );
    }
    for (const [name, thought] of await this.#controls(item)) {
      outcomes[name] = await this.#under(this.#engine, item, thought);
    }
    if (this.#plain) outcomes['plain'] = await this.#under(this.#plain, item, this.#plain.prior);
    outcomes['closing bracket'] = compare(')', target);
    this.#past.push({ repository: item.repository, path: request.path, thought: four });
    return {
      repository: item.repository,
      path: request.path,
      kind: item.kind,
      place: item.place,
      bytes: Buffer.byteLength(target),
      coverage: four.trace.coverage,
      outcomes,
    };
  }

  async #controls(item: Item): Promise<[string, Thought][]> {
    const { repository, request } = item;
    const stranger = this.#past.findLast((past) => past.repository !== repository);
    const sibling = this.#past.findLast((past) => past.repository === repository && past.path !== request.path);
    const workspace: CompletionRequest = { path: request.path, prefix: '', suffix: '', related: request.related };
    const found: [string, Thought | undefined][] = [
      ['other repository', stranger?.thought],
      ['other file', sibling?.thought],
      ['workspace', (await thoughtsAfter(this.#engine, workspace, [FOREIGN_STEPS])).get(FOREIGN_STEPS)],
    ];
    // The first items have nobody before them: they are left out of that control.
    return found.filter((pair): pair is [string, Thought] => pair[1] !== undefined);
  }

  async #under(engine: Engine, { request, target }: Item, thought: Thought, memory = false): Promise<Outcome> {
    const { nats } = await engine.score(request, target, thought, { memory });
    const maxLines = target.split('\n').length;
    const options = { steps: 0, maxLines, candidates: 1, memory, thought };
    const { text, milliseconds } = await engine.complete(request, options);
    return { nats, milliseconds, ...compare(text.split('\n').slice(0, maxLines).join('\n'), target) };
  }
}

function compare(suggestion: string, target: string): Outcome {
  return {
    exact: exactMatch(suggestion, target),
    similarity: editSimilarity(suggestion, target),
    f1: identifierF1(suggestion, target),
  };
}
