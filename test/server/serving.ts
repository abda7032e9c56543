/** `thoughtline serve` as a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { dist, root, tiny } from './client';

export interface Started {
  readonly address: string;
  readonly child: ChildProcess;
  /** What it has written to standard error. */
  readonly log: () => string;
  /** Ends it as a container's manager does. @returns its exit code */
  readonly stop: () => Promise<number | null>;
}

/** Starts a server on a free port of this machine. */
export function startServing(args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}): Promise<Started> {
  const words = [join(dist, 'cli.js'), 'serve', '--port', '0', '--model', tiny, '--device', 'cpu', ...args];
  const child = spawn(process.execPath, words, { cwd: root, env: { ...process.env, ...environment } });
  const exit = new Promise<number | null>((done) => child.on('exit', done));
  let log = '';
  child.stderr.on('data', (data: Buffer) => (log += data.toString()));
  return new Promise((done, fail) => {
    child.stdout.on('data', (data: Buffer) => {
      const [, address] = /(http:\S+)\/v1\/completions/.exec(data.toString()) ?? [];
      const stop = () => {
        child.kill('SIGTERM');
        return exit;
      };
      if (address) done({ address, child, log: () => log, stop });
    });
    void exit.then((code) => fail(new Error(`it ended with ${code}: ${log}`)));
  });
}
