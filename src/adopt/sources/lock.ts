import { randomUUID } from 'node:crypto';
import { rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** A holder shows that it lives so often, and is taken for dead after so long. */
const BEAT = 2_000;
const DEAD_AFTER = 20_000;
const ASK_EVERY = 200;

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once if another process holds it. */
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds after which a silent holder is taken for dead. */
  readonly deadAfter?: number;
}

/**
 * Makes processes that want the same file take turns, so that it is fetched once. It saves work only: that a file is whole
 * its sum decides, and that it appears at once the rename.
 * @returns what gives it back
 */
export async function takeLock(path: string, options: LockOptions = {}): Promise<() => Promise<void>> {
  const { signal, onWait, deadAfter = DEAD_AFTER } = options;
  const own = randomUUID();
  for (let first = true; !(await create(path, own)); first = false) {
    const holder = await stat(path).catch(() => undefined);
    if (holder && Date.now() - holder.mtimeMs > deadAfter) {
      const aside = `${path}.${own}`;
      await rename(path, aside).catch(() => undefined);
      await rm(aside, { force: true });
      continue;
    }
    if (first) onWait?.();
    await sleep(ASK_EVERY, undefined, { signal });
  }
  const beat = setInterval(() => {
    const now = new Date();
    // Who lost it goes on all the same: the sum decides.
    utimes(path, now, now).catch(() => undefined);
  }, BEAT);
  beat.unref();
  return async () => {
    clearInterval(beat);
    await rm(path, { force: true });
  };
}

async function create(path: string, own: string): Promise<boolean> {
  try {
    await writeFile(path, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
