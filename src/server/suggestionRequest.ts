/** A request for a suggestion as it comes from a client, and what of it the model is asked and the client is answered. */
import { InlineCompletionTriggerKind } from 'vscode-languageserver';
import type { InlineCompletionContext, InlineCompletionItem, Position } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { CompletionRequest, RunOptions, SuggestionOptions } from '../inference/messages';
import { ACCEPTED_COMMAND } from '../protocol';
import type { Context, Continuation } from './continuation';
import { cut, pathFor, Refusal, replaceRange, withLineEnds, type Cut, type RelatedText } from './documents';
import type { Session } from './session';

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

/** With the suggest widget open an item begins with the entry that is selected there. */
export function itemOf({ document, context }: SuggestionRequest, at: Cut, left: Continuation): InlineCompletionItem {
  const { selectedCompletionInfo: selected } = context;
  const range = replaceRange(at, left.replaceSuffix);
  return {
    insertText: (selected?.text ?? '') + withLineEnds(document, left.text),
    range: selected ? { start: selected.range.start, end: range.end } : range,
    command: { command: ACCEPTED_COMMAND, title: '', arguments: [left.text.length] },
  };
}

/** The text around the cursor. With the suggest widget open it is what it will be when the selected entry is taken. */
export function place({ document, position, context, before }: SuggestionRequest): Cut | Refusal {
  const selected = context.selectedCompletionInfo;
  if (!selected) return cut(document, position, before);
  const start = cut(document, selected.range.start, before);
  const end = cut(document, selected.range.end, before);
  if (start instanceof Refusal) return start;
  if (end instanceof Refusal) return end;
  return { ...end, prefix: start.prefix + selected.text };
}

export function toRequest(request: SuggestionRequest, { prefix, suffix }: Context): CompletionRequest {
  const { document, suggestionOptions } = request;
  return { path: pathFor(document), prefix, suffix, related: suggestionOptions.memory ? request.related() : [] };
}

export function runOptions(request: SuggestionRequest): RunOptions {
  const { maxLines, suggestionOptions, thinks, timeBudget } = request;
  const invoked = isInvoked(request);
  return { maxLines, suggestionOptions, invoked, thinks, ...(!invoked && { timeBudget }) };
}

export function isInvoked({ context }: SuggestionRequest): boolean {
  return context.triggerKind === InlineCompletionTriggerKind.Invoked;
}
