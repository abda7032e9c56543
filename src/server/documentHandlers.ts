/** Documents are opened, changed and closed. */
import * as z from 'zod';
import { UndoneNotification } from '../protocol';
import { onNotification } from './handlers';
import type { LanguageServer } from './languageServer';
import { optional, optionalText, parts } from './parameters';

const undone = parts({ uri: optionalText, kind: optional(z.enum(['undo', 'redo'])) });

export function handleDocuments(server: LanguageServer): void {
  const { connection, configuration, open, refinements, completions, nextEdits } = server;
  open.texts.onDidOpen(({ document }) => {
    configuration.ask(document.uri, open.opened(document.uri));
    if (open.enabled(document)) refinements.activity(document.uri);
  });
  open.texts.onDidChangeContent(({ document }) => {
    const session = open.use(document.uri);
    session?.touched();
    if (session) completions.changed(document, session, () => open.before(document));
    if (session && open.enabled(document)) refinements.activity(document.uri);
  });
  open.texts.onDidClose(({ document }) => {
    open.closed(document.uri);
    refinements.closed(document.uri);
    nextEdits.closed(document.uri);
  });
  onNotification(connection, UndoneNotification, (params) => {
    const { uri, kind } = undone.parse(params);
    const session = open.sessions.get(uri ?? '');
    if (session && kind) session.announced = kind;
  });
}
