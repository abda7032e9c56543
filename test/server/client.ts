import { fork, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createProtocolConnection,
  InlineCompletionTriggerKind,
  IPCMessageReader,
  IPCMessageWriter,
  StreamMessageReader,
  StreamMessageWriter,
  CancellationToken,
  type ClientCapabilities,
  type ConfigurationParams,
  type InitializeResult,
  type InlineCompletionItem,
  type InlineCompletionList,
  type Position,
  type ProtocolConnection,
  type Registration,
  type RegistrationParams,
  type SelectedCompletionInfo,
  type TextDocumentContentChangeEvent,
  type WorkDoneProgressBegin,
  type WorkDoneProgressEnd,
  type WorkDoneProgressReport,
} from 'vscode-languageserver-protocol/node';
import {
  StatisticsRequest,
  StatusNotification,
  ThoughtRequest,
  WhyRequest,
  type Statistics,
  type Status,
  type ThoughtReport,
  type WhyReport,
} from '../../src/protocol';
import type { Settings } from '../../src/settings';

export const root = resolve(__dirname, '../..');
export const frozen = join(root, 'test/fixtures/frozen');
export const dist = resolve(root, process.env['THOUGHTLINE_DIST'] ?? 'dist');
export const tiny = join(root, 'models/tiny');

const shipped = resolve(root, process.env['THOUGHTLINE_BUNDLE'] ?? 'models/nano');

/** The bundle that ships, where it has been made; else the one with random weights. */
export const bundle = existsSync(join(shipped, 'manifest.json')) ? shipped : tiny;

export interface Start {
  bundle?: string;
  settings?: Record<string, unknown>;
  threads?: number;
  capabilities?: ClientCapabilities;
  transport?: 'stdio' | 'ipc';
  /** Folders of the workspace, as URIs. */
  folders?: string[];
  /** Where the server may keep something between sessions. */
  storage?: string;
  /** Folder of the bundle `coder`, and of what is found out about models. */
  coder?: string;
  models?: string;
  /** Over stdio: words before the server's command line, and the folder that it is started in. */
  launcher?: readonly string[];
  cwd?: string;
  /** Parameters of `initialize` in place of this client's own. */
  initialize?: Record<string, unknown>;
  /** What `workspace/configuration` is answered with for a document. */
  configuration?: (uri: string) => unknown;
  /** Another server than the one in `dist`, and what is added to its environment. */
  program?: string;
  environment?: NodeJS.ProcessEnv;
  /** Whether what the server writes is kept for inspection: a long run would grow with it. */
  keepOutput?: boolean;
}

/** What is written to a server over stdio goes through here: at once, or all together when the gate opens. */
class Gate extends Writable {
  #held: Buffer[] | undefined;

  constructor(readonly server: ChildProcess) {
    super();
  }

  close(): void {
    this.#held = [];
  }

  open(): void {
    const all = Buffer.concat(this.#held ?? []);
    this.#held = undefined;
    this.server.stdin!.write(all);
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (!this.#held) return void this.server.stdin!.write(chunk, done);
    this.#held.push(chunk);
    done();
  }
}

/** A language server client of the real protocol library over a real server process. */
export class LspClient {
  readonly statuses: Status[] = [];
  readonly logs: string[] = [];
  readonly registrations: Registration[] = [];
  /** Of progress that the server has begun. */
  readonly tokens: (string | number)[] = [];
  readonly progress: (WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd)[] = [];
  /** Everything the server wrote to its standard output and error. */
  readonly output = { stdout: Buffer.alloc(0), stderr: '' };
  initialized!: InitializeResult;
  configuration: (uri: string) => unknown = () => null;
  readonly #versions = new Map<string, number>();

  private constructor(
    readonly server: ChildProcess,
    readonly connection: ProtocolConnection,
    readonly gate: Gate,
  ) {}

  static async start(options: Start = {}): Promise<LspClient> {
    const program = options.program ?? join(dist, 'server.js');
    const env = { ...process.env, ...options.environment };
    const ipc = options.transport === 'ipc';
    const server = ipc
      ? fork(program, ['--node-ipc'], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [], env })
      : spawned([...(options.launcher ?? []), process.execPath, program, '--stdio'], env, options.cwd);
    const gate = new Gate(server);
    const connection = ipc
      ? createProtocolConnection(new IPCMessageReader(server), new IPCMessageWriter(server))
      : createProtocolConnection(new StreamMessageReader(server.stdout!), new StreamMessageWriter(gate));
    const client = new LspClient(server, connection, gate);
    if (options.keepOutput ?? true) {
      server.stdout?.on('data', (chunk: Buffer) => {
        client.output.stdout = Buffer.concat([client.output.stdout, chunk]);
      });
    }
    server.stderr?.on('data', (chunk: Buffer) => (client.output.stderr += chunk.toString()));
    connection.onNotification(StatusNotification.method, (status: Status) => void client.statuses.push(status));
    connection.onNotification(
      'window/logMessage',
      ({ message }: { message: string }) => void client.logs.push(message),
    );
    connection.onNotification(
      '$/progress',
      ({ value }: { value: WorkDoneProgressBegin }) => void client.progress.push(value),
    );
    connection.onRequest('window/workDoneProgress/create', ({ token }: { token: string | number }) => {
      client.tokens.push(token);
      return null;
    });
    connection.onRequest('client/registerCapability', ({ registrations }: RegistrationParams) => {
      client.registrations.push(...registrations);
      return null;
    });
    connection.onRequest('client/unregisterCapability', () => null);
    client.configuration = options.configuration ?? client.configuration;
    connection.onRequest('workspace/configuration', ({ items }: ConfigurationParams) =>
      items.map(({ scopeUri }) => client.configuration(scopeUri ?? '')),
    );
    connection.listen();
    client.initialized = await connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: null,
      workspaceFolders: options.folders?.map((uri) => ({ uri, name: uri })) ?? null,
      capabilities: options.capabilities ?? { window: { workDoneProgress: true } },
      initializationOptions: {
        bundle: options.bundle ?? bundle,
        // Without a budget of time every machine writes the same; and however unsure the model is, there is something to test.
        settings: { device: 'cpu', timeBudget: 0, confidence: 'off', ...options.settings },
        threads: options.threads,
        storage: options.storage,
        coder: options.coder,
        models: options.models,
      },
      ...options.initialize,
    });
    await connection.sendNotification('initialized', {});
    return client;
  }

  get status(): Status | undefined {
    return this.statuses.at(-1);
  }

  /** Waits until `condition` holds. Throws with the log after two minutes: the machine may be busy with other things. */
  async until(condition: () => unknown, what: string, milliseconds = 120_000): Promise<void> {
    const end = performance.now() + milliseconds;
    while (!condition()) {
      if (performance.now() > end) {
        throw new Error(`waited in vain for ${what}; status ${JSON.stringify(this.status)}\n${this.logs.join('\n')}`);
      }
      await sleep(10);
    }
  }

  async ready(): Promise<void> {
    await this.until(() => this.status?.state === 'ready' || this.status?.state === 'thinking', 'the model');
  }

  /** Waits for the thought about a document to be up to date. */
  async thought(uri: string, accept: (report: ThoughtReport) => boolean = () => true): Promise<ThoughtReport> {
    for (const end = performance.now() + 120_000; performance.now() < end; await sleep(20)) {
      const report = await this.connection.sendRequest<ThoughtReport | null>(ThoughtRequest.method, { uri });
      if (report && accept(report)) return report;
    }
    throw new Error(`no thought about ${uri}; status ${JSON.stringify(this.statuses)}\n${this.logs.join('\n')}`);
  }

  configure(settings: Partial<Settings> | Record<string, unknown>): Promise<void> {
    return this.connection.sendNotification('workspace/didChangeConfiguration', {
      settings: { thoughtline: { device: 'cpu', timeBudget: 0, confidence: 'off', ...settings } },
    });
  }

  async open(uri: string, text: string, languageId = 'typescript'): Promise<void> {
    this.#versions.set(uri, 1);
    await this.connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId, version: 1, text },
    });
  }

  async change(uri: string, ...contentChanges: TextDocumentContentChangeEvent[]): Promise<void> {
    const version = (this.#versions.get(uri) ?? 0) + 1;
    this.#versions.set(uri, version);
    await this.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version },
      contentChanges,
    });
  }

  /**
   * Sends messages in one piece, over stdio: no pause between two of them gives the server time to answer the first.
   * @param send waits for no answer
   */
  async atOnce(send: () => Promise<void>): Promise<void> {
    this.gate.close();
    await send();
    this.gate.open();
  }

  /** Inserts text at a position. */
  type(uri: string, at: Position, text: string): Promise<void> {
    return this.change(uri, { range: { start: at, end: at }, text });
  }

  async close(uri: string): Promise<void> {
    await this.connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
  }

  /** Suggestions at a position; `invoked` = triggered manually. */
  async complete(
    uri: string,
    position: Position,
    options: { invoked?: boolean; token?: CancellationToken; selected?: SelectedCompletionInfo } = {},
  ): Promise<InlineCompletionItem[]> {
    const context = {
      triggerKind: options.invoked ? InlineCompletionTriggerKind.Invoked : InlineCompletionTriggerKind.Automatic,
      ...(options.selected && { selectedCompletionInfo: options.selected }),
    };
    const answer = await this.connection.sendRequest<InlineCompletionList>(
      'textDocument/inlineCompletion',
      { textDocument: { uri }, position, context },
      options.token ?? CancellationToken.None,
    );
    return answer.items;
  }

  why(uri: string, position: Position): Promise<WhyReport> {
    return this.connection.sendRequest(WhyRequest.method, { uri, position });
  }

  statistics(): Promise<Statistics> {
    return this.connection.sendRequest(StatisticsRequest.method, {});
  }

  /** Shuts the server down as an editor does. Resolves with its exit code. */
  async stop(): Promise<number | null> {
    const exit = new Promise<number | null>((done) => this.server.once('exit', (code) => done(code)));
    if (this.server.exitCode !== null) return this.server.exitCode;
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    const code = await exit;
    this.connection.dispose();
    return code;
  }
}

function spawned([command, ...words]: string[], env: NodeJS.ProcessEnv, cwd?: string): ChildProcess {
  return spawn(command!, words, { stdio: 'pipe', env, cwd });
}

/** Identifier of the inference process of a server. */
export async function inferencePid(client: LspClient): Promise<number> {
  const { inferencePid: pid } = await client.statistics();
  if (pid === undefined) throw new Error('the server has no inference process');
  return pid;
}

/** Splits what a server wrote into its messages. Throws where anything else lies between them. */
export function parseMessages(stdout: Buffer): unknown[] {
  const messages: unknown[] = [];
  for (let at = 0; at < stdout.length;) {
    const header = /^Content-Length: (\d+)\r\n\r\n/.exec(stdout.subarray(at, at + 64).toString('latin1'));
    if (!header) throw new Error(`stray output: ${JSON.stringify(stdout.subarray(at, at + 200).toString())}`);
    const start = at + header[0].length;
    at = start + Number(header[1]);
    messages.push(JSON.parse(stdout.subarray(start, at).toString()));
  }
  return messages;
}

/** Answers for which the model was asked. */
export function runs({ paths }: Statistics): number {
  return paths.reuse + paths.cold;
}
