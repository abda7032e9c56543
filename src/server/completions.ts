import type { CancellationToken, InlineCompletionContext, InlineCompletionItem, Position } from 'vscode-languageserver';
import { InlineCompletionTriggerKind } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { InferenceClient } from '../inference/client';
import type { Answer, RunOptions, CompletionRequest, SuggestionOptions } from '../inference/messages';
import { ACCEPTED_COMMAND, type AnsweredList, type AnswerPath } from '../protocol';
import {
  cut,
  limits,
  pathFor,
  Refusal,
  replaceRange,
  unixLines,
  withLineEnds,
  type Cut,
  type RelatedText,
} from './documents';
import { TypingCadence } from './typingCadence';
import {
  accepted,
  prefetchDelayMs,
  couldServe,
  mayServe,
  skipReason,
  detachAfterMs,
  type Context,
  type Continuation,
} from './schedule';
import type { Remembered } from './suggestionCache';
import type { PendingRun, Session } from './session';
import type { RefinementScheduler } from './refinementScheduler';

/** The longest that a manually triggered suggestion waits for the thought. */
const thoughtTimeoutMs = 8_000;

const REFUSED = 'it was dismissed, undone or deleted here: type its first letters or trigger it manually to get it';

/** Thoughts that each write a text when somebody wants to choose. */
const THOUGHTS_TO_CHOOSE = 4;

export interface SuggestionRequest {
  readonly document: TextDocument;
  readonly session: Session;
  readonly position: Position;
  readonly context: InlineCompletionContext;
  readonly maxLines: number;
  readonly suggestionOptions: SuggestionOptions;
  /** What stands before the document's text: see `Notebooks`. */
  readonly before: string;
  /** Other open files, for the memory. */
  readonly related: () => RelatedText[];
  /** Milliseconds for an automatic suggestion; undefined where it may take its time. */
  readonly timeBudget: number | undefined;
  /** Whether there is thinking at all. */
  readonly thinks: boolean;
}

/** How often requests were answered in which way. */
export class Tally {
  readonly paths: Record<AnswerPath, number> = {
    typedAlong: 0,
    cache: 0,
    waited: 0,
    memory: 0,
    reuse: 0,
    cold: 0,
    none: 0,
  };
  cancelled = 0;
  readonly accepted = { suggestions: 0, characters: 0 };
  readonly refinementRunsWaited: number[] = [];
  refinementRunsAhead = 0;
  /** Prefetches, and answers that came of them. */
  readonly prefetch = { runs: 0, served: 0 };

  ran(answer: Answer): void {
    const runs = answer.refinementRunsWaited;
    while (this.refinementRunsWaited.length <= runs) this.refinementRunsWaited.push(0);
    this.refinementRunsWaited[runs]!++;
    this.refinementRunsAhead += answer.refinementRunsAhead;
  }
}

/**
 * Answers requests for suggestions, the cheapest way first: the suggestion on screen if the user types along with it, one
 * made here before, a run in flight that may still fit, a new run. The session's decisions say which, or why there is none.
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
    const text = session.pendingRun && whole.length <= limits.whole ? before() + unixLines(whole) : undefined;
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
    const { document, session, position } = request;
    const invoked = isInvoked(request);
    const at = place(request);
    clearTimeout(session.prefetchTimer);
    if (at instanceof Refusal) return this.#none(session, at.reason);
    session.touched(position);
    session.under(JSON.stringify([request.maxLines, request.suggestionOptions]), JSON.stringify(this.#client.model));
    if (invoked) session.refusals.wanted(at);
    this.#refinements.activity(document.uri);
    const skipped = skipReason(
      invoked,
      at,
      at.suffix.slice(0, at.lineRest),
      pathFor(document),
      this.#client.model?.infills,
    );
    if (skipped !== undefined) return this.#none(session, skipped);

    const { version } = document;
    const cancelled = new Promise<undefined>((resolve) => token.onCancellationRequested(() => resolve(undefined)));
    const over = () => token.isCancellationRequested || document.version !== version;
    let shown = '';
    const recall = (path?: keyof typeof describePath) => {
      const found = over() ? undefined : session.suggestions.find(at, session.version, invoked);
      if (!found) return undefined;
      const { left } = found;
      if (session.refusals.refuses(at, left.text)) return this.#none(session, REFUSED);
      if (found.entry.prefetched) this.tally.prefetch.served++;
      session.suggestions.show(found.entry);
      this.#prefetch(request, at, left);
      shown = left.text;
      const others = session.suggestions
        .alternatives(at, shown)
        .filter(({ text }) => !session.refusals.refuses(at, text));
      return this.#shown(request, at, [left, ...others], path ?? found.path);
    };

    // Asked for where one stands already, others are wanted to choose from.
    const choosing = invoked && session.suggestions.find(at, session.version) !== undefined;
    if (invoked) await Promise.race([this.#refinements.now(document.uri), cancelled, delay(thoughtTimeoutMs)]);
    let answer = recall();
    for (const pending of [session.pendingRun, session.prefetch]) {
      if (answer || over() || !pending || !mayServe(pending, at)) continue;
      await this.#wait(session, pending, cancelled);
      answer = recall('waited');
    }
    const emptyResult = answer || over() || invoked ? undefined : session.suggestions.emptyResult(at, session.version);
    if (emptyResult !== undefined) return this.#none(session, emptyResult);
    if (!answer && !over() && !invoked) {
      await Promise.race([delay(this.cadence.wait(performance.now())), cancelled]);
    }
    if (!answer && !over()) {
      const pending = this.#run(request, at);
      await Promise.race([this.#wait(session, pending, cancelled), pending.early]);
      answer = recall(pending.memory ? 'memory' : pending.path);
      if (!answer && !over()) {
        return this.#none(session, pending.reason ?? 'the suggestion does not fit what is right of the cursor');
      }
    }
    if (answer && choosing && !over()) {
      await this.#choose(request, at, cancelled);
      const others = session.suggestions.alternatives(at, shown).map((other) => itemOf(request, at, other));
      answer = { ...answer, items: [...answer.items.slice(0, 1), ...others] };
    }
    if (answer) return answer;
    this.tally.cancelled++;
    session.decide('the editor went on before there was an answer');
    return { items: [], path: 'none' };
  }

  /** Asks for alternatives to the suggestion that stands at a place: once for each place and thought. */
  async #choose(request: SuggestionRequest, at: Cut, cancelled: Promise<undefined>): Promise<void> {
    const { document, session } = request;
    const { prefix, suffix } = at;
    const { choice, suggestions } = session;
    if (choice?.thought === session.version && choice.prefix === prefix && choice.suffix === suffix) return;
    const asking = { ...options(request), alternatives: THOUGHTS_TO_CHOOSE };
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
    const run = this.#client.complete(document.uri, toRequest(request, at), options(request));
    const done = run.result.then((answer) => {
      if (session.pendingRun === pending) session.pendingRun = undefined;
      if (!('result' in answer)) {
        pending.reason = answer.reason;
        return;
      }
      this.tally.ran(answer);
      session.window = answer.window;
      pending.path = isCold(answer) ? 'cold' : 'reuse';
      const { text, replaceSuffix, milliseconds, stop, partial } = answer.result;
      if (stop === 'aborted') {
        pending.reason = 'given up because the text changed meanwhile';
        return;
      }
      this.cadence.ran(performance.now() - began);
      if (text === '') {
        pending.reason = answer.result.reason ?? 'the model suggests nothing here';
        // With more time, or with all that can be looked up, there may be something.
        if (stop !== 'time' && !partial) suggestions.addEmpty(at, answer.thought, pending.reason);
        return;
      }
      const logprob = answer.result.candidates[0]?.logprob ?? 0;
      session.lastSuggestion = { text, milliseconds, logprob, stop, thought: answer.thought };
      // What was written in haste, or without all that could be looked up, serves now and is not the last word.
      const thought = partial || stop === 'time' ? -1 : answer.thought;
      const entry = { prefix, suffix, text, replaceSuffix, thought };
      if (pending.memory) suggestions.addAfter(pending.memory, entry);
      else suggestions.add(entry);
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

  /** When a suggestion has stood for a while, asks what would follow it. Any keystroke puts an end to that. */
  #prefetch(request: SuggestionRequest, at: Context, left: Continuation): void {
    const { document, session } = request;
    const { suggestions } = session;
    clearTimeout(session.prefetchTimer);
    session.prefetchTimer = setTimeout(() => {
      const next = accepted(at, left);
      const { prefix, suffix } = next;
      const line = suffix.split('\n', 1)[0] ?? '';
      const skipped = skipReason(false, next, line, pathFor(document), this.#client.model?.infills);
      if (session.pendingRun || session.prefetch || skipped !== undefined) return;
      if (suggestions.find(next, session.version)) return;
      this.tally.prefetch.runs++;
      const run = this.#client.complete(
        document.uri,
        toRequest(request, next),
        { ...options(request), invoked: false, timeBudget: undefined },
        true,
      );
      const done = run.result.then((answer) => {
        if (session.prefetch === pending) session.prefetch = undefined;
        if (!('result' in answer) || answer.result.stop === 'aborted') return;
        const { text, replaceSuffix, reason, partial } = answer.result;
        const thought = partial ? -1 : answer.thought;
        if (text === '') suggestions.addEmpty(next, thought, reason ?? 'the model suggests nothing here');
        else suggestions.addPrefetched({ prefix, suffix, text, replaceSuffix, thought });
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

  /** Notes that a request was declined without asking the model. */
  refuse(session: Session, reason: string): AnsweredList {
    return this.#none(session, reason);
  }

  #none(session: Session, reason: string): AnsweredList {
    this.tally.paths.none++;
    session.decide(reason);
    return { items: [], path: 'none' };
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

/** Whether a run read more than half of its window again. */
function isCold({ window, result }: Answer): boolean {
  return 2 * result.read > window.prefixTokens + window.suffixTokens;
}

/** With the suggest widget open an item begins with the entry that is selected there. */
function itemOf({ document, context }: SuggestionRequest, at: Cut, left: Continuation): InlineCompletionItem {
  const { selectedCompletionInfo: selected } = context;
  const range = replaceRange(at, left.replaceSuffix);
  return {
    insertText: (selected?.text ?? '') + withLineEnds(document, left.text),
    range: selected ? { start: selected.range.start, end: range.end } : range,
    command: { command: ACCEPTED_COMMAND, title: '', arguments: [left.text.length] },
  };
}

/** The text around the cursor. With the suggest widget open it is what it will be when the selected entry is taken. */
function place({ document, position, context, before }: SuggestionRequest): Cut | Refusal {
  const selected = context.selectedCompletionInfo;
  if (!selected) return cut(document, position, before);
  const start = cut(document, selected.range.start, before);
  const end = cut(document, selected.range.end, before);
  if (start instanceof Refusal) return start;
  if (end instanceof Refusal) return end;
  return { ...end, prefix: start.prefix + selected.text };
}

function toRequest(request: SuggestionRequest, { prefix, suffix }: Context): CompletionRequest {
  const { document, suggestionOptions } = request;
  return { path: pathFor(document), prefix, suffix, related: suggestionOptions.memory ? request.related() : [] };
}

function options(request: SuggestionRequest): RunOptions {
  const { maxLines, suggestionOptions, thinks, timeBudget } = request;
  const invoked = isInvoked(request);
  return { maxLines, suggestionOptions, invoked, thinks, ...(!invoked && { timeBudget }) };
}

function isInvoked({ context }: SuggestionRequest): boolean {
  return context.triggerKind === InlineCompletionTriggerKind.Invoked;
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
