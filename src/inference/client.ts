import type { ChildProcess } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { describe, initial, transition, type Effect, type Lifecycle, type LifecycleEvent } from './lifecycle';
import { lineSplitter, LogLimiter } from './logLines';
import {
  now,
  isFromInference,
  type Answer,
  type RunOptions,
  type CompletionRequest,
  type FromInference,
  type IndexProgress,
  type ModelInfo,
  type InferenceConfig,
  type Publication,
  type Suggested,
  type ThinkingMode,
  type TokenChange,
  type ToInference,
  type Usage,
  type WorkspaceSpec,
} from './messages';
import { hangTimeouts, SilenceRecord, silenceLimit, type HangTimeouts } from './hangTimeouts';
import { retire, startProcess, Successor, type Succession } from './successor';

/** What the handle tells its owner. */
export interface Listener {
  lifecycle(state: Lifecycle): void;
  loading(fraction: number, message: string): void;
  thinking(uri: string, step: number, steps: number): void;
  /** How far the reading of the workspace is; undefined when it is over. */
  indexing(progress: IndexProgress | undefined): void;
  log(line: string): void;
  /** A model that was to take the place of the one that serves cannot: that one keeps serving. */
  notSucceeded?(reason: string): void;
}

/** An answer under way. `result` never rejects: no suggestion comes with the reason. */
export interface Run {
  readonly result: Promise<Answer | { readonly reason: string }>;
  /** What the memory is sure of and comes before; never, where it is sure of nothing. */
  readonly early?: Promise<Suggested>;
  abort(): void;
}

/** A new thought; or nothing, because it would be the same; or the reason why the thinking did not end. */
export interface ThinkingOutcome {
  readonly publication?: Publication;
  readonly reason?: string;
}

interface Waiting {
  /** Called with what comes before the reply. */
  readonly early?: (suggested: Suggested) => void;
  readonly message: ToInference & { id: number };
  /** Called with the process' reply, or with the reason why there is none. */
  readonly settle: (reply: FromInference | { readonly type: 'none'; readonly reason: string }) => void;
}

/**
 * The server's handle on the inference process: starts it, starts it again when it dies (`lifecycle.ts` says when and
 * how often), passes requests and pairs them with replies. Requests for suggestions wait while the model loads and while
 * the process is silent; those in flight when it dies get "no suggestion". A process that hangs (`hangTimeouts.ts`) or sends
 * an invalid message is killed.
 */
export class InferenceClient {
  readonly #program: string;
  readonly #listener: Listener;
  readonly #hangTimeouts: HangTimeouts;
  readonly #limiter: LogLimiter;
  readonly #silences = new SilenceRecord();
  #config: InferenceConfig | undefined;
  #lifecycle: Lifecycle = initial;
  #child: ChildProcess | undefined;
  #model: ModelInfo | undefined;
  /** The process that loads another model, while there is one. */
  #successor: Successor | undefined;
  #backOff: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  /** Since when the process owes something and has said nothing, by `performance.now()`. */
  #silentSince = 0;
  /** The device that was asked for has computed what cannot be right: the CPU is used, until somebody asks again. */
  #forcedToCpu = false;
  /** Why the process is being killed, where its signal would not say it. */
  #killedFor: string | undefined;
  #nextId = 1;
  #spawns = 0;
  /** Requests sent and not answered. */
  readonly #sent = new Map<number, Waiting>();
  /** Requests for suggestions that wait for the model. */
  readonly #held = new Map<number, Waiting>();

  /**
   * @param program path of the inference process' JavaScript
   * @param limits after what silence the process is taken for hung
   */
  constructor(program: string, listener: Listener, limits: Partial<HangTimeouts> = {}) {
    this.#program = program;
    this.#listener = listener;
    this.#hangTimeouts = { ...hangTimeouts, ...limits };
    this.#limiter = new LogLimiter((line) => listener.log(line));
  }

  get lifecycle(): Lifecycle {
    return this.#lifecycle;
  }

  /** Folder of the model that is served, or loaded. */
  get bundle(): string | undefined {
    return this.#config?.bundle;
  }

  get model(): ModelInfo | undefined {
    return this.#model;
  }

  /** Identifier of the process, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts of the process after its first. */
  get respawns(): number {
    return Math.max(0, this.#spawns - 1);
  }

  /** Serves `config` from now on; a process for another one is replaced. */
  open(config: InferenceConfig): void {
    this.#dropSuccessor();
    const same = isSame(this.#config, config);
    this.#config = config;
    if (!same) {
      this.#silences.clear();
      this.#forcedToCpu = false;
    }
    if (this.#lifecycle.state === 'off') this.#handle({ type: 'start' });
    else if (!same) this.#handle({ type: 'restart' });
  }

  /** Serves `config` once its process has loaded it; until then the model that is ready serves on, if one is. */
  succeed(config: InferenceConfig): void {
    if (this.#lifecycle.state !== 'ready' || isSame(this.#config, config)) {
      this.open(config);
      return;
    }
    if (isSame(this.#successor?.config, config)) return;
    this.#dropSuccessor();
    const successor = new Successor(
      () => startProcess(this.#program),
      config,
      (line) => this.#limiter.add(line),
    );
    this.#successor = successor;
    void successor.outcome.then((succession) => {
      if (this.#successor !== successor) {
        if ('child' in succession) succession.child.kill('SIGKILL');
        return;
      }
      this.#successor = undefined;
      if ('reason' in succession) this.#listener.notSucceeded?.(succession.reason);
      else this.#replace(config, succession);
    });
  }

  restart(): void {
    this.#dropSuccessor();
    this.#forcedToCpu = false;
    if (this.#config) this.#handle({ type: 'restart' });
  }

  /** Ends the process and frees its memory. */
  stop(): void {
    this.#dropSuccessor();
    this.#handle({ type: 'stop' });
  }

  /** @param prefetch nobody waits for it yet: it makes way for whatever somebody waits for */
  complete(uri: string, request: CompletionRequest, options: RunOptions, prefetch = false): Run {
    const id = this.#nextId++;
    const sentAt = now();
    let tellEarly: Waiting['early'];
    const early = new Promise<Suggested>((resolve) => (tellEarly = resolve));
    const result = new Promise<Answer | { reason: string }>((resolve) => {
      const waiting: Waiting = {
        early: (suggested) => tellEarly?.(suggested),
        message: { type: 'complete', id, uri, request, options, sentAt, prefetch },
        settle: (reply) => {
          if (reply.type === 'completed') resolve(reply);
          else resolve({ reason: 'reason' in reply ? reply.reason : 'the model gave no answer' });
        },
      };
      const { state } = this.#lifecycle;
      if (state === 'ready' && !this.#stalled) this.#send(waiting);
      else if (state === 'ready' || state === 'loading' || state === 'waiting') this.#held.set(id, waiting);
      else waiting.settle({ type: 'none', reason: describe(this.#lifecycle) });
    });
    const abort = () => {
      const held = this.#held.get(id);
      this.#held.delete(id);
      held?.settle({ type: 'none', reason: 'cancelled before the model was asked' });
      if (this.#sent.has(id)) this.#post({ type: 'abort', id });
    };
    return { result, early, abort };
  }

  /** Thinks about a document. Resolves when that has ended; never rejects. */
  think(uri: string, request: CompletionRequest, mode: ThinkingMode, steps: number): Promise<ThinkingOutcome> {
    if (this.#lifecycle.state !== 'ready') return Promise.resolve({ reason: describe(this.#lifecycle) });
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#send({
        message: { type: 'think', id, uri, request, mode, steps },
        settle: (reply) => {
          if (reply.type === 'thought') resolve(reply.publication ? { publication: reply.publication } : {});
          else resolve({ reason: 'reason' in reply ? reply.reason : 'no thought came of it' });
        },
      });
    });
  }

  /** Tokens that the thought about a document makes more or less likely at the cursor. Never rejects. */
  changes(uri: string): Promise<readonly TokenChange[]> {
    if (this.#lifecycle.state !== 'ready') return Promise.resolve([]);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#send({
        message: { type: 'changes', id, uri },
        settle: (reply) => resolve(reply.type === 'changes' ? reply.changes : []),
      });
    });
  }

  forget(uri: string): void {
    this.#post({ type: 'forget', uri });
  }

  /** The lookup memory knows these files from now on. A new process has to be told again. */
  workspace(spec: WorkspaceSpec): void {
    this.#post({ type: 'workspace', ...spec });
  }

  /** Files of the workspace changed on disk. */
  changed(paths: readonly string[]): void {
    this.#post({ type: 'changed', paths });
  }

  cancelIndexing(): void {
    this.#post({ type: 'cancelIndexing' });
  }

  /** What the process takes; nothing without one. */
  usage(): Promise<Usage> {
    const nothing = { memoryMb: 0, cpuSeconds: 0 };
    if (this.#lifecycle.state !== 'ready') return Promise.resolve(nothing);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#send({
        message: { type: 'usage', id },
        settle: (reply) => resolve(reply.type === 'usage' ? reply : nothing),
      });
    });
  }

  #handle(event: LifecycleEvent): void {
    const { to, effects } = transition(this.#lifecycle, event);
    // That an answer ends a row of deaths concerns nobody else.
    const changed = to !== this.#lifecycle && event.type !== 'served';
    this.#lifecycle = to;
    for (const effect of effects) this.#do(effect);
    if (to.state === 'ready' && changed) this.#release();
    if (to.state === 'failed' || to.state === 'off') this.#settleAll(this.#held, describe(to));
    if (changed) this.#listener.lifecycle(to);
  }

  #do(effect: Effect): void {
    switch (effect.type) {
      case 'spawn':
        clearTimeout(this.#backOff);
        this.#spawn();
        break;
      case 'kill': {
        const child = this.#child;
        this.#child = undefined;
        child?.removeAllListeners();
        // A process that could not be started tells so again when it is killed.
        child?.on('error', () => undefined);
        child?.kill('SIGKILL');
        clearTimeout(this.#watch);
        this.#settleAll(this.#sent, 'the inference process was ended');
        break;
      }
      case 'wait':
        this.#backOff = setTimeout(() => this.#handle({ type: 'backedOff' }), effect.milliseconds);
        break;
    }
  }

  #dropSuccessor(): void {
    const successor = this.#successor;
    this.#successor = undefined;
    successor?.drop();
  }

  /** The process that has loaded another model takes the place of the one that is there, which answers what it owes. */
  #replace(config: InferenceConfig, { child, ready }: Exclude<Succession, { reason: string }>): void {
    clearTimeout(this.#backOff);
    clearTimeout(this.#watch);
    if (this.#child) retire(this.#child, new Map(this.#sent));
    this.#sent.clear();
    this.#spawns++;
    this.#config = config;
    this.#silences.clear();
    this.#forcedToCpu = false;
    this.#model = ready.model;
    this.#attach(child);
    this.#handle({ type: 'replaced', device: ready.device, at: performance.now() });
    this.#noteActivity();
  }

  #spawn(): void {
    this.#spawns++;
    this.#model = undefined;
    this.#attach(startProcess(this.#program));
    const config = this.#config!;
    this.#post({ type: 'open', ...config, device: this.#forcedToCpu ? 'cpu' : config.device });
    this.#noteActivity();
  }

  /** Listens to a process from now on. */
  #attach(child: ChildProcess): void {
    this.#child = child;
    this.#killedFor = undefined;
    const gone = (signs: string) => {
      if (this.#child !== child) return;
      const how = this.#killedFor ?? signs;
      this.#child = undefined;
      clearTimeout(this.#watch);
      this.#limiter.flush();
      this.#listener.log(`the inference process ended: ${how}`);
      this.#settleAll(this.#sent, `the inference process ended (${how}); it is started again`);
      this.#handle({ type: 'died', how, at: performance.now() });
    };
    child.on('message', (message) => {
      if (this.#child !== child || this.#killedFor !== undefined) return;
      if (isFromInference(message)) this.#receive(message);
      else this.#kill('it said what is no message');
    });
    child.on('exit', (code, signal) => gone(signal ? `signal ${signal}` : `exit code ${code}`));
    child.on('error', (error) => gone(error.message));
    for (const stream of [child.stdout, child.stderr]) {
      const split = lineSplitter((line) => this.#limiter.add(line));
      stream?.setEncoding('utf8').on('data', split);
    }
  }

  #receive(message: FromInference): void {
    if (this.#sent.size > 0) this.#silences.add(performance.now() - this.#silentSince);
    this.#noteActivity();
    switch (message.type) {
      case 'loading':
        this.#listener.loading(message.fraction, message.message);
        break;
      case 'ready':
        this.#model = message.model;
        this.#handle({ type: 'ready', device: message.device, at: performance.now() });
        this.#noteActivity();
        break;
      case 'refused':
        this.#handle(message);
        break;
      case 'deviceMismatch':
        this.#listener.log(`the device computes wrongly (${message.reason}); the CPU takes its place`);
        this.#forcedToCpu = true;
        this.#handle({ type: 'restart' });
        break;
      case 'thinking':
        this.#listener.thinking(message.uri, message.step, message.steps);
        break;
      case 'indexing':
        this.#listener.indexing(message.progress);
        break;
      case 'log':
        this.#limiter.add(message.line);
        break;
      case 'early':
        this.#sent.get(message.id)?.early?.(message);
        break;
      case 'thought':
      case 'completed':
        this.#handle({ type: 'served' });
        this.#settle(message);
        break;
      case 'declined':
      case 'usage':
      case 'changes':
        this.#settle(message);
        break;
    }
    if (this.#lifecycle.state === 'ready') this.#release();
  }

  #settle(reply: FromInference & { id: number }): void {
    const waiting = this.#sent.get(reply.id);
    this.#sent.delete(reply.id);
    if (this.#sent.size === 0) clearTimeout(this.#watch);
    waiting?.settle(reply);
  }

  #send(waiting: Waiting): void {
    this.#sent.set(waiting.message.id, waiting);
    this.#post(waiting.message);
    if (this.#sent.size === 1) this.#noteActivity();
  }

  /** Whether the process owes something and has been silent for so long that nothing should be added to it. */
  get #stalled(): boolean {
    return this.#sent.size > 0 && performance.now() - this.#silentSince > this.#hangTimeouts.stallMs;
  }

  /** The process has shown that it lives, or begins to owe something: from now on its silence counts. */
  #noteActivity(): void {
    this.#silentSince = performance.now();
    clearTimeout(this.#watch);
    const loading = this.#lifecycle.state !== 'ready';
    if (this.#sent.size === 0 && !loading) return;
    const characters = Math.max(0, ...[...this.#sent.values()].map(({ message }) => charactersOf(message)));
    const { longestMs } = this.#silences;
    const silence = { loading, device: this.#config?.device ?? '', longestMs, characters };
    const limit = silenceLimit(silence, this.#hangTimeouts);
    this.#watch = setTimeout(() => {
      // A timer that is this late has slept with the machine, and so has the process: it gets its time again.
      if (performance.now() - this.#silentSince > 1.5 * limit) this.#noteActivity();
      else this.#kill(`no answer for ${(limit / 1000).toFixed(1)} s`);
    }, limit);
    this.#watch.unref();
  }

  /** Ends a process that cannot be used any more; what follows is as if it had died. */
  #kill(why: string): void {
    this.#killedFor = why;
    this.#child?.kill('SIGKILL');
  }

  #post(message: ToInference): void {
    // The channel may close before the exit is known: then the request is settled with the exit.
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  #release(): void {
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const waiting of held) this.#send(waiting);
  }

  #settleAll(requests: Map<number, Waiting>, reason: string): void {
    const all = [...requests.values()];
    requests.clear();
    clearTimeout(this.#watch);
    for (const waiting of all) waiting.settle({ type: 'none', reason });
  }
}

function isSame(one: InferenceConfig | undefined, other: InferenceConfig): boolean {
  return (['bundle', 'device', 'threads'] as const).every((name) => one?.[name] === other[name]);
}

function charactersOf(message: ToInference): number {
  if (!('request' in message)) return 0;
  const { prefix, suffix, related } = message.request;
  return related.reduce((sum, { text }) => sum + text.length, prefix.length + suffix.length);
}
