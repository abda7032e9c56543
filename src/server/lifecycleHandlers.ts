/** The server starts, settings and folders change, it ends. */
import { join } from 'node:path';
import {
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  DidChangeWorkspaceFoldersNotification,
  FileChangeType,
  TextDocumentSyncKind,
  type InitializeResult,
} from 'vscode-languageserver/node';
import * as z from 'zod';
import { ACCEPTED_COMMAND, RestartRequest, SnoozeNotification } from '../protocol';
import { ownVersion } from './environment';
import { onNotification, onRequest } from './handlers';
import type { LanguageServer } from './languageServer';
import {
  anything,
  openedFolders,
  optional,
  optionalFolder,
  optionalText,
  parts,
  readFolders,
  threads,
} from './parameters';

const yes = optional(z.boolean());
const start = parts({
  /** What this server alone is started with. */
  initializationOptions: parts({
    bundle: optionalText,
    coder: optionalFolder,
    models: optionalFolder,
    storage: optionalFolder,
    threads,
    settings: anything,
  }),
  capabilities: parts({
    workspace: parts({ configuration: yes, didChangeWatchedFiles: parts({ dynamicRegistration: yes }) }),
  }),
});
const changedSettings = parts({ settings: anything });
const snooze = parts({ on: yes, until: optionalText });
const changedFolders = parts({ event: parts({ added: anything, removed: anything }) });
const changedFiles = parts({ changes: z.array(parts({ uri: optionalText, type: anything })).catch([]) });

export function handleLifecycle(server: LanguageServer): void {
  const { connection, configuration, restrictions } = server;
  connection.onInitialize((params) => initialize(server, params));
  connection.onInitialized(async () => {
    handleFolders(server);
    void configuration.pull();
    // A model that is switched off where the client is asked is not loaded before that is known.
    await configuration.known();
    server.apply();
  });
  onNotification(connection, DidChangeConfigurationNotification, (params) => {
    configuration.push(changedSettings.parse(params).settings);
    server.apply();
    void configuration.pull().then(() => server.apply());
    for (const [uri, session] of server.open.sessions) configuration.ask(uri, session);
  });
  onNotification(connection, SnoozeNotification, (params) => {
    const { on, until = 'you end it' } = snooze.parse(params);
    restrictions.snoozed = on ? until : undefined;
    server.applySteps();
  });
  onRequest(connection, RestartRequest, () => {
    if (configuration.settings.enable) server.modelSwitch.restart();
    return null;
  });
  connection.onShutdown(() => {
    server.writer.close();
    server.client.stop();
  });
}

function initialize(server: LanguageServer, params: unknown): InitializeResult {
  const { initializationOptions: options, capabilities } = start.parse(params);
  const { configuration, didChangeWatchedFiles } = capabilities.workspace;
  server.watches = didChangeWatchedFiles.dynamicRegistration ?? false;
  server.modelSwitch.begin({
    shipped: options.bundle || join(__dirname, '..', 'models', 'nano'),
    coder: options.coder,
    models: options.models,
    threads: options.threads,
    version: ownVersion(),
  });
  server.configuration.start(options.settings, configuration ?? false);
  server.workspace.open(openedFolders(params), options.storage);
  return {
    capabilities: {
      workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
      textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
      notebookDocumentSync: { notebookSelector: [{ notebook: '*' }] },
      inlineCompletionProvider: {},
      executeCommandProvider: { commands: [ACCEPTED_COMMAND] },
    },
    serverInfo: { name: 'thoughtline', version: ownVersion() },
  };
}

function handleFolders({ connection, workspace }: LanguageServer): void {
  onNotification(connection, DidChangeWorkspaceFoldersNotification, (params) => {
    const { added, removed } = changedFolders.parse(params).event;
    workspace.folders({ added: readFolders(added), removed: readFolders(removed) });
  });
  onNotification(connection, DidChangeWatchedFilesNotification, (params) => {
    const { changes } = changedFiles.parse(params);
    workspace.touched(
      changes.flatMap(({ uri, type }) =>
        uri === undefined ? [] : [{ uri, deleted: type === FileChangeType.Deleted }],
      ),
    );
  });
}
