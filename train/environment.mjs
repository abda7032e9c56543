// The virtual environment of the training package: made on the first use and kept in the cache.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const train = fileURLToPath(new URL('.', import.meta.url));

/**
 * Makes the environment if it is not there.
 * @returns its folder and its Python
 * @throws Error in one line: there is no Python, or pip failed (what it said stands above)
 */
export function trainEnvironment() {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'thoughtline');
  // What the package needs; how its tools are set up changes nothing in the environment.
  const [needs = ''] = readFileSync(join(train, 'pyproject.toml'), 'utf8').split('\n[tool.');
  const key = createHash('sha256').update(needs).digest('hex').slice(0, 12);
  const folder = join(cache, `train-venv-${key}`);
  const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  if (existsSync(join(folder, 'ready'))) return { folder, python };
  const base = findPython();
  console.log('making a virtual environment for the training package (PyTorch: a few minutes and some gigabytes, once)');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  run(base, ['-m', 'venv', folder]);
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--editable', `${train}[test]`]);
  writeFileSync(join(folder, 'ready'), '');
  return { folder, python };
}

function findPython() {
  const check = 'import sys; sys.exit(sys.version_info < (3, 11))';
  const found = ['python3', 'python'].find((name) => spawnSync(name, ['-c', check]).status === 0);
  if (found) return found;
  throw new Error('The training package needs Python 3.11 or newer on the PATH; install it and try again.');
}

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ${args.slice(0, 3).join(' ')} failed; see above.`);
}
