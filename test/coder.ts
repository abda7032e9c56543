import { obtainedCoder } from '../src/adopt/sources/coder';
import { messageOf } from '../src/model/errors';

/**
 * The folder of the code model's bundle; and why tests that need it are skipped, where it is not in the cache. Nothing is
 * loaded in a test: `npm run test:all` does that before (`npm run coder`).
 */
export const coder: { readonly directory: string; readonly skip: string | false } = find();

function find() {
  try {
    return { directory: obtainedCoder(), skip: false as const };
  } catch (error) {
    return { directory: '', skip: messageOf(error) };
  }
}
