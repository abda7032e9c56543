import type { CancellationToken, InlineCompletionContext, InlineCompletionItem, Position } from 'vscode-languageserver';
import { InlineCompletionTriggerKind } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { InferenceClient } from '../inference/client';
import type { Answer, Asked, CompletionRequest, How } from '../inference/messages';
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
  type Evidence,
} from './documents';
import { Rhythm } from './rhythm';
import {
  accepted,
  aheadMs,
  couldServe,
  mayServe,
  notWorthAsking,
  orphanMs,
  type Context,
  type Continuation,
} from './schedule';
import type { Flight, Session } from './session';
import type { Thinker } from './thinker';

/** The longest that a suggestion asked for by hand waits for the thought. */
const patienceMs = 8_000;

const REFUSED = 'it was dismissed, undone or deleted here: type its first letters or trigger it manually to get it';

/** Thoughts that each write a text when somebody wants to choose. */
const THOUGHTS_TO_CHOOSE = 4;

export interface Question {
  readonly document: TextDocument;
  readonly session: Session;
  readonly position: Position;
  readonly context: InlineCompletionContext;
  readonly maxLines: number;
  readonly how: How;
  /** What stands before the document's text: see `Notebooks`. */
  readonly before: string;
  /** Other open files, for the memory. */
  readonly related: () => Evidence[];
  /** Milliseconds for an answer that nobody asked for; undefined where it may take its time. */
  readonly timeBudget: number | undefined;
  /** Whether there is thinking at all. */
  readonly thinks: boolean;
}

/** How often requests were answered in which way. */
export class Tally {
  readonly paths: Record<AnswerPath, number> = { typedAlong: 0, cache: 0, waited: 0, reuse: 0, cold: 0, none: 0 };
  cancelled = 0;
  readonly accepted = { suggestions: 0, characters: 0 };
  readonly refinementRunsWaited: number[] = [];
  refinementRunsAhead = 0;
  /** Runs that looked ahead, and answers that came of them. */
  readonly ahead = { runs: 0, served: 0 };

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
 * While a suggestion is being read, a run looks ahead at what follows it.
 */
export class Completions {
  readonly tally = new Tally();
  readonly rhythm = new Rhythm();
  readonly #client: Pick<InferenceClient, 'complete' | 'model'>;
  readonly #thinker: Thinker;

  constructor(client: Pick<InferenceClient, 'complete' | 'model'>, thinker: Thinker) {
    this.#client = client;
    this.#thinker = thinker;
  }

  /**
   * The user changed a document: what no longer fits it is given up.
   * @param before what stands before its text
   */
  changed(document: TextDocument, session: Session, before: () => string = () => ''): void {
    this.rhythm.typed(performance.now());
    clearTimeout(session.aheadTimer);
    // Of a very large document only a part is looked at, which is not worth finding here.
    const whole = document.getText();
    const text = session.inFlight && whole.length <= limits.whole ? before() + unixLines(whole) : undefined;
    if (session.inFlight && text !== undefined && !couldServe(session.inFlight, text)) session.inFlight.run.abort();
  }

  /** The user sent away what stood at a place. */
  dismissed(document: TextDocument, session: Session, position: Position, before = ''): void {
    const at = cut(document, position, before);
    if (at instanceof Refusal) return;
    clearTimeout(session.aheadTimer);
    const found = session.suggestions.find(at, session.version);
    if (!found) return;
    for (const { text } of [found.left, ...session.suggestions.beside(at, found.left.text)]) {
      session.refusals.dismissed(at, text);
    }
  }

  /** Never rejects; no suggestion is an empty list. After cancellation the answer is of no use and comes at once. */
  async answer(question: Question, token: CancellationToken): Promise<AnsweredList> {
    const { document, session, position } = question;
    const invoked = isInvoked(question);
    const at = place(question);
    clearTimeout(session.aheadTimer);
    if (at instanceof Refusal) return this.#none(session, at.reason);
    session.touched(position);
    session.under(JSON.stringify([question.maxLines, question.how]), JSON.stringify(this.#client.model));
    if (invoked) session.refusals.wanted(at);
    this.#thinker.activity(document.uri);
    const unworthy = notWorthAsking(
      invoked,
      at,
      at.suffix.slice(0, at.lineRest),
      pathFor(document),
      this.#client.model?.infills,
    );
    if (unworthy !== undefined) return this.#none(session, unworthy);

    const { version } = document;
    const cancelled = new Promise<undefined>((resolve) => token.onCancellationRequested(() => resolve(undefined)));
    const over = () => token.isCancellationRequested || document.version !== version;
    let shown = '';
    const recall = (path?: keyof typeof describePath) => {
      const found = over() ? undefined : session.suggestions.find(at, session.version, invoked);
      if (!found) return undefined;
      const { left } = found;
      if (session.refusals.refuses(at, left.text)) return this.#none(session, REFUSED);
      if (found.entry.ahead) this.tally.ahead.served++;
      session.suggestions.show(found.entry);
      this.#lookAhead(question, at, left);
      shown = left.text;
      const others = session.suggestions.beside(at, shown).filter(({ text }) => !session.refusals.refuses(at, text));
      return this.#shown(question, at, [left, ...others], path ?? found.path);
    };

    // Asked for where one stands already, others are wanted to choose from.
    const choosing = invoked && session.suggestions.find(at, session.version) !== undefined;
    if (invoked) await Promise.race([this.#thinker.now(document.uri), cancelled, delay(patienceMs)]);
    let answer = recall();
    for (const flight of [session.inFlight, session.ahead]) {
      if (answer || over() || !flight || !mayServe(flight, at)) continue;
      await this.#wait(session, flight, cancelled);
      answer = recall('waited');
    }
    const silence = answer || over() || invoked ? undefined : session.suggestions.silence(at, session.version);
    if (silence !== undefined) return this.#none(session, silence);
    if (!answer && !over() && !invoked) {
      await Promise.race([delay(this.rhythm.wait(performance.now())), cancelled]);
    }
    if (!answer && !over()) {
      const flight = this.#run(question, at);
      await this.#wait(session, flight, cancelled);
      answer = recall(flight.path);
      if (!answer && !over()) {
        return this.#none(session, flight.reason ?? 'the suggestion does not fit what is right of the cursor');
      }
    }
    if (answer && choosing && !over()) {
      await this.#choose(question, at, cancelled);
      const others = session.suggestions.beside(at, shown).map((other) => itemOf(question, at, other));
      answer = { ...answer, items: [...answer.items.slice(0, 1), ...others] };
    }
    if (answer) return answer;
    this.tally.cancelled++;
    session.decide('the editor went on before there was an answer');
    return { items: [], path: 'none' };
  }

  /** Asks for texts to choose from beside the suggestion that stands at a place: once for each place and thought. */
  async #choose(question: Question, at: Cut, cancelled: Promise<undefined>): Promise<void> {
    const { document, session } = question;
    const { prefix, suffix } = at;
    const { choice, suggestions } = session;
    if (choice?.thought === session.version && choice.prefix === prefix && choice.suffix === suffix) return;
    const asking = { ...options(question), alternatives: THOUGHTS_TO_CHOOSE };
    const run = this.#client.complete(document.uri, asked(question, at), asking);
    const answer = await Promise.race([run.result, cancelled]);
    if (!answer) run.abort();
    if (!answer || !('result' in answer) || answer.result.stop === 'aborted') return;
    const { thought } = answer;
    const { candidates } = answer.result;
    session.choice = { prefix, suffix, thought, candidates };
    const beside = candidates.map(({ text, replaceSuffix }) => ({ prefix, suffix, text, replaceSuffix, thought }));
    suggestions.addBeside(beside);
  }

  /** Waits for a run. One that nobody waits for any more is stopped, unless the next keystroke takes it up. */
  async #wait(session: Session, flight: Flight, cancelled: Promise<undefined>): Promise<void> {
    flight.waiting++;
    const left = await Promise.race([flight.done.then(() => false), cancelled.then(() => true)]);
    flight.waiting--;
    if (!left) return;
    setTimeout(() => {
      if (flight.waiting === 0 && session.inFlight === flight) flight.run.abort();
    }, orphanMs).unref();
  }

  /** Asks the model and remembers what it says. */
  #run(question: Question, at: Cut): Own {
    const { document, session } = question;
    const { suggestions } = session;
    const { prefix, suffix } = at;
    session.inFlight?.run.abort();
    const began = performance.now();
    const run = this.#client.complete(document.uri, asked(question, at), options(question));
    const done = run.result.then((answer) => {
      if (session.inFlight === flight) session.inFlight = undefined;
      if (!('result' in answer)) {
        flight.reason = answer.reason;
        return;
      }
      this.tally.ran(answer);
      session.window = answer.window;
      flight.path = isCold(answer) ? 'cold' : 'reuse';
      const { text, replaceSuffix, milliseconds, stop, partial } = answer.result;
      if (stop === 'aborted') {
        flight.reason = 'given up because the text changed meanwhile';
        return;
      }
      this.rhythm.ran(performance.now() - began);
      if (text === '') {
        flight.reason = answer.result.reason ?? 'the model suggests nothing here';
        // With more time, or with all that can be looked up, there may be something.
        if (stop !== 'time' && !partial) suggestions.addSilence(at, answer.thought, flight.reason);
        return;
      }
      const logprob = answer.result.candidates[0]?.logprob ?? 0;
      session.lastSuggestion = { text, milliseconds, logprob, stop, thought: answer.thought };
      // What was written in haste, or without all that could be looked up, serves now and is not the last word.
      const thought = partial || stop === 'time' ? -1 : answer.thought;
      suggestions.add({ prefix, suffix, text, replaceSuffix, thought });
    });
    const flight: Own = { prefix, suffix, run, done, waiting: 0, path: 'cold' };
    session.inFlight = flight;
    return flight;
  }

  /** When a suggestion has stood for a while, asks what would follow it. Any keystroke puts an end to that. */
  #lookAhead(question: Question, at: Context, left: Continuation): void {
    const { document, session } = question;
    const { suggestions } = session;
    clearTimeout(session.aheadTimer);
    session.aheadTimer = setTimeout(() => {
      const next = accepted(at, left);
      const { prefix, suffix } = next;
      const line = suffix.split('\n', 1)[0] ?? '';
      const unworthy = notWorthAsking(false, next, line, pathFor(document), this.#client.model?.infills);
      if (session.inFlight || session.ahead || unworthy !== undefined) return;
      if (suggestions.find(next, session.version)) return;
      this.tally.ahead.runs++;
      const run = this.#client.complete(
        document.uri,
        asked(question, next),
        { ...options(question), invoked: false, timeBudget: undefined },
        true,
      );
      const done = run.result.then((answer) => {
        if (session.ahead === flight) session.ahead = undefined;
        if (!('result' in answer) || answer.result.stop === 'aborted') return;
        const { text, replaceSuffix, reason, partial } = answer.result;
        const thought = partial ? -1 : answer.thought;
        if (text === '') suggestions.addSilence(next, thought, reason ?? 'the model suggests nothing here');
        else suggestions.addAhead({ prefix, suffix, text, replaceSuffix, thought });
      });
      const flight: Flight = { prefix, suffix, run, done, waiting: 0 };
      session.ahead = flight;
    }, aheadMs);
    session.aheadTimer.unref();
  }

  /** @param texts what is suggested, and what can be chosen instead */
  #shown(question: Question, at: Cut, texts: readonly Continuation[], path: keyof typeof describePath): AnsweredList {
    this.tally.paths[path]++;
    // Not the text itself: decisions are written to the log, and a suggestion may repeat what a file keeps secret.
    question.session.decide(`${describePath[path]}: ${texts[0]?.text.length} characters`);
    return { items: texts.map((text) => itemOf(question, at, text)), path };
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
  reuse: 'suggested by the model',
  cold: 'suggested by the model, which read its window again',
};

/** A run that somebody waits for. */
interface Own extends Flight {
  /** Once it is done: how much of its window it found in the caches. */
  path: 'reuse' | 'cold';
  /** Once it is done: why nothing came of it, if so. */
  reason?: string | undefined;
}

/** Whether a run read more than half of its window anew. */
function isCold({ window, result }: Answer): boolean {
  return 2 * result.read > window.prefixTokens + window.suffixTokens;
}

/** With the suggest widget open an item begins with the entry that is selected there. */
function itemOf({ document, context }: Question, at: Cut, left: Continuation): InlineCompletionItem {
  const { selectedCompletionInfo: selected } = context;
  const range = replaceRange(at, left.replaceSuffix);
  return {
    insertText: (selected?.text ?? '') + withLineEnds(document, left.text),
    range: selected ? { start: selected.range.start, end: range.end } : range,
    command: { command: ACCEPTED_COMMAND, title: '', arguments: [left.text.length] },
  };
}

/** The text around the cursor. With the suggest widget open it is what it will be when the selected entry is taken. */
function place({ document, position, context, before }: Question): Cut | Refusal {
  const selected = context.selectedCompletionInfo;
  if (!selected) return cut(document, position, before);
  const start = cut(document, selected.range.start, before);
  const end = cut(document, selected.range.end, before);
  if (start instanceof Refusal) return start;
  if (end instanceof Refusal) return end;
  return { ...end, prefix: start.prefix + selected.text };
}

function asked(question: Question, { prefix, suffix }: Context): CompletionRequest {
  const { document, how } = question;
  return { path: pathFor(document), prefix, suffix, related: how.memory ? question.related() : [] };
}

function options(question: Question): Asked {
  const { maxLines, how, thinks, timeBudget } = question;
  const invoked = isInvoked(question);
  return { maxLines, how, invoked, thinks, ...(!invoked && { timeBudget }) };
}

function isInvoked({ context }: Question): boolean {
  return context.triggerKind === InlineCompletionTriggerKind.Invoked;
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
