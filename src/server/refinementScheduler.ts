import type { InferenceClient } from '../inference/client';
import type { CompletionRequest } from '../inference/messages';
import { onMains } from './power';
import { delayUntil, idleMs, nextThinking, restMs, type StepsWanted } from './schedule';
import type { Session } from './session';

/** A document as the scheduler sees it. */
export interface Subject {
  session: Session;
  /** The document as evidence around its cursor, with its siblings; undefined where nothing is to be thought about. */
  request(): CompletionRequest | undefined;
}

export interface RefinementListener {
  log(line: string): void;
  /** The thinking that went on has ended. */
  rested(): void;
}

/**
 * Thinks about the document the user is in when the editor is at rest, and at once when the user asks for a suggestion or
 * looks at the thought. Steps beyond those that pay are taken when the machine is idle and on mains power.
 * One thinking at a time; what it rests on may change meanwhile, then the next one follows at the next rest.
 */
export class RefinementScheduler {
  readonly #client: InferenceClient;
  readonly #subject: (uri: string) => Subject | undefined;
  readonly #listener: RefinementListener;
  readonly #onMains: () => Promise<boolean>;
  #steps: StepsWanted | undefined;
  #focus: string | undefined;
  #lastActivity = -Infinity;
  /** When somebody looked at a thought last. */
  #lastLook = -Infinity;
  #atRest: NodeJS.Timeout | undefined;
  #whenIdle: NodeJS.Timeout | undefined;
  #current: { uri: string; steps: number; atCursor: boolean; done: Promise<void> } | undefined;

  constructor(
    client: InferenceClient,
    subject: (uri: string) => Subject | undefined,
    listener: RefinementListener,
    mains: () => Promise<boolean> = onMains,
  ) {
    this.#client = client;
    this.#subject = subject;
    this.#listener = listener;
    this.#onMains = mains;
  }

  /** Gradient steps wanted; undefined: nothing is done at rest, not even reading. */
  set steps(steps: StepsWanted | undefined) {
    this.#steps = steps;
    this.#schedule();
  }

  /** The user did something in a document. */
  activity(uri: string): void {
    this.#focus = uri;
    this.#lastActivity = performance.now();
    this.#schedule();
  }

  /** Somebody looks at the thought about a document. Unlike activity this does not put thinking off. */
  watched(uri: string): void {
    this.#focus = uri;
    this.#lastLook = performance.now();
    this.#schedule();
  }

  /** Something other than the user's typing may call for thinking: a model got ready. */
  wake(): void {
    this.#schedule();
  }

  closed(uri: string): void {
    if (this.#focus === uri) this.#focus = undefined;
    this.#client.forget(uri);
  }

  /** Thinks about a document now, unless its thought is up to date. Resolves when the thought is in use. */
  async now(uri: string): Promise<void> {
    if (!this.#steps?.idle) return;
    this.#focus = uri;
    // At most twice: a thought under way may rest on what was before.
    for (let i = 0; i < 2; i++) {
      this.#begin(uri, this.#steps.idle);
      const current = this.#current;
      if (current?.uri !== uri) return;
      await current.done;
    }
  }

  #schedule(): void {
    clearTimeout(this.#atRest);
    clearTimeout(this.#whenIdle);
    const uri = this.#focus;
    const steps = this.#steps;
    if (uri === undefined || !steps) return;
    const since = performance.now() - this.#lastActivity;
    const looked = performance.now() - this.#lastLook < idleMs;
    const atRest = looked ? steps.idle : steps.atRest;
    this.#atRest = setTimeout(() => this.#begin(uri, atRest), delayUntil(restMs, since));
    if (steps.idle > atRest) this.#whenIdle = setTimeout(() => void this.#idle(uri), delayUntil(idleMs, since));
  }

  async #idle(uri: string): Promise<void> {
    const mains = await this.#onMains();
    // Meanwhile the user may have gone on, or switched suggestions off.
    const idle = performance.now() - this.#lastActivity >= idleMs;
    if (mains && idle && this.#steps) this.#begin(uri, this.#steps.idle);
  }

  /** @param steps that may be taken now */
  #begin(uri: string, steps: number): void {
    const wanted = this.#steps;
    const subject = this.#subject(uri);
    if (!wanted || !subject || this.#client.lifecycle.state !== 'ready') return;
    const { session } = subject;
    const mode = nextThinking(session.thinking(wanted.idle, steps));
    if (mode === 'none') return;
    const atCursor = session.cursor !== undefined;
    // A thought under way about this document is let finish: what changed since costs it little. One made with another
    // number of steps, or for a guessed cursor when the real one is known, is superseded.
    const current = this.#current;
    if (current?.uri === uri && current.steps === steps && current.atCursor === atCursor) return;
    const request = subject.request();
    if (!request) return;
    const { revision } = session;
    const done = this.#client
      .think(uri, request, mode, mode === 'prepare' ? wanted.idle : steps)
      .then(({ publication, reason }) => {
        if (publication) session.thought = publication;
        if (this.#current?.done !== done) return;
        this.#current = undefined;
        this.#listener.rested();
        // What failed is not tried again before something changes.
        session.readAbout = revision;
        if (mode !== 'prepare') {
          const anew = mode === 'cold' || publication?.kind === 'cold';
          const taken = anew ? steps : Math.max(steps, session.thoughtAbout?.steps ?? 0);
          session.thoughtAbout = { steps: taken, revision, atCursor };
        }
        if (reason !== undefined) this.#listener.log(`no thought about ${uri}: ${reason}`);
        this.#schedule();
      });
    this.#current = { uri, steps, atCursor, done };
  }
}
