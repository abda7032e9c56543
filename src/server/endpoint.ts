import { fork, type ChildProcess } from 'node:child_process';
import { endpointBase } from '../api/address';
import type { FromEndpoint, RemoteText, InfillRequest, ToEndpoint } from '../endpoint/messages';
import type { InferenceClient, Run } from '../inference/client';
import type { RunOptions, CompletionRequest } from '../inference/messages';
import type { EndpointStatus } from '../protocol';
import { outgoingContext, SENT } from './outgoing';

export interface EndpointPlace {
  /** Path of the program that asks; it is started only where an address is set. */
  readonly program: string;
  /** What the endpoint wants to know its clients by. */
  readonly token: string | undefined;
  /** Whether text of a document may be sent at all. */
  mayLeave(uri: string): boolean;
  /** What is told of the endpoint; undefined while there is none. */
  status(status: EndpointStatus | undefined): void;
  log(line: string): void;
}

/** After so many failures in a row the endpoint is left alone … */
const FAILURES = 3;
/** … for so many milliseconds, so that nobody waits for what does not come. */
const PAUSE_MS = 30_000;

/** Share of the time for a suggestion that the endpoint may take, and how long it may where there is no limit. */
const SHARE = 0.75;
const UNLIMITED_MS = 8_000;

const MAX_TOKENS = 64;

/** Writes with an endpoint where one is set, else with the local model, which also presents what an endpoint wrote. */
export class EndpointWriter implements Pick<InferenceClient, 'complete' | 'model'> {
  readonly #local: Pick<InferenceClient, 'complete' | 'model'>;
  readonly #place: EndpointPlace;
  readonly #pending = new Map<number, (answer: FromEndpoint) => void>();
  #base: string | undefined;
  #child: ChildProcess | undefined;
  #status: EndpointStatus | undefined;
  #failures = 0;
  #pausedUntil = -Infinity;
  #nextId = 1;

  constructor(local: Pick<InferenceClient, 'complete' | 'model'>, place: EndpointPlace) {
    this.#local = local;
    this.#place = place;
  }

  /** What suggestions depend on: the local model, and the endpoint. */
  get model() {
    const { model } = this.#local;
    return model && { ...model, ...(this.#base !== undefined && { name: `${model.name}, ${this.#base}` }) };
  }

  /** Asks this address from now on; an empty one: none. */
  open(address: string): void {
    const base = address === '' ? undefined : endpointBase(address);
    if (base === this.#base) return;
    this.close();
    this.#base = base;
    if (base === undefined) return;
    const { prefix, suffix } = SENT;
    this.#place.log(
      `${base}: at most ${prefix} characters before the cursor and ${suffix} after it are sent there ` +
        '(thoughtline.endpoint), no file that may hold secrets, and no line with credentials',
    );
    this.#tell({ host: new URL(base).host });
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#child?.kill();
    this.#end('the endpoint is no longer asked');
    this.#base = undefined;
    this.#failures = 0;
    this.#pausedUntil = -Infinity;
    if (this.#status) this.#tell(undefined);
  }

  complete(uri: string, request: CompletionRequest, options: RunOptions, prefetch = false): Run {
    const infill = this.#infillOf(uri, request, options);
    if (!infill) return this.#local.complete(uri, request, options, prefetch);
    // What nobody waits for is not worth a team's machine.
    if (prefetch)
      return { result: Promise.resolve({ reason: 'an endpoint is not asked in advance' }), abort: () => undefined };
    const began = performance.now();
    const { timeBudget } = options;
    const asking = this.#ask(infill, timeBudget === undefined ? UNLIMITED_MS : Math.round(SHARE * timeBudget));
    let writing: Run | undefined;
    let aborted = false;
    const result = asking.given.then((written) => {
      if (aborted) return { reason: 'cancelled before the model was asked' };
      const left = timeBudget === undefined ? undefined : Math.max(0, timeBudget - (performance.now() - began));
      writing = this.#local.complete(uri, request, { ...options, timeBudget: left, ...(written && { written }) });
      return writing.result;
    });
    const abort = () => {
      aborted = true;
      asking.abort();
      writing?.abort();
    };
    return { result, abort };
  }

  /** What the endpoint is asked; undefined where the local model writes. */
  #infillOf(uri: string, request: CompletionRequest, { alternatives }: RunOptions): InfillRequest | undefined {
    const off = this.#base === undefined || performance.now() < this.#pausedUntil;
    if (off || alternatives !== undefined || !this.#place.mayLeave(uri)) return undefined;
    const text = outgoingContext(request);
    return text && { ...text, maxTokens: MAX_TOKENS };
  }

  #ask(request: InfillRequest, limitMs: number): { given: Promise<RemoteText | undefined>; abort: () => void } {
    const id = this.#nextId++;
    let aborted = false;
    const given = new Promise<FromEndpoint>((resolve) => {
      this.#pending.set(id, resolve);
      this.#send({ type: 'ask', id, request, limitMs });
    }).then((answer) => {
      this.#pending.delete(id);
      if (aborted || this.#base === undefined) return undefined;
      if (answer.type === 'wrote') {
        this.#failures = 0;
        this.#tell({ host: new URL(this.#base).host, model: answer.model });
        return answer.given;
      }
      this.#failed(answer.reason);
      return undefined;
    });
    const abort = () => {
      aborted = true;
      this.#send({ type: 'abort', id });
    };
    return { given, abort };
  }

  #failed(reason: string): void {
    this.#failures++;
    if (this.#failures >= FAILURES) {
      this.#failures = 0;
      this.#pausedUntil = performance.now() + PAUSE_MS;
      this.#place.log(`the endpoint is left alone for ${PAUSE_MS / 1000} s: ${reason}`);
    }
    if (this.#status && this.#status.problem !== reason) {
      this.#place.log(`the endpoint did not write (${reason}); the local model does`);
      this.#tell({ ...this.#status, problem: reason });
    }
  }

  #tell(status: EndpointStatus | undefined): void {
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return;
    this.#status = status;
    this.#place.status(status);
  }

  #send(message: ToEndpoint): void {
    const child = (this.#child ??= this.#start());
    if (child.connected) child.send(message, () => undefined);
  }

  #start(): ChildProcess {
    const { program, token } = this.#place;
    const child = fork(program, [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] });
    child.on('message', (answer: FromEndpoint) => this.#pending.get(answer.id)?.(answer));
    const gone = (reason: string) => {
      if (this.#child === child) this.#end(reason);
    };
    child.on('error', (error) => gone(error.message));
    child.on('exit', (code, signal) => gone(`the process that asks it ended (${signal ?? `exit code ${code}`})`));
    const base = this.#base ?? '';
    child.send({ type: 'open', base, token } satisfies ToEndpoint, () => undefined);
    return child;
  }

  /** Nobody answers any more; the next request starts a process again. */
  #end(reason: string): void {
    this.#child = undefined;
    for (const [id, settle] of this.#pending) settle({ type: 'failed', id, reason });
  }
}
