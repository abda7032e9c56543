import { setTimeout as sleep } from 'node:timers/promises';
import type { Uri } from 'vscode';
import {
  EventEmitter,
  InlineCompletionTriggerKind,
  l10n,
  TextDocumentChangeReason,
  workspace,
  type CancellationToken,
  type Disposable,
  type InlineCompletionItem,
  type LogOutputChannel,
  type Position,
  type TextDocument,
  type TextDocumentChangeEvent,
} from 'vscode';
import {
  CloseAction,
  DidChangeConfigurationNotification,
  ErrorAction,
  ErrorCodes,
  ResponseError,
  RevealOutputChannelOn,
  TransportKind,
  type CloseHandlerResult,
  type LanguageClientOptions,
  type ServerOptions,
} from 'vscode-languageclient/node';
import { QuietLanguageClient } from './quietClient';
import { ShownDocuments } from './shownDocuments';
import { copilotSuggests, yieldMs } from './copilot';
import { acceptedCommand, SCHEMES, section } from './names';
import { Requests } from './requests';
import { readSettings } from './settings';
import { t, useTranslator } from './l10n';
import { restartDelay, restartLimit, restartWindow } from './restarts';
import {
  DismissedNotification,
  NextEditRefusedNotification,
  NextEditRequest,
  SnoozeNotification,
  StatusNotification,
  ThoughtRequest,
  TOKEN_VARIABLE,
  UndoneNotification,
  WhyRequest,
  type InitializationOptions,
  type NextEdit,
  type Status,
  type ThoughtReport,
  type WhyReport,
} from '../protocol';
import type { Settings } from '../settings';

export interface ServerPlace {
  /** The server's script. */
  script: string;
  /** Folder that the server runs in: the extension's, never the workspace's. */
  folder: string;
  /** The model bundle that comes with the extension. */
  bundle: string;
  /** Folder of the code model's bundle, where it has been got. */
  coder: () => string | undefined;
  /** Folder for what is found out about models. */
  models: string;
  /** Token of `thoughtline.endpoint`, as the user keeps it with VS Code. */
  token: () => PromiseLike<string | undefined>;
  /** Folder for what is kept of this workspace between sessions; none for a window without a workspace. */
  storage: string | undefined;
}

/** An answer of the server, as the editor gets it. */
export interface Offered {
  document: TextDocument;
  /** Where the suggestion goes on, and what of it; undefined where there is none. */
  offset: number;
  text: string | undefined;
  /** What can be chosen instead. */
  others: string[];
  milliseconds: number;
}

/** Documents that the server is told about. Their text goes to the server process on this machine and no further. */
const documentSelector = SCHEMES.map((scheme) => ({ scheme }));

// This file is a bundle of its own, loaded after the extension has been activated.
useTranslator((message, ...values) => l10n.t(message, ...values));

/**
 * The language server as the extension sees it: started, watched, started again when it dies, and asked questions.
 * Suggestions themselves come through the language client's own inline completion provider.
 */
export class Client implements Disposable {
  readonly #statusChanged = new EventEmitter<Status>();
  readonly #suggested = new EventEmitter<Offered>();
  readonly onStatus = this.#statusChanged.event;
  /** Fires when the server has answered a request for a suggestion. */
  readonly onSuggested = this.#suggested.event;
  readonly #shown = new ShownDocuments();
  /** What the editor has asked. */
  readonly requests = new Requests();
  #client: QuietLanguageClient | undefined;
  #ends: number[] = [];
  #refused = false;
  #status: Status = { state: 'off' };
  /** One start, stop or restart after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly place: ServerPlace,
    private readonly log: LogOutputChannel,
    private readonly settings: () => Settings,
    /** How long suggestions are snoozed, in words. */
    private readonly snoozed: () => string | undefined,
  ) {}

  get status(): Status {
    return this.#status;
  }

  get started(): boolean {
    return this.#client !== undefined;
  }

  /** Starts the server unless it has been started. Failures go to the log and the status, never to the caller. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#client === undefined) await this.#launch();
    });
  }

  /** Ends the server and starts a new one, also after it was given up. */
  restart(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#end();
      this.#ends = [];
      await this.#launch();
    });
  }

  stop(): Promise<void> {
    return this.#inTurn(() => this.#end());
  }

  /** Tells the server that settings changed. */
  async configure(): Promise<void> {
    const settings = { thoughtline: this.settings() };
    if (this.#client?.isRunning()) {
      await this.#client.sendNotification(DidChangeConfigurationNotification.type, { settings });
    }
  }

  /** Tells the server whether suggestions are snoozed. */
  async snooze(): Promise<void> {
    const until = this.snoozed();
    if (!this.#client?.isRunning()) return;
    await this.#client.sendNotification(SnoozeNotification, { on: until !== undefined, ...(until && { until }) });
  }

  /** The thought on a document; null where there is none (yet). */
  async thought(document: TextDocument): Promise<ThoughtReport | null> {
    if (!this.#client?.isRunning()) return null;
    const uri = this.#client.code2ProtocolConverter.asUri(document.uri);
    return this.#client.sendRequest(ThoughtRequest, { uri });
  }

  /** Tells the server that the user sent away what it had suggested at a position. */
  async dismissed(document: TextDocument, position: Position): Promise<void> {
    if (!this.#client?.isRunning()) return;
    const convert = this.#client.code2ProtocolConverter;
    const params = { uri: convert.asUri(document.uri), position: convert.asPosition(position) };
    await this.#client.sendNotification(DismissedNotification, params);
  }

  /** The edit that may be the user's next; null where there is none. */
  async nextEdit(document: TextDocument, token: CancellationToken): Promise<NextEdit | null> {
    if (!this.#client?.isRunning()) return null;
    const uri = this.#client.code2ProtocolConverter.asUri(document.uri);
    return this.#client.sendRequest(NextEditRequest, { uri }, token);
  }

  /** Tells the server that a next edit was sent away, or that the user went on without it. */
  async refusedEdit(id: number, how: 'dismissed' | 'ignored'): Promise<void> {
    if (this.#client?.isRunning()) await this.#client.sendNotification(NextEditRefusedNotification, { id, how });
  }

  /** Why there is no suggestion at a position. */
  async why(document: TextDocument, position: Position): Promise<WhyReport | null> {
    if (!this.#client?.isRunning()) return null;
    const convert = this.#client.code2ProtocolConverter;
    const params = { uri: convert.asUri(document.uri), position: convert.asPosition(position) };
    return this.#client.sendRequest(WhyRequest, params);
  }

  dispose(): void {
    void this.stop();
    this.#shown.dispose();
    this.#statusChanged.dispose();
    this.#suggested.dispose();
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(action).catch((error: unknown) => this.log.error(String(error)));
    return this.#turn;
  }

  async #launch(): Promise<void> {
    this.#refused = false;
    this.#show({ state: 'loading' });
    const server = this.#serverOptions(await this.place.token());
    const client = new QuietLanguageClient('thoughtline', 'Thoughtline', server, this.#clientOptions());
    this.#client = client;
    this.#shown.watch(client);
    client.onNotification(StatusNotification, (status) => {
      // A server that starts, also again after its end, begins with its first status and knows of no snooze.
      if (status.state === 'loading' && this.snoozed() !== undefined) void this.snooze();
      this.#show(status);
    });
    await client.start().catch((error: unknown) => {
      // The client has logged it. A server that is being started again says itself how it fares.
      if (this.#client === client && this.#status.state === 'loading' && !client.needsStop()) this.#fail(reason(error));
    });
  }

  async #end(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) {
      await client.dispose(2000).catch((error: unknown) => this.log.debug(`stopping: ${reason(error)}`));
    }
    this.#show({ state: 'off' });
  }

  /** @param token by the environment: in no message, so in no trace of messages */
  #serverOptions(token: string | undefined): ServerOptions {
    const module = {
      module: this.place.script,
      transport: TransportKind.ipc,
      options: {
        cwd: this.place.folder,
        execArgv: [] as string[],
        ...(token !== undefined && { env: { [TOKEN_VARIABLE]: token } }),
      },
    };
    return {
      run: module,
      debug: { ...module, options: { ...module.options, execArgv: ['--nolazy', '--inspect=6029'] } },
    };
  }

  #clientOptions(): LanguageClientOptions {
    return {
      documentSelector,
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: (): InitializationOptions => ({
        bundle: this.place.bundle,
        coder: this.place.coder(),
        models: this.place.models,
        settings: this.settings(),
        storage: this.place.storage,
      }),
      initializationFailedHandler: (error) => {
        // An answer means that the server lives and refuses: starting it again would end the same way.
        this.#refused = error instanceof ResponseError && error.code !== ErrorCodes.PendingResponseRejected;
        this.#fail(reason(error));
        return false;
      },
      errorHandler: {
        // A broken message is logged; whether the process lives is known when its channel closes.
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => this.#closed(),
      },
      middleware: {
        ...this.#shown.middleware,
        didChange: async (event, next) => {
          await this.#announce(event);
          await this.#shown.middleware.didChange(event, next);
        },
        provideInlineCompletionItems: async (document, position, context, token, next) => {
          await this.#shown.release(document.uri);
          const began = performance.now();
          const request = this.requests.begun(String(document.uri), document.version);
          const beside = context.triggerKind === InlineCompletionTriggerKind.Automatic && copilotSuggests(document);
          const { besideCopilot } = this.settings();
          if (beside && besideCopilot === 'manual') {
            this.#traceGiven(0);
            return undefined;
          }
          const answer = await next(document, position, context, token);
          if (beside && besideCopilot === 'yield') await this.#yield(began + yieldMs - performance.now(), token);
          if (token.isCancellationRequested) {
            this.requests.cancelled(request, document.version);
            return answer;
          }
          const items = (Array.isArray(answer) ? answer : answer?.items) ?? [];
          for (const item of items) item.command = { command: acceptedCommand, title: '' };
          this.requests.answered(request, items.length > 0);
          this.#traceGiven(items.length);
          const offset = document.offsetAt(position);
          const [text, ...others] = items.map((item) => textFrom(document, offset, item));
          this.#suggested.fire({ document, offset, text, others, milliseconds: performance.now() - began });
          return answer;
        },
        workspace: {
          // The server asks by address alone; settings of a language need the document. Those of all are the ones that it
          // is told at the start: in Restricted Mode they are not what is written.
          configuration: (params, token, next) => {
            const settings = params.items.map((item) => {
              if (item.section === section && item.scopeUri === undefined) return this.settings();
              const document = workspace.textDocuments.find(({ uri }) => this.#address(uri) === item.scopeUri);
              return item.section === section && document !== undefined ? readSettings(document) : undefined;
            });
            return settings.every((found) => found !== undefined) ? settings : next(params, token);
          },
        },
      },
    };
  }

  /** Tells the server of undo and redo before it hears of the change. */
  async #announce({ document, reason: why }: TextDocumentChangeEvent): Promise<void> {
    if (why === undefined || !this.#client?.isRunning()) return;
    const uri = this.#client.code2ProtocolConverter.asUri(document.uri);
    const kind = why === TextDocumentChangeReason.Undo ? 'undo' : 'redo';
    await this.#client.sendNotification(UndoneNotification, { uri, kind });
  }

  /** Waits, so that another provider's suggestion comes first where it has one; no longer than the editor does. */
  async #yield(milliseconds: number, token: CancellationToken): Promise<void> {
    const control = new AbortController();
    const subscription = token.onCancellationRequested(() => control.abort());
    await sleep(Math.max(0, milliseconds), undefined, { signal: control.signal }).catch(() => undefined);
    subscription.dispose();
  }

  /** The last that is known of a suggestion here: whether it is drawn is the editor's affair. */
  #traceGiven(count: number): void {
    this.log.trace(`the editor is given ${count} suggestions`);
  }

  #address(uri: Uri): string | undefined {
    return this.#client?.code2ProtocolConverter.asUri(uri);
  }

  async #closed(): Promise<CloseHandlerResult> {
    const client = this.#client;
    if (client === undefined || this.#refused) return { action: CloseAction.DoNotRestart, handled: true };
    this.#ends.push(Date.now());
    const delay = restartDelay(this.#ends);
    if (delay === null) {
      this.#fail(
        t(
          'its server ended {0} times within {1} minutes; run "Thoughtline: Restart"',
          restartLimit,
          restartWindow / 60_000,
        ),
      );
      return { action: CloseAction.DoNotRestart, handled: true };
    }
    this.#show({ state: 'loading' });
    await sleep(delay);
    const wanted = this.#client === client;
    return { action: wanted ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true };
  }

  #fail(why: string): void {
    this.#show({ state: 'failed', reason: why });
  }

  #show(status: Status): void {
    this.#status = status;
    this.#statusChanged.fire(status);
  }
}

/** What an item writes from a place on. Its range may begin before that, with text that is there already. */
function textFrom(document: TextDocument, offset: number, { insertText, range }: InlineCompletionItem): string {
  const text = typeof insertText === 'string' ? insertText : insertText.value;
  return range === undefined ? text : text.slice(Math.max(0, offset - document.offsetAt(range.start)));
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
