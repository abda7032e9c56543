import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isLoopbackHost } from '../api/address';
import type { Completion, ModelList, TokenLogprobs, Usage } from '../api/objects';
import { DEFAULTS, type Engine } from '../completion/engine';
import { messageOf, UserError } from '../model/errors';
import { answer, type Ending, type Piece } from './answer';
import { Failure, overloaded } from './failure';
import { authorize, beginEvents, event, readJson, sendFailure, sendJson } from './http';
import { readCompletionRequest, type Asked } from './request';
import { Thoughts } from './thoughts';
import { Turns } from './turns';

export interface ServeOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** What clients have to know; without one only this machine is served. */
  readonly token: string | undefined;
  /** Requests that may wait. */
  readonly queue: number;
  /** Milliseconds for one request, waiting included. */
  readonly limitMs: number;
  /** Users' files whose thoughts are kept. */
  readonly users: number;
  /** Refinement steps of a thought. */
  readonly steps: number;
  readonly log: (line: string) => void;
}

export interface Serving {
  /** Where it can be reached. */
  readonly address: string;
  /** Answers what it owes, and ends. */
  close(): Promise<void>;
}

/** Connections that may be open at once. */
const MAX_CONNECTIONS = 512;

/** Tokens of one answer, at most. */
const MAX_TOKENS = 256;

/** Milliseconds in which a request has to have come whole, its head sooner. */
const RECEIVING_MS = 30_000;

/**
 * Serves an engine by the completions API until it is closed. The engine is not closed.
 * @throws UserError where it would be open to others without a token, or the address cannot be had
 */
export async function serve(engine: Engine, options: ServeOptions): Promise<Serving> {
  const { host, port, token } = options;
  if (token === undefined && !isLoopbackHost(host)) {
    throw new UserError(`--host ${host}: others could use this; give a token (THOUGHTLINE_TOKEN or --token-file)`);
  }
  const service = new Service(engine, options);
  const server = createServer(
    { requestTimeout: RECEIVING_MS, headersTimeout: RECEIVING_MS / 2 },
    (request, response) => {
      void service.handle(request, response);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  // A connection on which nothing happens for longer than a request may wait is given up.
  server.timeout = options.limitMs + RECEIVING_MS;
  await listen(server, host, port);
  const { address, port: taken } = server.address() as AddressInfo;
  return {
    address: `http://${address.includes(':') ? `[${address}]` : address}:${taken}`,
    close: async () => {
      service.draining = true;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), options.limitMs);
      await closed;
      clearTimeout(timer);
      await service.rested();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new UserError(`${host}:${port}: ${messageOf(error)}; choose another --port`)),
    );
    server.listen(port, host, () => resolve());
  });
}

/** What is answered, whoever asks. */
class Service {
  draining = false;
  readonly #engine: Engine;
  readonly #options: ServeOptions;
  readonly #turns: Turns;
  readonly #thoughts: Thoughts;
  readonly #started = Math.floor(Date.now() / 1000);

  constructor(engine: Engine, options: ServeOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#turns = new Turns(options.queue);
    this.#thoughts = new Thoughts(engine, this.#turns, {
      steps: options.steps,
      capacity: options.users,
      log: options.log,
    });
  }

  rested(): Promise<void> {
    return this.#thoughts.rested();
  }

  /** Answers a request, whatever happens; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = performance.now();
    let tokens: number | undefined;
    const gone = new AbortController();
    response.on('close', () => gone.abort(new Error('the client hung up')));
    // The path alone: a query could hold anything.
    const path = (request.url ?? '').split('?', 1)[0]!;
    try {
      tokens = await this.#route(request, response, path, gone.signal);
    } catch (error) {
      if (!response.destroyed) sendFailure(response, asFailure(error));
    }
    const status = gone.signal.aborted && !response.writableFinished ? 'hung up' : response.statusCode;
    const much = tokens === undefined ? '' : `, ${tokens} tokens`;
    // Neither texts nor users: a log may be read by others.
    this.#options.log(
      `${request.method} ${known(path)}: ${status}${much}, ${Math.round(performance.now() - began)} ms`,
    );
  }

  /** @returns how many tokens were written, where any were asked for */
  async #route(request: IncomingMessage, response: ServerResponse, path: string, gone: AbortSignal) {
    const { method = '' } = request;
    if (path === '/health') return void this.#health(response);
    const route = ROUTES[path];
    if (route === undefined || !Object.hasOwn(ROUTES, path)) {
      throw new Failure(404, `there is no ${path} here; use ${Object.keys(ROUTES).join(', ')} or /health`);
    }
    authorize(request, this.#options.token);
    if (method !== route) throw new Failure(405, `${path} is asked for by ${route}`);
    if (path === '/v1/models') return void sendJson(response, 200, this.#models());
    if (this.draining) throw overloaded('this server is about to end');
    const limits = { model: this.#model, maxTokens: MAX_TOKENS };
    const header = request.headers['x-user'];
    const asked = readCompletionRequest(await readJson(request), limits);
    return this.#complete(
      { ...asked, user: asked.user ?? (typeof header === 'string' ? header : undefined) },
      response,
      gone,
    );
  }

  get #model(): string {
    return this.#engine.bundle.manifest.name;
  }

  /** For whoever watches it: whether requests should be sent here. */
  #health(response: ServerResponse): void {
    const { name, version } = this.#engine.bundle.manifest;
    const status = this.draining ? 'draining' : 'ok';
    sendJson(response, this.draining ? 503 : 200, {
      status,
      model: name,
      version,
      waiting: this.#turns.length,
      thoughts: this.#thoughts.size,
    });
  }

  #models(): ModelList {
    return {
      object: 'list',
      data: [{ id: this.#model, object: 'model', created: this.#started, owned_by: 'thoughtline' }],
    };
  }

  async #complete(asked: Asked, response: ServerResponse, gone: AbortSignal): Promise<number> {
    const { limitMs } = this.#options;
    const deadline = performance.now() + limitMs;
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(overloaded(`no turn came within ${limitMs / 1000} s; try again`)),
      limitMs,
    );
    const release = await this.#turns.take(AbortSignal.any([gone, late.signal])).finally(() => clearTimeout(timer));
    const key = asked.user === undefined ? undefined : JSON.stringify([asked.user, asked.path]);
    try {
      const thought = key === undefined ? undefined : this.#thoughts.of(key);
      const reader = key ?? asked.path;
      const options = { thought, reader, maxLines: DEFAULTS.maxLines, signal: gone, deadline };
      const pieces = answer(this.#engine, asked, options);
      const ending = await (asked.stream ? this.#stream(asked, pieces, response) : this.#whole(pieces, response, gone));
      return ending.tokens;
    } finally {
      release();
      const { path, prefix, suffix } = asked;
      if (key !== undefined && !gone.aborted) this.#thoughts.about(key, { path, prefix, suffix, related: [] });
    }
  }

  async #whole(pieces: AsyncGenerator<Piece, Ending>, response: ServerResponse, gone: AbortSignal): Promise<Ending> {
    const part = this.#parts();
    const all: Piece[] = [];
    for (;;) {
      const { value, done } = await pieces.next();
      if (!done) {
        all.push(value);
        continue;
      }
      const text = all.map((piece) => piece.text).join('');
      if (!gone.aborted) sendJson(response, 200, part(text, joinLogprobs(all), value.finish, usageOf(value)));
      return value;
    }
  }

  /** An answer is short: what a slow client has not read waits in memory, and nobody else for it. */
  async #stream(asked: Asked, pieces: AsyncGenerator<Piece, Ending>, response: ServerResponse): Promise<Ending> {
    const part = this.#parts();
    for (;;) {
      const { value, done } = await pieces.next();
      if (!response.headersSent && !response.destroyed) beginEvents(response);
      if (!done) {
        response.write(event(part(value.text, value.logprobs, null)));
        continue;
      }
      response.write(event(part('', null, value.finish)));
      if (asked.includeUsage) response.write(event({ ...part('', null, null), choices: [], usage: usageOf(value) }));
      response.end('data: [DONE]\n\n');
      return value;
    }
  }

  /** Makes the objects of one answer: they share id and time. */
  #parts() {
    const same = {
      id: `cmpl-${randomUUID()}`,
      object: 'text_completion',
      created: Math.floor(Date.now() / 1000),
    } as const;
    const model = this.#model;
    return (
      text: string,
      logprobs: TokenLogprobs | null,
      finish: 'stop' | 'length' | null,
      usage?: Usage,
    ): Completion => ({
      ...same,
      model,
      choices: [{ index: 0, text, logprobs, finish_reason: finish }],
      ...(usage && { usage }),
    });
  }
}

const ROUTES: Readonly<Record<string, string>> = { '/v1/completions': 'POST', '/v1/models': 'GET' };

function known(path: string): string {
  return path === '/health' || Object.hasOwn(ROUTES, path) ? path : 'another path';
}

function usageOf({ prompt, tokens }: Ending): Usage {
  return { prompt_tokens: prompt, completion_tokens: tokens, total_tokens: prompt + tokens };
}

function joinLogprobs(pieces: readonly Piece[]): TokenLogprobs | null {
  const all = pieces.flatMap(({ logprobs }) => logprobs ?? []);
  if (all.length === 0) return null;
  return {
    tokens: all.flatMap(({ tokens }) => tokens),
    token_logprobs: all.flatMap(({ token_logprobs }) => token_logprobs),
    top_logprobs: all.flatMap(({ top_logprobs }) => top_logprobs),
    text_offset: all.flatMap(({ text_offset }) => text_offset),
  };
}

/** What a client is told of an error. */
function asFailure(error: unknown): Failure {
  return error instanceof Failure ? error : new Failure(500, `the model failed: ${messageOf(error)}`);
}
