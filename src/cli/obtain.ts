/** How the command line gets the code model: a program part of its own, so that nothing else of it knows the network. */
import { obtainCoder } from '../adopt/sources/coder';
import { downloadSource } from '../adopt/sources/download';
import { downloadWheels } from '../adopt/sources/wheels';
import { ProgressBar } from './progress';

/** Where nobody watches a bar a line is written this often, in milliseconds. */
const LINE_EVERY = 10_000;

export interface ObtainArguments {
  /** Files and folders to look for the weights in. */
  readonly places?: readonly string[];
}

/**
 * Gets and adopts the code model, with progress on standard error; an interrupt ends it, and what has come is kept.
 * @returns the folder of its bundle
 * @throws UserError with the reason in one line why it cannot be had
 */
export async function obtainWithProgress({ places = [] }: ObtainArguments = {}): Promise<string> {
  const bar = new ProgressBar('code model', 1);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  let said = performance.now();
  try {
    return await obtainCoder({
      fetchers: { pip: downloadWheels, https: downloadSource },
      places,
      signal: interrupted.signal,
      onProgress: (share, what) => {
        bar.update(share, what);
        if (process.stderr.isTTY || performance.now() - said < LINE_EVERY) return;
        said = performance.now();
        process.stderr.write(`code model, ${Math.floor(100 * share)} %: ${what}\n`);
      },
    });
  } finally {
    bar.clear();
    process.off('SIGINT', interrupt);
  }
}
