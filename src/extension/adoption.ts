/** Runs the program that gets and adopts models; knows nothing of VS Code. */
import { fork } from 'node:child_process';
import type { FromAdoption, ToAdoption } from '../adopt/messages';

export interface AdoptionOptions {
  readonly signal?: AbortSignal | undefined;
  /** `share`: from 0 to 1. */
  readonly onProgress?: ((share: number, what: string) => void) | undefined;
}

/** How an order ended. */
export type Adopted = Exclude<FromAdoption, { type: 'progress' }>;

/**
 * Gives an order to a process of its own, and waits for its end. Never rejects.
 * @param script path of `dist/adopt.js`
 */
export function runAdoption(
  script: string,
  order: ToAdoption,
  { signal, onProgress }: AdoptionOptions = {},
): Promise<Adopted> {
  return new Promise((done) => {
    // The editor's own executable runs it: without the variable it would start another editor.
    const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
    const child = fork(script, [], { env, execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    let ended: Adopted | undefined;
    const cancel = () => {
      if (child.connected) child.send({ type: 'cancel' } satisfies ToAdoption, () => undefined);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    child.on('message', (said: FromAdoption) => {
      if (said.type === 'progress') onProgress?.(said.share, said.what);
      else ended = said;
    });
    const finish = (reason: string) => {
      signal?.removeEventListener('abort', cancel);
      done(ended ?? (signal?.aborted ? { type: 'cancelled' } : { type: 'failed', reason }));
    };
    child.on('error', (error) => finish(error.message));
    child.on('exit', (code, by) => finish(`the process that gets models ended (${by ?? `exit code ${code}`})`));
    child.send(order, () => undefined);
    if (signal?.aborted) cancel();
  });
}
