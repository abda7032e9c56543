/** Suggestions and next edits are asked for, accepted and dismissed. */
import {
  ExecuteCommandRequest,
  InlineCompletionRequest,
  InlineCompletionTriggerKind,
  LSPErrorCodes,
  ResponseError,
  type CancellationToken,
} from 'vscode-languageserver/node';
import {
  ACCEPTED_COMMAND,
  DismissedNotification,
  NextEditRefusedNotification,
  NextEditRequest,
  type InlineEdits,
  type NextEdit,
} from '../protocol';
import { needs, onNotification, onRequest } from './handlers';
import type { LanguageServer } from './languageServer';
import { field, list, readContext, readPosition, readText } from './parameters';

/** How several editors ask for next edits; no standard, but what they agree on. */
const InlineEditRequest = { method: 'textDocument/copilotInlineEdit' };

export function handleSuggestions(server: LanguageServer): void {
  const { connection, open, completions } = server;
  onRequest(connection, InlineCompletionRequest, (params, token) => suggest(server, params, token));
  onNotification(connection, DismissedNotification, (params) => {
    const document = open.get(readText(field(params, 'uri')) ?? '');
    const position = readPosition(field(params, 'position'));
    const session = document && open.sessions.get(document.uri);
    if (session && position) completions.dismissed(document, session, position, open.before(document));
  });
  onRequest(connection, ExecuteCommandRequest, (params) => {
    if (readText(field(params, 'command')) !== ACCEPTED_COMMAND) return needs(`the command ${ACCEPTED_COMMAND}`);
    const [characters] = list(field(params, 'arguments'));
    const { accepted } = completions.tally;
    accepted.suggestions++;
    if (Number.isSafeInteger(characters) && (characters as number) > 0) accepted.characters += characters as number;
    return null;
  });
}

async function suggest(server: LanguageServer, params: unknown, token: CancellationToken) {
  const { configuration, open, restrictions, completions } = server;
  const uri = readText(field(field(params, 'textDocument'), 'uri'));
  const position = readPosition(field(params, 'position'));
  if (uri === undefined || !position) return needs('textDocument.uri and position');
  const context = readContext(field(params, 'context'));
  const document = open.get(uri);
  const session = open.use(uri);
  if (!document || !session) return { items: [] };
  await configuration.known(session);
  const automatic = context.triggerKind === InlineCompletionTriggerKind.Automatic;
  // Who asks wants suggestions again.
  if (!automatic) session.lastChange = 'typing';
  const blocked = restrictions.blockedBecause(document);
  const reason = blocked ?? (automatic ? restrictions.autoSuppressedBecause(document, position) : undefined);
  if (reason !== undefined) return completions.refuse(session, reason);
  const { settings, suggestionOptions } = configuration;
  const request = {
    document,
    session,
    position,
    context,
    maxLines: configuration.of(session).maxLines,
    suggestionOptions,
    before: open.before(document),
    related: () => open.relatedTo(document),
    timeBudget: settings.timeBudget || undefined,
    thinks: server.stepsWanted > 0,
  };
  const answer = await completions.answer(request, token);
  if (token.isCancellationRequested) return new ResponseError<void>(LSPErrorCodes.RequestCancelled, 'cancelled');
  return answer;
}

export function handleNextEdits(server: LanguageServer): void {
  const { connection } = server;
  onNotification(connection, NextEditRefusedNotification, (params) => {
    const [id, how] = [field(params, 'id'), field(params, 'how')];
    if (typeof id === 'number' && (how === 'dismissed' || how === 'ignored')) server.nextEdits.refused(id, how);
  });
  onRequest(connection, NextEditRequest, async (params, token) => {
    const uri = readText(field(params, 'uri'));
    return uri === undefined ? needs('uri') : ((await nextEdit(server, uri, token)) ?? null);
  });
  onRequest(connection, InlineEditRequest, async (params, token): Promise<InlineEdits | ResponseError<void>> => {
    const uri = readText(field(field(params, 'textDocument'), 'uri'));
    if (uri === undefined) return needs('textDocument.uri');
    const found = await nextEdit(server, uri, token);
    if (!found) return { edits: [] };
    const { newText: text, range, version } = found;
    return { edits: [{ text, range, textDocument: { uri: found.uri, version } }] };
  });
}

/** The edit that may be next after what was changed in a document; none where suggestions are off or snoozed. */
async function nextEdit(
  { configuration, open, nextEdits, restrictions }: LanguageServer,
  uri: string,
  token: CancellationToken,
): Promise<NextEdit | undefined> {
  const document = open.get(uri);
  const kinds = configuration.settings.nextEdits;
  if (!document || kinds === 'off') return undefined;
  const reason = restrictions.noNextEditBecause(document);
  if (reason !== undefined) return nextEdits.refuse(reason);
  return nextEdits.next({ document, open: open.recent(), kinds }, token);
}
