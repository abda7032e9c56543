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
import type { InlineCompletionList, Position } from 'vscode-languageserver-types';
import { UserError } from '../model/errors';
import { StatisticsRequest, StatusNotification, type Settings, type Statistics, type Status } from '../protocol';
import type { Duration } from './quantile';
import { middle, type, type Keystroke } from './typist';
import { randomFrom } from '../model/random';

export interface TypingOptions {
  /** Settings that differ from the defaults. */
  readonly settings: Partial<Settings>;
  readonly bundle: string;
  /** The file to type, and others that are open beside it. */
  readonly file: { readonly path: string; readonly text: string };
  readonly beside: readonly { readonly path: string; readonly text: string }[];
  readonly seconds: number;
  readonly seed: number;
  readonly onProgress?: (seconds: number) => void;
}

export interface Typing {
  /** From each keystroke to its answer. */
  readonly answers: readonly Duration[];
  /** Of these, the ones where the user typed along with the suggestion on screen. */
  readonly typedAlong: readonly Duration[];
  /** Answers that held a suggestion. */
  readonly suggestions: number;
  readonly statistics: Statistics;
  /** Most memory seen, MB: server and inference process together. */
  readonly memory: number;
  /** Gradient steps that were reported while typing. */
  readonly thinking: number;
}

/**
 * Types a file into a fresh language server, as an editor would tell it: each keystroke is a change and a request, and a
 * request that is not answered at the next keystroke is cancelled. Nothing is warmed up; the model loads while typing begins.
 *
 * @throws UserError if the model cannot be used
 */
export async function typeInto(options: TypingOptions): Promise<Typing> {
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

async function session(connection: MessageConnection, options: TypingOptions): Promise<Typing> {
  const statuses: Status[] = [];
  connection.onNotification(StatusNotification.method, (status: Status) => void statuses.push(status));
  connection.listen();
  await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
    initializationOptions: { bundle: options.bundle, settings: options.settings },
  });
  await connection.sendNotification('initialized', {});

  const { start, typed, cursor } = middle(options.file.text);
  for (const { path, text } of [...options.beside, { path: options.file.path, text: start }]) {
    const textDocument = { uri: uriOf(path), languageId: 'typescript', version: 1, text };
    await connection.sendNotification('textDocument/didOpen', { textDocument });
  }
  const editor = new Editor(connection, uriOf(options.file.path), start);
  let memory = 0;
  const statistics = async () => {
    const now = await connection.sendRequest<Statistics>(StatisticsRequest.method, {});
    memory = Math.max(memory, now.memory.server + now.memory.inference);
    return now;
  };

  const begin = performance.now();
  let due = begin;
  let sampled = begin;
  for (const keystroke of type(start, typed, cursor, randomFrom(options.seed))) {
    due += keystroke.pause;
    if (due - begin > options.seconds * 1000) break;
    await sleep(Math.max(0, due - performance.now()));
    const failed = statuses.find(({ state }) => state === 'failed');
    if (failed) throw new UserError(failed.reason ?? 'the model failed');
    editor.press(keystroke);
    options.onProgress?.((due - begin) / 1000);
    if (due - sampled > 2_000) {
      sampled = due;
      void statistics();
    }
  }
  await editor.settled();
  const last = await statistics();
  const thinking = statuses.filter(({ state, step }) => state === 'thinking' && (step ?? 0) > 0).length;
  const { answers, typedAlong, suggestions } = editor;
  return { answers, typedAlong, suggestions, statistics: last, memory, thinking };
}

/** The editor's side: keeps the text, tells the server what changes, asks for suggestions, and keeps the time. */
class Editor {
  readonly answers: Duration[] = [];
  readonly typedAlong: Duration[] = [];
  suggestions = 0;
  readonly #connection: MessageConnection;
  readonly #uri: string;
  #text: string;
  #version = 1;
  #cancel: (() => void) | undefined;
  #pending: Promise<void> = Promise.resolve();
  /** The suggestion on screen. */
  #shown = '';

  constructor(connection: MessageConnection, uri: string, text: string) {
    this.#connection = connection;
    this.#uri = uri;
    this.#text = text;
  }

  press({ kind, edit, cursor }: Keystroke): void {
    this.#cancel?.();
    const begin = performance.now();
    if (edit) {
      const range = { start: positionAt(this.#text, edit.from), end: positionAt(this.#text, edit.to) };
      this.#text = this.#text.slice(0, edit.from) + edit.text + this.#text.slice(edit.to);
      void this.#connection.sendNotification('textDocument/didChange', {
        textDocument: { uri: this.#uri, version: ++this.#version },
        contentChanges: [{ range, text: edit.text }],
      });
    }
    const along = kind === 'type' && edit?.text.length === 1 && this.#shown.length > 1 && this.#shown[0] === edit.text;
    this.#shown = along ? this.#shown.slice(1) : '';
    // Editors ask after typing, not when only the cursor has moved away.
    if (kind !== 'jump') this.#ask(cursor, begin, along);
  }

  /** Resolves when the last request is answered. */
  settled(): Promise<void> {
    return this.#pending;
  }

  #ask(cursor: number, begin: number, along: boolean): void {
    const source = new CancellationTokenSource();
    let open = true;
    const note = (cut: boolean) => {
      if (!open) return;
      open = false;
      const duration = { ms: performance.now() - begin, cut };
      this.answers.push(duration);
      if (along) this.typedAlong.push(duration);
    };
    this.#cancel = () => {
      note(true);
      source.cancel();
    };
    const params = {
      textDocument: { uri: this.#uri },
      position: positionAt(this.#text, cursor),
      context: { triggerKind: 2 },
    };
    this.#pending = this.#connection
      .sendRequest<InlineCompletionList>('textDocument/inlineCompletion', params, source.token)
      .then(
        ({ items }) => {
          if (!open) return;
          note(false);
          const text = items[0]?.insertText;
          this.#shown = typeof text === 'string' ? text : '';
          if (this.#shown !== '') this.suggestions++;
        },
        // Cancelled: it has been noted.
        () => note(true),
      );
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
