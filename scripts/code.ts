/**
 * Opens a real VS Code with the extension.
 *   npm run code [-- FOLDER]
 * The desktop one where `code` is on the PATH (the extension runs from this checkout), else code-server in the browser
 * (the extension is packed and installed first); Ctrl+C ends that one.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, installCodeServer } from '../test/editor/code-server/install';
import { serveCode } from '../test/editor/launch';
import { ownTarget, packExtension } from './package';

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (line: string) => process.stderr.write(`${line}\n`);

main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const folder = resolve(process.argv[2] ?? root);
  if (!desktop()) return browser(folder);
  spawnSync(process.execPath, ['esbuild.mjs'], { cwd: root, stdio: 'inherit' });
  const words = ['--new-window', `--extensionDevelopmentPath=${root}`, folder];
  const { status } = spawnSync('code', words, { stdio: 'inherit', shell: process.platform === 'win32' });
  process.exitCode = status ?? 1;
}

/** Whether a desktop VS Code answers to `code`. In a terminal of a remote one it does, but cannot load a checkout. */
function desktop(): boolean {
  if (process.env.THOUGHTLINE_EDITOR === 'code-server' || process.env.VSCODE_IPC_HOOK_CLI !== undefined) return false;
  return spawnSync('code', ['--version'], { stdio: 'ignore', shell: process.platform === 'win32' }).status === 0;
}

async function browser(folder: string): Promise<void> {
  const installation = await installCodeServer(say);
  say('packing the extension');
  const vsix = await packExtension({
    target: ownTarget(),
    models: ['nano'],
    out: join(tmpdir(), `thoughtline-${process.pid}.vsix`),
  });
  // Kept between runs, so that settings stay.
  const profile = join(cacheFolder(), 'profile');
  await mkdir(profile, { recursive: true });
  const server = await serveCode(installation, {
    userData: join(profile, 'user-data'),
    extensions: join(profile, 'extensions'),
    config: join(profile, 'code-server.yaml'),
    extensionFiles: [vsix],
  }).finally(() => rm(vsix, { force: true }));
  process.stdout.write(
    `\nVS Code with Thoughtline: ${server.url}/?folder=${encodeURIComponent(folder)}\nCtrl+C ends it.\n`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void server.stop().then(() => process.exit(0)));
  }
  await new Promise((done) => server.process.once('close', done));
}
