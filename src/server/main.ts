#!/usr/bin/env node
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createConnection,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  DidChangeWorkspaceFoldersNotification,
  ErrorCodes,
  ExecuteCommandRequest,
  FileChangeType,
  InlineCompletionRequest,
  InlineCompletionTriggerKind,
  LSPErrorCodes,
  ProposedFeatures,
  ResponseError,
  TextDocuments,
  TextDocumentSyncKind,
  WatchKind,
  type CancellationToken,
  type Disposable,
  type InitializeResult,
  type Position,
} from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { InferenceClient } from '../inference/client';
import { describe } from '../inference/lifecycle';
import { usage, type RunOptions, type SuggestionOptions } from '../inference/messages';
import {
  ACCEPTED_COMMAND,
  DismissedNotification,
  NextEditRefusedNotification,
  NextEditRequest,
  RestartRequest,
  StatisticsRequest,
  StatusNotification,
  ThoughtRequest,
  TOKEN_VARIABLE,
  WhyRequest,
  SnoozeNotification,
  UndoneNotification,
  type InlineEdits,
  type NextEdit,
} from '../protocol';
import { Scopes } from '../scopes/scopes';
import { excludedBy } from '../workspace/excluded';
import { defaultSettings, type DocumentSettings, type Settings } from '../settings';
import { Completions } from './completions';
import { EndpointWriter } from './endpoint';
import { checkedDocuments, cut, editOf, isSecret, pathFor, Refusal, siblings, type RelatedText } from './documents';
import { NextEdits } from './nextEdits';
import { ModelSwitch } from './modelSwitch';
import { Notebooks } from './notebooks';
import {
  field,
  list,
  openedFolders,
  readContext,
  readFolders,
  readPosition,
  readText,
  readThreads,
} from './parameters';
import { givenSettings, ClientSettings } from './clientSettings';
import { Session } from './session';
import { languageEnabled, readSettings, readStorage } from './settings';
import * as reasons from './reasons';
import { IndexReporter, StatusReporter } from './status';
import { RefinementScheduler, type Subject } from './refinementScheduler';
import { Workspace } from './workspace';

/** How several editors ask for next edits; no standard, but what they agree on. */
const InlineEditRequest = { method: 'textDocument/copilotInlineEdit' };

const connection = createConnection(ProposedFeatures.all);
const documents = new TextDocuments({
  ...checkedDocuments,
  update: (document, changes, version) => {
    const edit = editOf(document, changes);
    const updated = checkedDocuments.update(document, changes, version);
    const session = sessions.get(document.uri);
    session?.edited.apply(changes);
    session?.changes(changes.map(({ text }) => text));
    if (edit && session) {
      const before = notebooks.before(updated);
      session.refusals.changed({ ...edit, offset: before.length + edit.offset }, before + updated.getText());
    }
    scopes.changed(updated, changes);
    nextEdits.changed(document.uri, edit);
    return updated;
  },
});
const notebooks = new Notebooks(documents);
/** By URI, least recently used first. */
const sessions = new Map<string, Session>();
const skippedOnce = new Set<string>();
const warnedOnce = new Set<string>();

/** The longest that a request waits for the settings of its document. */
const settingsTimeoutMs = 1_000;

const clientSettings = new ClientSettings();
let settings: Settings = defaultSettings;
/** Resolves when the client has told the settings of all documents, or will not. */
let settingsReady: Promise<void> = Promise.resolve();
/** Until when suggestions are snoozed, in words; undefined while they are not. */
let snoozed: string | undefined;
/** Whether the client answers `workspace/configuration`. */
let pullsSettings = false;
/** Whether the client can be asked to watch files. */
let watches = false;
let watching: Disposable | undefined;

const log = (line: string) => connection.console.info(line);
const scopes = new Scopes(log);
const status = new StatusReporter(
  (now) => inBackground(connection.sendNotification(StatusNotification.method, now)),
  () => connection.window.createWorkDoneProgress(),
);
const client = new InferenceClient(join(__dirname, 'inference.js'), {
  lifecycle: (state) => {
    if (state.state === 'ready') {
      // Thoughts lived in the process before, if there was one.
      for (const session of sessions.values()) session.forgetThought();
      refinements.wake();
      workspace.renew();
      log(`model ready on ${state.device}`);
    }
    if (state.state !== 'ready') reading.report(undefined);
    if (state.state === 'failed' && modelSwitch.failed(state.reason)) return;
    if (state.state === 'failed') connection.console.error(state.reason);
    status.lifecycle(state, modelSwitch.status);
    modelSwitch.ready(state);
  },
  loading: (fraction, message) => status.loading(fraction, message),
  thinking: (_uri, step, steps) => status.thinking(step, steps),
  indexing: (progress) => reading.report(progress),
  log,
  notSucceeded: (reason) => modelSwitch.notSucceeded(reason),
});
const modelSwitch: ModelSwitch = new ModelSwitch(client, {
  ask: async (request) => {
    const options: RunOptions = {
      maxLines: 1,
      suggestionOptions: { ...suggestionOptionsOf(settings), confidence: 'off' },
      invoked: false,
    };
    return 'result' in (await client.complete('', request, options).result);
  },
  chosen: (model) => status.model(model),
  log,
});
const reading = new IndexReporter(
  () => connection.window.createWorkDoneProgress(),
  () => client.cancelIndexing(),
);
const workspace = new Workspace({
  wanted: () =>
    settings.enable && settings.memory === 'workspace'
      ? { languages: (language) => languageEnabled(settings.languages, language) }
      : undefined,
  excluded: async (scopeUri) => {
    if (!pullsSettings) return settings.exclude;
    const ask = (section: string): Promise<unknown> => connection.workspace.getConfiguration({ scopeUri, section });
    const [files, ours] = await Promise.all([ask('files.exclude'), ask('thoughtline.exclude')]);
    return { ...settings.exclude, ...givenSettings(files), ...givenSettings(ours) };
  },
  tell: (spec) => client.workspace(spec),
  changed: (paths) => client.changed(paths),
  watch: async (endings) => {
    if (!watches) return;
    watching?.dispose();
    watching = await connection.client.register(DidChangeWatchedFilesNotification.type, {
      watchers: [
        { globPattern: `**/*.{${endings.join()}}` },
        { globPattern: '**/.gitignore' },
        // Of a folder that is deleted nothing else is told.
        { globPattern: '**/*', kind: WatchKind.Delete },
      ],
    });
  },
  log,
});
const refinements = new RefinementScheduler(client, subject, {
  log,
  rested: () => status.rested(),
});
const writer = new EndpointWriter(client, {
  program: join(__dirname, 'endpoint.js'),
  token: takeToken(),
  mayLeave: (uri) => {
    const document = documents.get(uri);
    return document !== undefined && !isSecret(document);
  },
  settingsReady: (endpoint) => status.endpoint(endpoint),
  log,
});
const completions = new Completions(writer, refinements);
const nextEdits = new NextEdits(client, scopes);

connection.onInitialize((params): InitializeResult => {
  const options = field(params, 'initializationOptions');
  const ofWorkspace = field(field(params, 'capabilities'), 'workspace');
  pullsSettings = field(ofWorkspace, 'configuration') === true;
  watches = field(field(ofWorkspace, 'didChangeWatchedFiles'), 'dynamicRegistration') === true;
  modelSwitch.begin({
    shipped: readText(field(options, 'bundle')) || join(__dirname, '..', 'models', 'nano'),
    coder: readStorage(field(options, 'coder')),
    models: readStorage(field(options, 'models')),
    threads: readThreads(field(options, 'threads')),
    version: ownVersion(),
  });
  clientSettings.start(field(options, 'settings'));
  keepSettings();
  workspace.open(openedFolders(params), readStorage(field(options, 'storage')));
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
});
connection.onInitialized(async () => {
  onNotification(DidChangeWorkspaceFoldersNotification, (params) => {
    const event = field(params, 'event');
    workspace.folders({ added: readFolders(field(event, 'added')), removed: readFolders(field(event, 'removed')) });
  });
  settingsReady = pullSettings();
  // A model that is switched off where the client is asked is not loaded before that is known.
  await Promise.race([settingsReady, sleep(settingsTimeoutMs, undefined, { ref: false })]);
  apply();
});
onNotification(DidChangeWatchedFilesNotification, (params) => {
  const changes = list(field(params, 'changes')).flatMap((change) => {
    const uri = readText(field(change, 'uri'));
    return uri === undefined ? [] : [{ uri, deleted: field(change, 'type') === FileChangeType.Deleted }];
  });
  workspace.touched(changes);
});
onNotification(DidChangeConfigurationNotification, (params) => {
  clientSettings.push(field(params, 'settings'));
  keepSettings();
  apply();
  settingsReady = pullSettings().then(apply);
  for (const [uri, session] of sessions) askSettings(uri, session);
});
onNotification(SnoozeNotification, (params) => {
  snoozed = field(params, 'on') === true ? (readText(field(params, 'until')) ?? 'you end it') : undefined;
  applySteps();
});
onNotification(UndoneNotification, (params) => {
  const session = sessions.get(readText(field(params, 'uri')) ?? '');
  const kind = field(params, 'kind');
  if (session && (kind === 'undo' || kind === 'redo')) session.announced = kind;
});
onNotification(DismissedNotification, (params) => {
  const document = documents.get(readText(field(params, 'uri')) ?? '');
  const position = readPosition(field(params, 'position'));
  const session = document && sessions.get(document.uri);
  if (session && position) completions.dismissed(document, session, position, notebooks.before(document));
});
connection.onShutdown(() => {
  writer.close();
  client.stop();
});

documents.onDidOpen(({ document }) => {
  const session = new Session();
  sessions.set(document.uri, session);
  askSettings(document.uri, session);
  if (enabled(document)) refinements.activity(document.uri);
});
documents.onDidChangeContent(({ document }) => {
  const session = use(document.uri);
  session?.touched();
  if (session) completions.changed(document, session, () => notebooks.before(document));
  if (session && enabled(document)) refinements.activity(document.uri);
});
documents.onDidClose(({ document }) => {
  sessions.get(document.uri)?.abandon();
  sessions.delete(document.uri);
  skippedOnce.delete(document.uri);
  refinements.closed(document.uri);
  nextEdits.closed(document.uri);
});

onRequest(InlineCompletionRequest, async (params, token) => {
  const uri = readText(field(field(params, 'textDocument'), 'uri'));
  const position = readPosition(field(params, 'position'));
  if (uri === undefined || !position) return odd('textDocument.uri and position');
  const context = readContext(field(params, 'context'));
  const document = documents.get(uri);
  const session = use(uri);
  if (!document || !session) return { items: [] };
  if (pullsSettings && !session.settings) {
    await Promise.race([
      Promise.all([settingsReady, session.settingsReady]),
      sleep(settingsTimeoutMs, undefined, { ref: false }),
    ]);
  }
  const automatic = context.triggerKind === InlineCompletionTriggerKind.Automatic;
  // Who asks wants suggestions again.
  if (!automatic) session.lastChange = 'typing';
  const reason = blockedBecause(document) ?? (automatic ? autoSuppressedBecause(document, position) : undefined);
  if (reason !== undefined) {
    return completions.refuse(session, reason);
  }
  const { maxLines } = settingsOf(session);
  const timeBudget = settings.timeBudget || undefined;
  const suggestionOptions = suggestionOptionsOf(settings);
  const related = () => relatedTo(document);
  const before = notebooks.before(document);
  const thinks = settings.inferenceSteps > 0;
  const request = {
    document,
    session,
    position,
    context,
    maxLines,
    suggestionOptions,
    before,
    related,
    timeBudget,
    thinks,
  };
  const answer = await completions.answer(request, token);
  if (token.isCancellationRequested) return new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
  return answer;
});

onNotification(NextEditRefusedNotification, (params) => {
  const [id, suggestionOptions] = [field(params, 'id'), field(params, 'how')];
  if (typeof id === 'number' && (suggestionOptions === 'dismissed' || suggestionOptions === 'ignored'))
    nextEdits.refused(id, suggestionOptions);
});

onRequest(NextEditRequest, async (params, token) => {
  const uri = readText(field(params, 'uri'));
  return uri === undefined ? odd('uri') : ((await nextEdit(uri, token)) ?? null);
});

onRequest(InlineEditRequest, async (params, token): Promise<InlineEdits | ResponseError<void>> => {
  const uri = readText(field(field(params, 'textDocument'), 'uri'));
  if (uri === undefined) return odd('textDocument.uri');
  const found = await nextEdit(uri, token);
  if (!found) return { edits: [] };
  const { newText: text, range, version } = found;
  return { edits: [{ text, range, textDocument: { uri: found.uri, version } }] };
});

onRequest(ThoughtRequest, (params) => {
  const uri = readText(field(params, 'uri'));
  if (uri === undefined) return odd('uri');
  const session = sessions.get(uri);
  // Who looks at a document's thought wants it up to date, whatever the editor opened in the background meanwhile.
  refinements.watched(uri);
  const { lifecycle, model } = client;
  if (!session?.thought || lifecycle.state !== 'ready' || !model) return null;
  const { trace, made, begun, likelier } = session.thought;
  const { lastSuggestion: last, choice, version } = session;
  return {
    uri,
    steps: session.thoughtAbout?.steps ?? settings.inferenceSteps,
    made,
    begun,
    trace,
    likelier,
    device: lifecycle.device,
    window: session.window,
    ...(last && { lastSuggestion: { ...last, under: underOf(last.thought, version) } }),
    ...(choice && {
      choice: choice.candidates.map(({ text, logprob, logprobs = [] }) => ({ text, logprob, logprobs })),
    }),
    latencies: completions.cadence.latencies,
    model,
  };
});

onRequest(WhyRequest, (params) => {
  const [uri, position] = [readText(field(params, 'uri')), readPosition(field(params, 'position'))];
  if (uri === undefined || !position) return odd('uri and position');
  const document = documents.get(uri);
  const session = sessions.get(uri);
  if (!document || !session) return { reason: 'the server has not been told about this document', details: [] };
  const text = document.getText();
  const sum = createHash('sha256').update(text).digest('hex');
  const copy = `the server's copy: version ${document.version}, ${text.length} characters, SHA-256 ${sum}`;
  const edits = settings.nextEdits === 'off' ? undefined : nextEdits.lastDecision;
  const details = [...session.history(), ...(edits === undefined ? [] : [`next edit: ${edits}`]), copy];
  const standing = blockedBecause(document) ?? autoSuppressedBecause(document, position);
  if (standing !== undefined) return { reason: standing, standing: true, details };
  return { reason: lastReason(document, session, position), details };
});

onRequest(ExecuteCommandRequest, (params) => {
  if (readText(field(params, 'command')) !== ACCEPTED_COMMAND) return odd(`the command ${ACCEPTED_COMMAND}`);
  const [characters] = list(field(params, 'arguments'));
  const { accepted } = completions.tally;
  accepted.suggestions++;
  if (Number.isSafeInteger(characters) && (characters as number) > 0) accepted.characters += characters as number;
  return null;
});

onRequest(RestartRequest, () => {
  if (settings.enable) modelSwitch.restart();
  return null;
});

onRequest(StatisticsRequest, async () => {
  const { paths, cancelled, accepted, refinementRunsWaited, refinementRunsAhead, prefetch } = completions.tally;
  const [server, inference] = [usage(), await client.usage()];
  return {
    paths,
    cancelled,
    accepted,
    refinementRunsWaited: [...refinementRunsWaited],
    refinementRunsAhead,
    prefetch,
    respawns: client.respawns,
    ...(client.pid !== undefined && { inferencePid: client.pid }),
    memory: { server: server.memoryMb, inference: inference.memoryMb },
    cpu: { server: server.cpuSeconds, inference: inference.cpuSeconds },
  };
});

// Each promise has somebody who handles its failure; one that was forgotten is not worth the end of the server.
process.on('unhandledRejection', (error) => log(`unexpected: ${String(error)}`));
documents.listen(connection);
notebooks.listen(connection);
connection.listen();

/** Client and server packages may hold two copies of `vscode-jsonrpc`: what they share of a message type is its name. */
function onRequest(type: { method: string }, handler: (params: unknown, token: CancellationToken) => unknown): void {
  connection.onRequest(type.method, handler);
}

function onNotification(type: { method: string }, handler: (params: unknown) => void): void {
  connection.onNotification(type.method, handler);
}

/** The edit that may be next after what was changed in a document; none where suggestions are off or snoozed. */
async function nextEdit(uri: string, token: CancellationToken): Promise<NextEdit | undefined> {
  const document = documents.get(uri);
  const kinds = settings.nextEdits;
  if (!document || kinds === 'off') return undefined;
  const reason = blockedBecause(document) ?? restraint(document);
  if (reason !== undefined) return nextEdits.refuse(reason);
  const open = [...sessions.keys()].reverse().flatMap((key) => documents.get(key) ?? []);
  return nextEdits.next({ document, open: open.filter(enabled), kinds }, token);
}

/** What stands against a next edit, which nobody asks for by hand. */
function restraint(document: TextDocument): string | undefined {
  const session = sessions.get(document.uri);
  const { lastChange = 'typing' } = session ?? {};
  // To delete something is an edit, too; what is in a comment is decided place by place.
  const change = lastChange === 'deletion' ? 'typing' : lastChange;
  const { trigger } = settingsOf(session);
  return reasons.autoSuppressedBecause({
    snoozed,
    trigger,
    lastChange: change,
    text: () => document.getText(),
    scope: () => 'code',
  });
}

/** The answer to a request without what it is about. */
function odd(fields: string): ResponseError<void> {
  return new ResponseError(ErrorCodes.InvalidParams, `the request needs ${fields}`);
}

/** What nobody waits for may fail, which is told. */
function inBackground(work: Promise<unknown>): void {
  work.catch((error: unknown) => log(String(error)));
}

function keepSettings(): void {
  warnedOnce.clear();
  settings = readAndWarn(clientSettings.all());
}

/** Asks the client for the settings of all documents. Never rejects. */
async function pullSettings(): Promise<void> {
  if (!pullsSettings) return;
  try {
    clientSettings.pull(await connection.workspace.getConfiguration('thoughtline'));
    keepSettings();
  } catch (error) {
    log(`the settings cannot be asked for: ${String(error)}`);
  }
}

/** Which thought a suggestion was written under, seen from the one that serves now. */
function underOf(thought: number, now: number): 'this' | 'earlier' | 'start' {
  if (thought === now) return 'this';
  return thought === 0 ? 'start' : 'earlier';
}

/** Settings made whole; what is wrong with them is said once, however many documents have them. */
function readAndWarn(given: unknown): Settings {
  const read = readSettings(given);
  for (const problem of read.problems) {
    if (!warnedOnce.has(problem)) connection.console.warn(problem);
    warnedOnce.add(problem);
  }
  return read.settings;
}

/** Asks the client for the settings of one document. What it says is kept until settings change. */
function askSettings(uri: string, session: Session): void {
  if (!pullsSettings) return;
  session.settings = undefined;
  session.settingsReady = connection.workspace.getConfiguration({ scopeUri: uri, section: 'thoughtline' }).then(
    (given: unknown) => {
      // A client that says nothing of a document says nothing else of it than of all.
      session.settings = givenSettings(given) && readAndWarn(clientSettings.all(given));
    },
    (error: unknown) => log(`${uri}: its settings are not known: ${String(error)}`),
  );
}

/** What a suggestion depends on. */
function suggestionOptionsOf({ memory, confidence }: Settings): SuggestionOptions {
  return { memory: memory !== 'off', confidence };
}

/** The extension's version, where it lies next to this program. */
function ownVersion(): string {
  try {
    const { version } = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { version: string };
    return version;
  } catch {
    return 'unknown';
  }
}

/** The endpoint's token, from the environment; no process that is started from here inherits it. */
function takeToken(): string | undefined {
  const token = process.env[TOKEN_VARIABLE];
  delete process.env[TOKEN_VARIABLE];
  return token || undefined;
}

function settingsOf(session: Session | undefined): DocumentSettings {
  return session?.settings ?? settings;
}

function applySteps(): void {
  const thinks = settings.enable && snoozed === undefined;
  refinements.steps = thinks ? settings.inferenceSteps : 0;
}

/** Makes the settings true. */
function apply(): void {
  applySteps();
  if (settings.inferenceSteps === 0) {
    for (const [uri, session] of sessions) {
      session.forgetThought();
      client.forget(uri);
    }
  }
  writer.open(settings.enable ? settings.endpoint : '');
  if (!settings.enable) client.stop();
  else modelSwitch.apply(settings);
  if (client.lifecycle.state === 'ready') inBackground(workspace.apply());
  // Also where nothing changed: a client that has just started knows nothing yet.
  status.lifecycle(client.lifecycle);
}

/** Whether a document is completed, thought about, and evidence for others. */
function enabled(document: TextDocument): boolean {
  return settings.enable && languageOn(document) && excluding(document) === undefined;
}

function languageOn({ uri, languageId }: TextDocument): boolean {
  return languageEnabled(settingsOf(sessions.get(uri)).languages, languageId);
}

/** The glob that excludes a document. */
function excluding({ uri }: TextDocument): string | undefined {
  return excludedBy(workspace.inside(uri), settingsOf(sessions.get(uri)).exclude);
}

/** The session of a document that is being used. */
function use(uri: string): Session | undefined {
  const session = sessions.get(uri);
  if (session) {
    sessions.delete(uri);
    sessions.set(uri, session);
  }
  return session;
}

/** Why any suggestion in a document is blocked, if it is. */
function blockedBecause(document: TextDocument): string | undefined {
  const { lifecycle } = client;
  return reasons.blockedBecause({
    enable: settings.enable,
    language: document.languageId,
    languageOn: languageOn(document),
    excludedBy: excluding(document),
    failure: lifecycle.state === 'failed' ? describe(lifecycle) : undefined,
  });
}

/** Why an automatic suggestion is suppressed, if it is. */
function autoSuppressedBecause(document: TextDocument, position: Position): string | undefined {
  const session = sessions.get(document.uri);
  return reasons.autoSuppressedBecause({
    snoozed,
    trigger: settingsOf(session).trigger,
    lastChange: session?.lastChange ?? 'typing',
    text: () => document.getText(),
    scope: () => scopes.at(document, position),
  });
}

/** What became of the last request. */
function lastReason(document: TextDocument, session: Session, position: Position): string {
  const { lifecycle } = client;
  if (lifecycle.state !== 'ready') return describe(lifecycle);
  const at = cut(document, position, notebooks.before(document));
  if (at instanceof Refusal) return at.reason;
  return session.lastDecision ?? 'no suggestion has been asked for in this document yet';
}

/** A document as something to think about, with its siblings. */
function subject(uri: string): Subject | undefined {
  const document = documents.get(uri);
  const session = sessions.get(uri);
  // The thought about a file becomes a part of the workspace's, with which those about others begin.
  if (!document || !session || !enabled(document) || isSecret(document)) return undefined;
  const request = () => {
    const at = cut(document, session.cursor ?? { line: 0, character: 0 }, notebooks.before(document));
    if (at instanceof Refusal) return undefined;
    const { prefix, suffix, position } = at;
    // Of a very large document only a part is told; cells above a notebook's stand before it.
    const first = position.line - (prefix.split('\n').length - 1);
    const edited = session.edited.lines.map((line) => line - first).filter((line) => line >= 0);
    return { path: pathFor(document), prefix, suffix, related: relatedTo(document), edited };
  };
  return { session, request };
}

/** Other open files that may tell something about a document. */
function relatedTo(document: TextDocument): RelatedText[] {
  // The cells above are not told twice.
  const above = new Set(notebooks.above(document.uri));
  const open = [...sessions.keys()].flatMap((key) => (above.has(key) ? [] : (documents.get(key) ?? [])));
  const { related, skipped } = siblings(open, document, enabled, ({ uri }) => sessions.get(uri)?.edited.lines ?? []);
  for (const { uri: other, reason } of skipped) {
    if (!skippedOnce.has(other)) log(`${other} is no evidence for other files: ${reason}`);
    skippedOnce.add(other);
  }
  return related;
}
