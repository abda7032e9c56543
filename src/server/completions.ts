import type { CancellationToken, Position } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { InferenceClient } from '../inference/client';
import type { Answer } from '../inference/messages';
import type { AnsweredList, AnswerPath } from '../protocol';
import { accepted, couldServe, mayServe, type Context, type Continuation } from './continuation';
import { cut, limits, pathFor, Refusal, type Cut } from './documents';
import { isCold, outcomeOf, type RunOutcome } from './outcome';
import type { RefinementScheduler } from './refinementScheduler';
import { detachAfterMs, prefetchDelayMs, skipReason } from './schedule';
import type { PendingRun, Session } from './session';
import type { Remembered, SuggestionCache } from './suggestionCache';
import { isInvoked, itemOf, place, runOptions, toRequest, type SuggestionRequest } from './suggestionRequest';
import { Tally } from './tally';
import { normaliseNewlines } from '../text';
import { TypingCadence } from './typingCadence';

/** The longest that a manually triggered suggestion waits for the thought. */
const thoughtTimeoutMs = 8_000;

const REFUSED = 'it was dismissed, undone or deleted here: type its first letters or trigger it manually to get it';

/** Thoughts that each write a text when somebody wants to choose. */
const THOUGHTS_TO_CHOOSE = 4;

/**
 * Answers requests for suggestions, the cheapest way first: the suggestion on screen if the user types along with it, one
 * made here before, a pending run that may still fit, a new run. The session's decisions say which, or why there is none.
 * While a suggestion is being read, a prefetch asks for what follows it.
 */
export class Completions {
  readonly tally = new Tally();
  readonly cadence = new TypingCadence();
  readonly #client: Pick<InferenceClient, 'complete' | 'model'>;
  readonly #refinements: RefinementScheduler;

  constructor(client: Pick<InferenceClient, 'complete' | 'model'>, refinements: RefinementScheduler) {
    this.#client = client;
    this.#refinements = refinements;
  }

  /**
   * The user changed a document: what no longer fits it is given up.
   * @param before what stands before its text
   */
  changed(document: TextDocument, session: Session, before: () => string = () => ''): void {
    this.cadence.typed(performance.now());
    clearTimeout(session.prefetchTimer);
    // Of a very large document only a part is looked at, which is not worth finding here.
    const whole = document.getText();
    const text = session.pendingRun && whole.length <= limits.whole ? before() + normaliseNewlines(whole) : undefined;
    if (session.pendingRun && text !== undefined && !couldServe(session.pendingRun, text))
      session.pendingRun.run.abort();
  }

  /** The user sent away what stood at a place. */
  dismissed(document: TextDocument, session: Session, position: Position, before = ''): void {
    const at = cut(document, position, before);
    if (at instanceof Refusal) return;
    clearTimeout(session.prefetchTimer);
    const found = session.suggestions.find(at, session.version);
    if (!found) return;
    for (const { text } of [found.left, ...session.suggestions.alternatives(at, found.left.text)]) {
      session.refusals.dismissed(at, text);
    }
  }

  /** Never rejects; no suggestion is an empty list. After cancellation the answer is of no use and comes at once. */
  async answer(request: SuggestionRequest, token: CancellationToken): Promise<AnsweredList> {
    const { document, session } = request;
    const at = place(request);
    clearTimeout(session.prefetchTimer);
    if (at instanceof Refusal) return this.refuse(session, at.reason);
    const asking = attempt(request, at, token);
    this.#noteRequest(asking);
    const skipped = this.#skipReason(asking.invoked, at, at.suffix.slice(0, at.lineRest), document);
    if (skipped !== undefined) return this.refuse(session, skipped);

    // Asked for where one stands already, others are wanted to choose from.
    const choosing = asking.invoked && session.suggestions.find(at, session.version) !== undefined;
    if (asking.invoked) {
      await Promise.race([this.#refinements.now(document.uri), asking.cancelled, delay(thoughtTimeoutMs)]);
    }
    const found =
      this.#findCached(asking) ??
      (await this.#takeUp(asking)) ??
      this.#knownToBeEmpty(asking) ??
      (await this.#askModel(asking));
    if (found && choosing && found.text !== '' && !asking.over()) return this.#withAlternatives(asking, found);
    if (found) return found.list;
    this.tally.cancelled++;
    session.decide('the editor went on before there was an answer');
    return { items: [], path: 'none' };
  }

  /** Notes that a request was declined without asking the model. */
  refuse(session: Session, reason: string): AnsweredList {
    this.tally.paths.none++;
    session.decide(reason);
    return { items: [], path: 'none' };
  }

  #noteRequest({ request, at, invoked }: Attempt): void {
    const { session, position, maxLines, suggestionOptions } = request;
    session.touched(position);
    session.under(JSON.stringify([maxLines, suggestionOptions]), JSON.stringify(this.#client.model));
    if (invoked) session.refusals.wanted(at);
    this.#refinements.activity(request.document.uri);
  }

  #skipReason(invoked: boolean, at: Context, lineRest: string, document: TextDocument): string | undefined {
    return skipReason(invoked, at, lineRest, pathFor(document), this.#client.model?.infills);
  }

  /** What is remembered for the place: the suggestion on screen, or one made here before. */
  #findCached(asking: Attempt, path?: keyof typeof describePath): Found | undefined {
    const { request, at, invoked } = asking;
    const { session } = request;
    const remembered = asking.over() ? undefined : session.suggestions.find(at, session.version, invoked);
    if (!remembered) return undefined;
    const { left, entry } = remembered;
    if (session.refusals.refuses(at, left.text)) return this.#nothing(session, REFUSED);
    if (entry.prefetched) this.tally.prefetch.served++;
    session.suggestions.show(entry);
    this.#prefetch(request, at, left);
    const { text } = left;
    const others = session.suggestions
      .alternatives(at, text)
      .filter((other) => !session.refusals.refuses(at, other.text));
    return { list: this.#shown(request, at, [left, ...others], path ?? remembered.path), text };
  }

  /** What comes of a run under way that may still fit. */
  async #takeUp(asking: Attempt): Promise<Found | undefined> {
    const { session } = asking.request;
    for (const pending of [session.pendingRun, session.prefetch]) {
      if (asking.over() || !pending || !mayServe(pending, asking.at)) continue;
      await this.#wait(session, pending, asking.cancelled);
      const found = this.#findCached(asking, 'waited');
      if (found) return found;
    }
    return undefined;
  }

  /** That the model had nothing here is remembered, too; who asks for it makes it try again. */
  #knownToBeEmpty({ request, at, invoked, over }: Attempt): Found | undefined {
    const { session } = request;
    const reason = over() || invoked ? undefined : session.suggestions.emptyResult(at, session.version);
    return reason === undefined ? undefined : this.#nothing(session, reason);
  }

  /** Asks the model, after a pause in typing. */
  async #askModel(asking: Attempt): Promise<Found | undefined> {
    const { request, at, invoked, cancelled, over } = asking;
    const { session } = request;
    if (over()) return undefined;
    if (!invoked) await Promise.race([delay(this.cadence.wait(performance.now())), cancelled]);
    if (over()) return undefined;
    const pending = this.#run(request, at);
    await Promise.race([this.#wait(session, pending, cancelled), pending.early]);
    const found = this.#findCached(asking, pending.memory ? 'memory' : pending.path);
    if (found || over()) return found;
    return this.#nothing(session, pending.reason ?? 'the suggestion does not fit what is right of the cursor');
  }

  /** The answer with what can be chosen instead behind it. */
  async #withAlternatives(asking: Attempt, { list, text }: Found): Promise<AnsweredList> {
    const { request, at } = asking;
    await this.#choose(asking);
    const others = request.session.suggestions.alternatives(at, text).map((other) => itemOf(request, at, other));
    return { ...list, items: [...list.items.slice(0, 1), ...others] };
  }

  /** Asks for alternatives to the suggestion that stands at a place: once for each place and thought. */
  async #choose({ request, at, cancelled }: Attempt): Promise<void> {
    const { document, session } = request;
    const { prefix, suffix } = at;
    const { choice, suggestions } = session;
    if (choice?.thought === session.version && choice.prefix === prefix && choice.suffix === suffix) return;
    const asking = { ...runOptions(request), alternatives: THOUGHTS_TO_CHOOSE };
    const run = this.#client.complete(document.uri, toRequest(request, at), asking);
    const answer = await Promise.race([run.result, cancelled]);
    if (!answer) run.abort();
    if (!answer || !('result' in answer) || answer.result.stop === 'aborted') return;
    const { thought } = answer;
    const { candidates } = answer.result;
    session.choice = { prefix, suffix, thought, candidates };
    const alternatives = candidates.map(({ text, replaceSuffix }) => ({
      prefix,
      suffix,
      text,
      replaceSuffix,
      thought,
    }));
    suggestions.addAlternatives(alternatives);
  }

  /** Waits for a run. One that nobody waits for any more is stopped, unless the next keystroke takes it up. */
  async #wait(session: Session, pending: PendingRun, cancelled: Promise<undefined>): Promise<void> {
    pending.waiters++;
    const left = await Promise.race([pending.done.then(() => false), cancelled.then(() => true)]);
    pending.waiters--;
    if (!left) return;
    setTimeout(() => {
      if (pending.waiters === 0 && session.pendingRun === pending) pending.run.abort();
    }, detachAfterMs).unref();
  }

  /** Asks the model and remembers what it says. */
  #run(request: SuggestionRequest, at: Cut): ActiveRun {
    const { document, session } = request;
    const { suggestions } = session;
    const { prefix, suffix } = at;
    session.pendingRun?.run.abort();
    const began = performance.now();
    const run = this.#client.complete(document.uri, toRequest(request, at), runOptions(request));
    const done = run.result.then((answer) => {
      if (session.pendingRun === pending) session.pendingRun = undefined;
      const outcome = outcomeOf(at, answer);
      pending.reason = outcome.reason;
      if ('result' in answer) {
        pending.path = isCold(answer) ? 'cold' : 'reuse';
        this.#noteRun(session, answer, performance.now() - began);
      }
      keep(suggestions, at, outcome, (entry) => {
        if (pending.memory) suggestions.addAfter(pending.memory, entry);
        else suggestions.add(entry);
      });
    });
    const early = new Promise<void>((resolve) => {
      void run.early?.then(({ text, replaceSuffix }) => {
        if (session.pendingRun !== pending || session.refusals.refuses(at, text)) return;
        pending.memory = { prefix, suffix, text, replaceSuffix, thought: -1 };
        suggestions.add(pending.memory);
        resolve();
      });
    });
    const pending: ActiveRun = { prefix, suffix, run, done, early, waiters: 0, path: 'cold' };
    session.pendingRun = pending;
    return pending;
  }

  #noteRun(session: Session, answer: Answer, took: number): void {
    const { text, milliseconds, stop, candidates } = answer.result;
    this.tally.ran(answer);
    session.window = answer.window;
    if (stop === 'aborted') return;
    this.cadence.ran(took);
    if (text === '') return;
    const logprob = candidates[0]?.logprob ?? 0;
    session.lastSuggestion = { text, milliseconds, logprob, stop, thought: answer.thought };
  }

  /** When a suggestion has stood for a while, asks what would follow it. Any keystroke puts an end to that. */
  #prefetch(request: SuggestionRequest, at: Context, left: Continuation): void {
    const { document, session } = request;
    const { suggestions } = session;
    clearTimeout(session.prefetchTimer);
    session.prefetchTimer = setTimeout(() => {
      const next = accepted(at, left);
      const { prefix, suffix } = next;
      const line = suffix.split('\n', 1)[0] ?? '';
      const skipped = this.#skipReason(false, next, line, document);
      if (session.pendingRun || session.prefetch || skipped !== undefined) return;
      if (suggestions.find(next, session.version)) return;
      this.tally.prefetch.runs++;
      const options = { ...runOptions(request), invoked: false, timeBudget: undefined };
      const run = this.#client.complete(document.uri, toRequest(request, next), options, true);
      const done = run.result.then((answer) => {
        if (session.prefetch === pending) session.prefetch = undefined;
        keep(suggestions, next, outcomeOf(next, answer), (entry) => suggestions.addPrefetched(entry));
      });
      const pending: PendingRun = { prefix, suffix, run, done, waiters: 0 };
      session.prefetch = pending;
    }, prefetchDelayMs);
    session.prefetchTimer.unref();
  }

  /** @param texts what is suggested, and what can be chosen instead */
  #shown(
    request: SuggestionRequest,
    at: Cut,
    texts: readonly Continuation[],
    path: keyof typeof describePath,
  ): AnsweredList {
    this.tally.paths[path]++;
    // Not the text itself: decisions are written to the log, and a suggestion may repeat what a file keeps secret.
    request.session.decide(`${describePath[path]}: ${texts[0]?.text.length} characters`);
    return { items: texts.map((text) => itemOf(request, at, text)), path };
  }

  #nothing(session: Session, reason: string): Found {
    return { list: this.refuse(session, reason), text: '' };
  }
}

const describePath: Record<Exclude<AnswerPath, 'none'>, string> = {
  typedAlong: 'the suggestion on screen continues',
  cache: 'suggested before',
  waited: 'suggested by a run that was under way',
  memory: 'the lookup memory is sure of it',
  reuse: 'suggested by the model',
  cold: 'suggested by the model, which read its window again',
};

/** A request that is being answered. */
interface Attempt {
  readonly request: SuggestionRequest;
  readonly at: Cut;
  readonly invoked: boolean;
  /** Resolves when the editor wants no answer any more. */
  readonly cancelled: Promise<undefined>;
  /** Whether an answer is of no use any more. */
  readonly over: () => boolean;
}

function attempt(request: SuggestionRequest, at: Cut, token: CancellationToken): Attempt {
  const { document } = request;
  const { version } = document;
  return {
    request,
    at,
    invoked: isInvoked(request),
    cancelled: new Promise<undefined>((resolve) => token.onCancellationRequested(() => resolve(undefined))),
    over: () => token.isCancellationRequested || document.version !== version,
  };
}

/** What a request is answered with. */
interface Found {
  readonly list: AnsweredList;
  /** The text that is shown; empty where there is none. */
  readonly text: string;
}

/** A run that somebody waits for. */
interface ActiveRun extends PendingRun {
  /** Once it is done: how much of its window it found in the caches. */
  path: 'reuse' | 'cold';
  /** Resolves when what the memory is sure of can be shown; it may never. */
  readonly early: Promise<void>;
  /** That, once it is there. */
  memory?: Remembered | undefined;
  /** Once it is done: why nothing came of it, if so. */
  reason?: string | undefined;
}

/** Remembers what a run came to. */
function keep(suggestions: SuggestionCache, at: Context, outcome: RunOutcome, add: (entry: Remembered) => void): void {
  if (outcome.entry) add(outcome.entry);
  else if (outcome.thought !== undefined) suggestions.addEmpty(at, outcome.thought, outcome.reason);
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
