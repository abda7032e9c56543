import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CancellationTokenSource,
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import type { Position } from 'vscode-languageserver-types';
import { UserError } from '../src/model/errors';
import {
  StatisticsRequest,
  StatusNotification,
  type AnsweredList,
  type Statistics,
  type Status,
} from '../src/protocol';
import type { Settings } from '../src/settings';
import type { Duration } from './quantile';
import type { Keystroke } from './typist';
import { typeWith, type Answered, type Assistant, type SourceFile, type Suggested, type TypingOptions } from './typing';

export interface ServerTypingOptions extends TypingOptions {
  /** Settings that differ from the defaults. */
  readonly settings: Partial<Settings>;
  /** Threads of one run of the model (default: as many as suit the machine). */
  readonly threads?: number;
  readonly bundle: string;
  /** Other files that are open. */
  readonly related: readonly SourceFile[];
}

export interface Typing {
  readonly answers: readonly Answered[];
  /** Seconds of typing until the model was loaded. */
  readonly loaded: number;
  readonly statistics: Statistics;
  /** Most memory seen, MB: server and inference process together, and the latter alone. */
  readonly memory: { readonly both: number; readonly inference: number };
  /** Processor seconds of both processes while typing with the model loaded, and the seconds that this took. */
  readonly busy: { readonly cpu: number; readonly seconds: number };
  /** The same after that, when nothing is typed and nothing thought. */
  readonly idle: { readonly cpu: number; readonly seconds: number };
  /** From the beginning of a thought to its end, or to the next one's beginning. */
  readonly thoughts: readonly Duration[];
  /** Gradient steps that were reported while typing. */
  readonly steps: number;
}

/** How long an idle server is looked at, and the longest that is waited until it is idle, in milliseconds. */
const IDLE_MS = 3_000;
const PATIENCE_MS = 30_000;

/**
 * Types a file into a fresh language server, as an editor would tell it. Nothing is warmed up; the model loads while typing
 * begins.
 *
 * @throws UserError if the model cannot be used
 */
export async function typeInto(options: ServerTypingOptions): Promise<Typing> {
  const server = spawn(process.execPath, [join(__dirname, 'server.js'), '--stdio'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const connection = createMessageConnection(
    new StreamMessageReader(server.stdout),
    new StreamMessageWriter(server.stdin),
  );
  try {
    return await session(connection, options);
  } finally {
    connection.dispose();
    server.kill();
  }
}

async function session(connection: MessageConnection, options: ServerTypingOptions): Promise<Typing> {
  const statuses: { status: Status; at: number }[] = [];
  connection.onNotification(
    StatusNotification.method,
    (status: Status) => void statuses.push({ status, at: performance.now() }),
  );
  connection.listen();
  await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
    initializationOptions: { bundle: options.bundle, settings: options.settings, threads: options.threads },
  });
  await connection.sendNotification('initialized', {});
  const assistant = new Server(connection, options.file.path);
  for (const { path, text } of options.related) assistant.openFile(path, text);

  const memory = { both: 0, inference: 0 };
  let begin: { at: number; cpu: number } | undefined;
  const look = async () => {
    const now = await connection.sendRequest<Statistics>(StatisticsRequest.method, {});
    memory.both = Math.max(memory.both, now.memory.server + now.memory.inference);
    memory.inference = Math.max(memory.inference, now.memory.inference);
    const seen = { at: performance.now(), cpu: now.cpu.server + now.cpu.inference, statistics: now };
    // Loading is no typing: the processor's time is counted from the first look at a loaded model.
    if (now.cpu.inference > 0) begin ??= seen;
    return seen;
  };
  const between = (from: { at: number; cpu: number }, to: { at: number; cpu: number }) => ({
    cpu: to.cpu - from.cpu,
    seconds: (to.at - from.at) / 1000,
  });

  const started = performance.now();
  let sampled = started;
  const answers = await typeWith(assistant, {
    ...options,
    onKeystroke: (seconds) => {
      const failed = statuses.find(({ status }) => status.state === 'failed');
      if (failed) throw new UserError(failed.status.reason ?? 'the model failed');
      options.onKeystroke?.(seconds);
      if (performance.now() - sampled < 2_000) return;
      sampled = performance.now();
      void look();
    },
  });
  const end = await look();
  const typing = [...statuses];
  const ready = typing.find(({ status }) => status.state === 'ready' || status.state === 'thinking')?.at ?? Infinity;
  for (let waited = 0; waited < PATIENCE_MS; waited += 500) {
    await sleep(500);
    const last = statuses.at(-1);
    if (last?.status.state === 'ready' && performance.now() - last.at > 500) break;
  }
  const rest = await look();
  await sleep(IDLE_MS);
  const after = await look();
  return {
    answers,
    loaded: Math.max(0, (ready - started) / 1000),
    statistics: end.statistics,
    memory,
    busy: between(begin ?? end, end),
    idle: between(rest, after),
    thoughts: thoughtsIn(typing),
    steps: typing.filter(({ status }) => status.state === 'thinking' && (status.step ?? 0) > 0).length,
  };
}

/** How long each thought took, by what the server said; one that the next follows without a rest was superseded. */
export function thoughtsIn(statuses: readonly { readonly status: Status; readonly at: number }[]): Duration[] {
  const thoughts: Duration[] = [];
  let began: number | undefined;
  let step = 0;
  for (const { status, at } of statuses) {
    const thinking = status.state === 'thinking';
    const restarted = thinking && (status.step ?? 0) < step;
    if (began !== undefined && (!thinking || restarted)) {
      thoughts.push({ ms: at - began, cut: restarted || status.state !== 'ready' });
      began = undefined;
    }
    if (thinking) began ??= at;
    step = thinking ? (status.step ?? 0) : 0;
  }
  return thoughts;
}

/** The editor's side of the protocol. */
class Server implements Assistant {
  readonly #connection: MessageConnection;
  readonly #path: string;
  #version = 1;
  #text = '';

  constructor(connection: MessageConnection, path: string) {
    this.#connection = connection;
    this.#path = path;
  }

  openFile(path: string, text: string): void {
    const textDocument = { uri: uriOf(path), languageId: 'typescript', version: 1, text };
    void this.#connection.sendNotification('textDocument/didOpen', { textDocument });
  }

  open(text: string): void {
    this.#text = text;
    this.openFile(this.#path, text);
  }

  change(edit: NonNullable<Keystroke['edit']>, text: string): void {
    const range = { start: positionAt(this.#text, edit.from), end: positionAt(this.#text, edit.to) };
    this.#text = text;
    void this.#connection.sendNotification('textDocument/didChange', {
      textDocument: { uri: uriOf(this.#path), version: ++this.#version },
      contentChanges: [{ range, text: edit.text }],
    });
  }

  async suggest(cursor: number, signal: AbortSignal): Promise<Suggested | undefined> {
    const source = new CancellationTokenSource();
    signal.addEventListener('abort', () => source.cancel());
    const params = {
      textDocument: { uri: uriOf(this.#path) },
      position: positionAt(this.#text, cursor),
      context: { triggerKind: 2 },
    };
    try {
      const answer = this.#connection.sendRequest<AnsweredList>('textDocument/inlineCompletion', params, source.token);
      const { items, path } = await answer;
      const text = items[0]?.insertText;
      return { text: typeof text === 'string' ? text : '', path };
    } catch {
      // Cancelled.
      return undefined;
    }
  }
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length - 1, character: offset - start };
}

function uriOf(path: string): string {
  return `file:///${path.replaceAll('\\', '/').replace(/^\/+/, '')}`;
}
