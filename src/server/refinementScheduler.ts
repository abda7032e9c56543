import type { InferenceClient } from '../inference/client';
import type { CompletionRequest } from '../inference/messages';
import { nextThinking, thinkingDelay } from './schedule';
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
 * Thinks about the document the user is in when the editor is at rest, and at once when the user asks for a suggestion.
 * One thinking at a time; what it rests on may change meanwhile, then the next one follows at the next rest.
 */
export class RefinementScheduler {
  readonly #client: InferenceClient;
  readonly #subject: (uri: string) => Subject | undefined;
  readonly #listener: RefinementListener;
  #steps = 0;
  #focus: string | undefined;
  #lastActivity = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #current: { uri: string; steps: number; atCursor: boolean; done: Promise<void> } | undefined;

  constructor(client: InferenceClient, subject: (uri: string) => Subject | undefined, listener: RefinementListener) {
    this.#client = client;
    this.#subject = subject;
    this.#listener = listener;
  }

  /** Gradient steps wanted; 0 = no thinking. */
  set steps(steps: number) {
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
    this.#focus = uri;
    // At most twice: a thought under way may rest on what was before.
    for (let i = 0; i < 2; i++) {
      this.#begin(uri);
      const current = this.#current;
      if (current?.uri !== uri) return;
      await current.done;
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const uri = this.#focus;
    if (uri === undefined || this.#steps === 0) return;
    this.#timer = setTimeout(() => this.#begin(uri), thinkingDelay(performance.now() - this.#lastActivity));
  }

  #begin(uri: string): void {
    clearTimeout(this.#timer);
    const subject = this.#subject(uri);
    if (!subject || this.#client.lifecycle.state !== 'ready') return;
    const { session } = subject;
    const mode = nextThinking(session.thinking(this.#steps));
    if (mode === 'none') return;
    const atCursor = session.cursor !== undefined;
    const steps = this.#steps;
    // A thought under way about this document is let finish: what changed since costs it little. One made with another
    // number of steps, or for a guessed cursor when the real one is known, is superseded.
    const current = this.#current;
    if (current?.uri === uri && current.steps === steps && current.atCursor === atCursor) return;
    const request = subject.request();
    if (!request) return;
    const { revision } = session;
    const done = this.#client.think(uri, request, mode, steps).then(({ publication, reason }) => {
      if (publication) session.thought = publication;
      if (this.#current?.done !== done) return;
      this.#current = undefined;
      this.#listener.rested();
      // What failed is not tried again before something changes.
      session.thoughtAbout = { steps, revision, atCursor };
      if (reason !== undefined) this.#listener.log(`no thought about ${uri}: ${reason}`);
      this.#schedule();
    });
    this.#current = { uri, steps, atCursor, done };
  }
}
