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
import { ACCEPTED_COMMAND, RestartRequest, SnoozeNotification } from '../protocol';
import { ownVersion } from './environment';
import { onNotification, onRequest } from './handlers';
import type { LanguageServer } from './languageServer';
import { field, list, openedFolders, readFolders, readText, readThreads } from './parameters';
import { readStorage } from './settings';

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
    configuration.push(field(params, 'settings'));
    server.apply();
    void configuration.pull().then(() => server.apply());
    for (const [uri, session] of server.open.sessions) configuration.ask(uri, session);
  });
  onNotification(connection, SnoozeNotification, (params) => {
    const until = readText(field(params, 'until')) ?? 'you end it';
    restrictions.snoozed = field(params, 'on') === true ? until : undefined;
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
  const options = field(params, 'initializationOptions');
  const ofWorkspace = field(field(params, 'capabilities'), 'workspace');
  server.watches = field(field(ofWorkspace, 'didChangeWatchedFiles'), 'dynamicRegistration') === true;
  server.modelSwitch.begin({
    shipped: readText(field(options, 'bundle')) || join(__dirname, '..', 'models', 'nano'),
    coder: readStorage(field(options, 'coder')),
    models: readStorage(field(options, 'models')),
    threads: readThreads(field(options, 'threads')),
    version: ownVersion(),
  });
  server.configuration.start(field(options, 'settings'), field(ofWorkspace, 'configuration') === true);
  server.workspace.open(openedFolders(params), readStorage(field(options, 'storage')));
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
    const event = field(params, 'event');
    workspace.folders({ added: readFolders(field(event, 'added')), removed: readFolders(field(event, 'removed')) });
  });
  onNotification(connection, DidChangeWatchedFilesNotification, (params) => {
    const changes = list(field(params, 'changes')).flatMap((change) => {
      const uri = readText(field(change, 'uri'));
      return uri === undefined ? [] : [{ uri, deleted: field(change, 'type') === FileChangeType.Deleted }];
    });
    workspace.touched(changes);
  });
}
