import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  createConnection,
  LSPErrorCodes,
  ProposedFeatures,
  ResponseError,
  TextDocuments,
  TextDocumentSyncKind,
  type InitializeResult,
  type Position,
} from 'vscode-languageserver/node';
import type { RequestType } from 'vscode-jsonrpc';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { describe, InferenceClient } from '../inference/client';
import {
  defaultSettings,
  RestartRequest,
  StatisticsRequest,
  StatusNotification,
  ThoughtRequest,
  WhyRequest,
  type InitializationOptions,
  type Settings,
} from '../protocol';
import { Completions } from './completions';
import { cut, pathOf, Refusal, siblings, type Evidence } from './documents';
import { Session } from './session';
import { languageEnabled, readSettings } from './settings';
import { StatusReporter } from './status';
import { Thinker, type Subject } from './thinker';

const connection = createConnection(ProposedFeatures.all);
const documents = new TextDocuments(TextDocument);
/** By URI, least recently used first. */
const sessions = new Map<string, Session>();
const skippedOnce = new Set<string>();

let settings: Settings = defaultSettings;
let bundle = join(__dirname, '..', 'models', 'nano');

const log = (line: string) => connection.console.info(line);
const status = new StatusReporter(
  (now) => void connection.sendNotification(StatusNotification.method, now),
  () => connection.window.createWorkDoneProgress(),
);
const client = new InferenceClient(join(__dirname, 'inference.js'), {
  lifecycle: (state) => {
    if (state.state === 'ready') {
      // Thoughts lived in the process before, if there was one.
      for (const session of sessions.values()) session.forgetThought();
      thinker.wake();
      log(`model ready on ${state.device}`);
    }
    if (state.state === 'failed') connection.console.error(state.reason);
    status.lifecycle(state);
  },
  loading: (fraction, message) => status.loading(fraction, message),
  thinking: (_uri, step, steps) => status.thinking(step, steps),
  log,
});
const thinker = new Thinker(client, subject, {
  log,
  rested: () => status.rested(),
});
const completions = new Completions(client, thinker);

connection.onInitialize(({ initializationOptions }): InitializeResult => {
  const options = initializationOptions as Partial<InitializationOptions> | undefined;
  if (typeof options?.bundle === 'string' && options.bundle !== '') bundle = options.bundle;
  readAndKeep(options?.settings);
  return {
    capabilities: {
      textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
      inlineCompletionProvider: {},
    },
    serverInfo: { name: 'thoughtline' },
  };
});
connection.onInitialized(apply);
connection.onDidChangeConfiguration((change) => {
  const given = change.settings as { thoughtline?: unknown } | null | undefined;
  readAndKeep(given?.thoughtline);
  apply();
});
connection.onShutdown(() => client.stop());

documents.onDidOpen(({ document }) => {
  sessions.set(document.uri, new Session());
  if (enabled(document.languageId)) thinker.activity(document.uri);
});
documents.onDidChangeContent(({ document }) => {
  const session = use(document.uri);
  session?.touched();
  if (session && enabled(document.languageId)) thinker.activity(document.uri);
});
documents.onDidClose(({ document }) => {
  sessions.get(document.uri)?.inFlight?.run.abort();
  sessions.delete(document.uri);
  skippedOnce.delete(document.uri);
  thinker.closed(document.uri);
});

connection.languages.inlineCompletion.on(async ({ textDocument, position, context }, token) => {
  const document = documents.get(textDocument.uri);
  const session = use(textDocument.uri);
  if (!document || !session) return { items: [] };
  const reason = obstacle(document);
  if (reason !== undefined) {
    completions.refuse(session, reason);
    return { items: [] };
  }
  const { maxLines, memory } = settings;
  const related = () => relatedTo(document);
  const question = { document, session, position, context, maxLines, memory, related };
  const items = await completions.answer(question, token);
  if (token.isCancellationRequested) return new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
  return { items };
});

onRequest(ThoughtRequest, ({ uri }) => {
  const session = sessions.get(uri);
  // Who looks at a document's thought wants it up to date, whatever the editor opened in the background meanwhile.
  thinker.watched(uri);
  const { lifecycle, model } = client;
  if (!session?.thought || lifecycle.state !== 'ready' || !model) return null;
  const { trace, made } = session.thought;
  return {
    uri,
    steps: session.thoughtAbout?.steps ?? settings.inferenceSteps,
    made,
    trace,
    device: lifecycle.device,
    window: session.window,
    ...(session.lastSuggestion && { lastSuggestion: session.lastSuggestion }),
    model,
  };
});

onRequest(WhyRequest, ({ uri, position }) => {
  const document = documents.get(uri);
  const session = sessions.get(uri);
  if (!document || !session) return { reason: 'the server has not been told about this document', details: [] };
  const text = document.getText();
  const sum = createHash('sha256').update(text).digest('hex');
  const copy = `the server's copy: version ${document.version}, ${text.length} characters, SHA-256 ${sum}`;
  return { reason: why(document, session, position), details: [...session.history(), copy] };
});

onRequest(RestartRequest, () => {
  if (settings.enable) client.restart();
  return null;
});

onRequest(StatisticsRequest, async () => {
  const { paths, cancelled, refinementRunsWaited } = completions.tally;
  const server = Math.round(process.memoryUsage.rss() / 1e6);
  return {
    paths,
    cancelled,
    refinementRunsWaited: [...refinementRunsWaited],
    respawns: client.respawns,
    ...(client.pid !== undefined && { inferencePid: client.pid }),
    memory: { server, inference: await client.memory() },
  };
});

documents.listen(connection);
connection.listen();

/** Client and server packages may hold two copies of `vscode-jsonrpc`: what they share of a request type is its name. */
function onRequest<P, R>(type: RequestType<P, R, void>, handler: (params: P) => R | Promise<R>): void {
  connection.onRequest(type.method, (params: P): unknown => handler(params));
}

function readAndKeep(given: unknown): void {
  const read = readSettings(given);
  settings = read.settings;
  for (const problem of read.problems) connection.console.warn(problem);
}

/** Makes the settings true. */
function apply(): void {
  thinker.steps = settings.enable ? settings.inferenceSteps : 0;
  if (settings.inferenceSteps === 0) {
    for (const [uri, session] of sessions) {
      session.forgetThought();
      client.forget(uri);
    }
  }
  if (!settings.enable) client.stop();
  else client.open({ bundle: settings.modelPath || bundle, device: settings.device });
  // Also where nothing changed: a client that has just started knows nothing yet.
  status.lifecycle(client.lifecycle);
}

function enabled(languageId: string): boolean {
  return settings.enable && languageEnabled(settings.languages, languageId);
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

/** What stands against any suggestion in a document. */
function obstacle(document: TextDocument): string | undefined {
  if (!settings.enable) return 'completion is switched off (thoughtline.enable)';
  if (!languageEnabled(settings.languages, document.languageId)) {
    return `completion is off for the language "${document.languageId}" (thoughtline.languages)`;
  }
  const { lifecycle } = client;
  return lifecycle.state === 'failed' ? describe(lifecycle) : undefined;
}

function why(document: TextDocument, session: Session, position: Position): string {
  const standing = obstacle(document);
  if (standing !== undefined) return standing;
  const { lifecycle } = client;
  if (lifecycle.state !== 'ready') return describe(lifecycle);
  const at = cut(document, position);
  if (at instanceof Refusal) return at.reason;
  return session.lastDecision ?? 'no suggestion has been asked for in this document yet';
}

/** A document as something to think about, with its siblings. */
function subject(uri: string): Subject | undefined {
  const document = documents.get(uri);
  const session = sessions.get(uri);
  if (!document || !session || !enabled(document.languageId)) return undefined;
  const request = () => {
    const at = cut(document, session.cursor ?? { line: 0, character: 0 });
    if (at instanceof Refusal) return undefined;
    return { path: pathOf(uri), prefix: at.prefix, suffix: at.suffix, related: relatedTo(document) };
  };
  return { session, request };
}

/** Other open files that may tell something about a document. */
function relatedTo(document: TextDocument): Evidence[] {
  const open = [...sessions.keys()].flatMap((key) => documents.get(key) ?? []);
  const { related, skipped } = siblings(open, document, enabled);
  for (const { uri: other, reason } of skipped) {
    if (!skippedOnce.has(other)) log(`${other} is no evidence for other files: ${reason}`);
    skippedOnce.add(other);
  }
  return related;
}
