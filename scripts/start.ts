/**
 * What a newcomer sees first: completes a line of a frozen file with the code model, which is got and adopted once, or with
 * the small one where it cannot be had.
 *   npm start
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { obtainWithProgress } from '../src/cli/obtain';
import { messageOf } from '../src/model/errors';

const root = fileURLToPath(new URL('..', import.meta.url));

/** `    for (`, at the beginning of a method. */
const PLACE = 'test/fixtures/project/src/harbour.ts:83:10';

async function chooseModel(): Promise<string> {
  try {
    await obtainWithProgress();
    return 'coder';
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\nnano completes instead:\n`);
    return 'nano';
  }
}

void chooseModel().then((model) => {
  const words = ['dist/cli.js', 'complete', PLACE, '--forget', '--max-lines', '1', '--trace', '--model', model];
  const { status } = spawnSync(process.execPath, words, { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
});
