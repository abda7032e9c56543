import { fork, type ChildProcess } from 'node:child_process';
import { isFromInference, type FromInference, type InferenceConfig, type ToInference } from './messages';

/** A process that is ready, and what it said of itself; or why none came of it. */
export type Succession =
  | { readonly child: ChildProcess; readonly ready: Extract<FromInference, { type: 'ready' }> }
  | { readonly reason: string };

/** Milliseconds for loading a model; longer is a hang. */
const LOADING_MS = 180_000;

/** A process that loads another model while the one before serves on. */
export class Successor {
  readonly config: InferenceConfig;
  /** Never rejects. After it nobody listens to the process any more. */
  readonly outcome: Promise<Succession>;
  #end: (reason: string) => void = () => undefined;

  /**
   * @param start gives the process
   * @param log what it says meanwhile
   */
  constructor(start: () => ChildProcess, config: InferenceConfig, log: (line: string) => void, limitMs = LOADING_MS) {
    this.config = config;
    const child = start();
    this.outcome = new Promise((resolve) => {
      const settle = (succession: Succession) => {
        clearTimeout(timer);
        child.removeAllListeners();
        // A process that could not be started tells so again when it is killed.
        child.on('error', () => undefined);
        if ('reason' in succession) child.kill('SIGKILL');
        resolve(succession);
      };
      this.#end = (reason) => settle({ reason });
      const timer = setTimeout(() => settle({ reason: 'it was not loaded in time' }), limitMs);
      timer.unref();
      child.on('exit', (code, signal) => settle({ reason: `its process ended (${signal ?? `exit code ${code}`})` }));
      child.on('error', (error) => settle({ reason: error.message }));
      child.on('message', (message) => {
        if (!isFromInference(message)) settle({ reason: 'it said what is no message' });
        else if (message.type === 'ready') settle({ child, ready: message });
        else if (message.type === 'refused') settle({ reason: message.reason });
        else if (message.type === 'log') log(message.line);
      });
    });
    const first: ToInference = { type: 'open', ...config };
    child.send(first, () => undefined);
  }

  /** It is not wanted any more. */
  drop(): void {
    this.#end('another model is wanted');
  }
}

/** Starts an inference process. */
export function startProcess(program: string): ChildProcess {
  return fork(program, [], {
    // Native libraries write to their process' standard output; ours belongs to the language server protocol.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
    execArgv: [],
  });
}

/** For so long a process that is replaced may answer what it owes. */
const RETIRING_MS = 5_000;

/** A request that a process has not answered. */
interface Owed {
  readonly settle: (reply: FromInference | { readonly type: 'none'; readonly reason: string }) => void;
}

/** Ends a process once it has answered what it owes, or has had its time. */
export function retire(child: ChildProcess, owed: Map<number, Owed>): void {
  const end = () => {
    clearTimeout(timer);
    child.removeAllListeners();
    child.on('error', () => undefined);
    child.kill('SIGKILL');
    for (const { settle } of owed.values()) settle({ type: 'none', reason: 'another model has taken its place' });
    owed.clear();
  };
  const timer = setTimeout(end, RETIRING_MS);
  child.removeAllListeners();
  child.on('error', end);
  child.on('exit', end);
  child.on('message', (message) => {
    if (!isFromInference(message) || !('id' in message) || message.type === 'early') return;
    const { id } = message;
    const waiting = owed.get(id);
    owed.delete(id);
    waiting?.settle(message);
    if (owed.size === 0) end();
  });
  if (owed.size === 0) end();
}
