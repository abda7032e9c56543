/** Suggestions and next edits are asked for, accepted and dismissed. */
import {
  ExecuteCommandRequest,
  InlineCompletionRequest,
  InlineCompletionTriggerKind,
  LSPErrorCodes,
  ResponseError,
  type CancellationToken,
} from 'vscode-languageserver/node';
import * as z from 'zod';
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
import {
  anything,
  documentParameter,
  optional,
  optionalPosition,
  optionalText,
  parts,
  readContext,
} from './parameters';

const dismissed = parts({ uri: optionalText, position: optionalPosition });
/** The command's argument: how many characters were accepted. */
const executed = parts({ command: optionalText, arguments: optional(z.tuple([z.int().positive()], z.unknown())) });
const suggestionAt = parts({ textDocument: documentParameter, position: optionalPosition, context: anything });
const refusedEdit = z.object({ id: z.number(), how: z.enum(['dismissed', 'ignored']) });
const inlineEdit = parts({ textDocument: documentParameter });

/** How several editors ask for next edits; no standard, but what they agree on. */
const InlineEditRequest = { method: 'textDocument/copilotInlineEdit' };

export function handleSuggestions(server: LanguageServer): void {
  const { connection, open, completions } = server;
  onRequest(connection, InlineCompletionRequest, (params, token) => suggest(server, params, token));
  onNotification(connection, DismissedNotification, (params) => {
    const { uri, position } = dismissed.parse(params);
    const document = open.get(uri ?? '');
    const session = document && open.sessions.get(document.uri);
    if (session && position) completions.dismissed(document, session, position, open.before(document));
  });
  onRequest(connection, ExecuteCommandRequest, (params) => {
    const { command, arguments: [characters] = [0] } = executed.parse(params);
    if (command !== ACCEPTED_COMMAND) return needs(`the command ${ACCEPTED_COMMAND}`);
    const { accepted } = completions.tally;
    accepted.suggestions++;
    accepted.characters += characters;
    return null;
  });
}

async function suggest(server: LanguageServer, params: unknown, token: CancellationToken) {
  const { configuration, open, restrictions, completions } = server;
  const given = suggestionAt.parse(params);
  const { position } = given;
  const { uri } = given.textDocument;
  if (uri === undefined || !position) return needs('textDocument.uri and position');
  const context = readContext(given.context);
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
    thinks: server.stepsWanted.idle > 0,
  };
  const answer = await completions.answer(request, token);
  if (token.isCancellationRequested) return new ResponseError<void>(LSPErrorCodes.RequestCancelled, 'cancelled');
  return answer;
}

export function handleNextEdits(server: LanguageServer): void {
  const { connection } = server;
  onNotification(connection, NextEditRefusedNotification, (params) => {
    const refused = refusedEdit.safeParse(params).data;
    if (refused) server.nextEdits.refused(refused.id, refused.how);
  });
  onRequest(connection, NextEditRequest, async (params, token) => {
    const { uri } = documentParameter.parse(params);
    return uri === undefined ? needs('uri') : ((await nextEdit(server, uri, token)) ?? null);
  });
  onRequest(connection, InlineEditRequest, async (params, token): Promise<InlineEdits | ResponseError<void>> => {
    const { uri } = inlineEdit.parse(params).textDocument;
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
