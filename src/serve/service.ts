import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ModelList } from '../api/objects';
import { DEFAULTS, type Engine } from '../completion/engine';
import { messageOf } from '../model/errors';
import { answer } from './answer';
import { ApiError, overloaded } from './apiError';
import { authorize, readJson, sendError, sendJson } from './http';
import { sendEvents, sendWhole } from './reply';
import { readCompletionRequest, type CompletionParameters } from './request';
import { UserThoughts } from './userThoughts';
import { RequestQueue } from './requestQueue';

export interface ServiceOptions {
  /** What clients have to know; without one only this machine is served. */
  readonly token: string | undefined;
  /** Requests that may wait. */
  readonly queue: number;
  /** Milliseconds for one request, waiting included. */
  readonly limitMs: number;
  /** Users' files whose thoughts are kept. */
  readonly users: number;
  /** Refinement steps of a thought (default: as many as pay with the model). */
  readonly steps?: number | undefined;
  readonly log: (line: string) => void;
}

/** Tokens of one answer, at most. */
const MAX_TOKENS = 256;

/** What is answered, whoever asks. */
export class Service {
  draining = false;
  readonly #engine: Engine;
  readonly #options: ServiceOptions;
  readonly #queue: RequestQueue;
  readonly #thoughts: UserThoughts;
  readonly #started = Math.floor(Date.now() / 1000);

  constructor(engine: Engine, options: ServiceOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#queue = new RequestQueue(options.queue);
    this.#thoughts = new UserThoughts(engine, this.#queue, {
      steps: options.steps ?? engine.defaultSteps,
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
      if (!response.destroyed) sendError(response, asApiError(error));
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
      throw new ApiError(404, `there is no ${path} here; use ${Object.keys(ROUTES).join(', ')} or /health`);
    }
    authorize(request, this.#options.token);
    if (method !== route) throw new ApiError(405, `${path} is asked for by ${route}`);
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
      waiting: this.#queue.length,
      thoughts: this.#thoughts.size,
    });
  }

  #models(): ModelList {
    return {
      object: 'list',
      data: [{ id: this.#model, object: 'model', created: this.#started, owned_by: 'thoughtline' }],
    };
  }

  async #complete(asked: CompletionParameters, response: ServerResponse, gone: AbortSignal): Promise<number> {
    const { limitMs } = this.#options;
    const deadline = performance.now() + limitMs;
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(overloaded(`no turn came within ${limitMs / 1000} s; try again`)),
      limitMs,
    );
    const release = await this.#queue.take(AbortSignal.any([gone, late.signal])).finally(() => clearTimeout(timer));
    const key = asked.user === undefined ? undefined : JSON.stringify([asked.user, asked.path]);
    try {
      const thought = key === undefined ? undefined : this.#thoughts.of(key);
      const reader = key ?? asked.path;
      const options = { thought, reader, maxLines: DEFAULTS.maxLines, signal: gone, deadline };
      const chunks = answer(this.#engine, asked, options);
      const ending = await (asked.stream
        ? sendEvents(this.#model, chunks, response, asked.includeUsage)
        : sendWhole(this.#model, chunks, response, gone));
      return ending.tokens;
    } finally {
      release();
      const { path, prefix, suffix } = asked;
      if (key !== undefined && !gone.aborted) this.#thoughts.about(key, { path, prefix, suffix, related: [] });
    }
  }
}

const ROUTES: Readonly<Record<string, string>> = { '/v1/completions': 'POST', '/v1/models': 'GET' };

function known(path: string): string {
  return path === '/health' || Object.hasOwn(ROUTES, path) ? path : 'another path';
}

/** What a client is told of an error. */
function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(500, `the model failed: ${messageOf(error)}`);
}
