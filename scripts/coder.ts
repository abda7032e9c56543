/**
 * Gets and adopts the code model, once for all checkouts, or says in one line why it cannot be had.
 *   node --import=tsx scripts/coder.ts
 */
import { obtainWithProgress } from '../src/cli/obtain';
import { messageOf } from '../src/model/errors';

// Without it the tests that need it are skipped, by name.
obtainWithProgress()
  .catch(messageOf)
  .then(
    (said) => process.stdout.write(`${said}\n`),
    () => undefined,
  );
