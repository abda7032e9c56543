import type { CancellationToken, InlineCompletionContext, InlineCompletionItem, Position } from 'vscode-languageserver';
import { InlineCompletionTriggerKind } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { InferenceClient } from '../inference/client';
import type { Answer } from '../inference/messages';
import type { AnswerPath } from '../protocol';
import { cut, pathOf, Refusal, replaceRange, withLineEnds, type Cut, type Evidence } from './documents';
import { mayServe, notWorthAsking, type Continuation } from './schedule';
import type { Session } from './session';
import type { Thinker } from './thinker';

/** The longest that a suggestion asked for by hand waits for the thought. */
const patienceMs = 8_000;

export interface Question {
  readonly document: TextDocument;
  readonly session: Session;
  readonly position: Position;
  readonly context: InlineCompletionContext;
  readonly maxLines: number;
  /** Whether the lookup memory has its say. */
  readonly memory: boolean;
  /** Other open files, for the memory. */
  readonly related: () => Evidence[];
}

/** How often requests were answered in which way. */
export class Tally {
  readonly paths: Record<AnswerPath, number> = { typedAlong: 0, cache: 0, waited: 0, run: 0, none: 0 };
  cancelled = 0;
  readonly refinementRunsWaited: number[] = [];

  ran(answer: Answer): void {
    const runs = answer.refinementRunsWaited;
    while (this.refinementRunsWaited.length <= runs) this.refinementRunsWaited.push(0);
    this.refinementRunsWaited[runs]!++;
  }
}

/**
 * Answers requests for suggestions, the cheapest way first: the suggestion on screen if the user types along with it, one
 * made here before, a run in flight that may still fit, a new run. The session's decisions say which, or why there is none.
 */
export class Completions {
  readonly tally = new Tally();
  readonly #client: InferenceClient;
  readonly #thinker: Thinker;

  constructor(client: InferenceClient, thinker: Thinker) {
    this.#client = client;
    this.#thinker = thinker;
  }

  /** Never rejects; no suggestion is an empty list. After cancellation the answer is of no use and comes at once. */
  async answer(question: Question, token: CancellationToken): Promise<InlineCompletionItem[]> {
    const { document, session, position } = question;
    const invoked = isInvoked(question);
    const at = place(question);
    if (at instanceof Refusal) return this.#none(session, at.reason);
    session.touched(position);
    this.#thinker.activity(document.uri);
    const unworthy = notWorthAsking(invoked, at.suffix.slice(0, at.lineRest));
    if (unworthy !== undefined) return this.#none(session, unworthy);

    const { version } = document;
    const cancelled = new Promise<undefined>((resolve) => token.onCancellationRequested(() => resolve(undefined)));
    const over = () => token.isCancellationRequested || document.version !== version;
    const recall = (path?: keyof typeof describePath) => {
      const found = over() ? undefined : session.suggestions.find(at, session.version, invoked);
      return found && [this.#item(question, at, found.left, path ?? found.path)];
    };

    if (invoked) await Promise.race([this.#thinker.now(document.uri), cancelled, delay(patienceMs)]);
    let items = recall();
    const { inFlight } = session;
    if (!items && !over() && inFlight && mayServe(inFlight, at)) {
      await Promise.race([inFlight.done, cancelled]);
      items = recall('waited');
    }
    if (!items && !over()) {
      const reason = await Promise.race([this.#run(question, at), cancelled]);
      items = recall('run');
      if (!items && !over())
        return this.#none(session, reason ?? 'the suggestion does not fit what is right of the cursor');
    }
    if (items) return items;
    this.tally.cancelled++;
    session.decide('the editor went on before there was an answer');
    return [];
  }

  /** Asks the model and remembers what it says. Resolves with the reason if that is nothing. */
  async #run(question: Question, at: Cut): Promise<string | undefined> {
    const { document, session } = question;
    const { prefix, suffix } = at;
    session.inFlight?.run.abort();
    const { maxLines, memory } = question;
    const request = { path: pathOf(document.uri), prefix, suffix, related: memory ? question.related() : [] };
    const invoked = isInvoked(question);
    const run = this.#client.complete(document.uri, request, { maxLines, memory, invoked });
    const reason = run.result.then((answer) => {
      if (session.inFlight?.run === run) session.inFlight = undefined;
      if (!('result' in answer)) return answer.reason;
      this.tally.ran(answer);
      session.window = answer.window;
      const { text, replaceSuffix, milliseconds, stop, candidates } = answer.result;
      if (stop === 'aborted') return 'given up because the text changed meanwhile';
      if (text === '') return answer.result.reason ?? 'the model suggests nothing here';
      const logprob = candidates[0]?.logprob ?? 0;
      session.lastSuggestion = { text, milliseconds, logprob, stop };
      // What was written without all that could be looked up serves now, and is not the last word.
      const thought = answer.result.partial ? -1 : answer.thought;
      session.suggestions.add({ prefix, suffix, text, replaceSuffix, thought });
      return undefined;
    });
    session.inFlight = { prefix, suffix, run, done: reason.then(() => undefined) };
    return reason;
  }

  #item(question: Question, at: Cut, left: Continuation, path: keyof typeof describePath): InlineCompletionItem {
    const { document, session } = question;
    const { selectedCompletionInfo: selected } = question.context;
    this.tally.paths[path]++;
    session.decide(`${describePath[path]}: ${JSON.stringify(left.text)}`);
    const range = replaceRange(at, left.replaceSuffix);
    return {
      insertText: (selected?.text ?? '') + withLineEnds(document, left.text),
      range: selected ? { start: selected.range.start, end: range.end } : range,
    };
  }

  /** Notes that a request was declined without asking the model. */
  refuse(session: Session, reason: string): void {
    this.#none(session, reason);
  }

  #none(session: Session, reason: string): [] {
    this.tally.paths.none++;
    session.decide(reason);
    return [];
  }
}

const describePath: Record<Exclude<AnswerPath, 'none'>, string> = {
  typedAlong: 'the suggestion on screen goes on',
  cache: 'suggested before',
  waited: 'suggested by a run that was under way',
  run: 'suggested by the model',
};

/** The text around the cursor. With the suggest widget open it is what it will be when the selected entry is taken. */
function place({ document, position, context }: Question): Cut | Refusal {
  const selected = context.selectedCompletionInfo;
  if (!selected) return cut(document, position);
  const before = cut(document, selected.range.start);
  const after = cut(document, selected.range.end);
  if (before instanceof Refusal) return before;
  if (after instanceof Refusal) return after;
  return { ...after, prefix: before.prefix + selected.text };
}

function isInvoked({ context }: Question): boolean {
  return context.triggerKind === InlineCompletionTriggerKind.Invoked;
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
