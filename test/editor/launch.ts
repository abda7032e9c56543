/**
 * Starts a real VS Code on a project with the built VSIX installed. Two launchers, one result: a Playwright page.
 *
 *   code-server   VS Code's server and its browser workbench, from npm packages alone (linux x64)
 *   desktop       the desktop VS Code, downloaded by @vscode/test-electron
 *
 * `THOUGHTLINE_EDITOR=code-server|desktop` chooses; by default code-server where its packages run.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium, _electron, type Browser, type Page } from 'playwright-core';
import { codeServerRunsHere, installCodeServer, type CodeServerInstallation } from './code-server/install';
import { TRACED } from './requestLog';

const execute = promisify(execFile);

/** No wait in here is longer than this, in milliseconds. */
const timeoutMs = 120_000;

export interface LaunchOptions {
  /** Folder to open, or a file `.code-workspace` with several. */
  project: string;
  /** Extension to install; left out: a bare editor. */
  vsix?: string;
  /** Extensions to install beside it. */
  others?: readonly string[];
  /** User settings on top of `quietSettings`. */
  settings?: Record<string, unknown>;
  /** Keys of the user's own. */
  keybindings?: readonly { key: string; command: string }[];
  /** Settings of scope "machine"; code-server takes them from the remote machine's file, as every remote window does. */
  machineSettings?: Record<string, unknown>;
  /** Open the project in Restricted Mode. */
  untrusted?: boolean;
  /** Size of the window in pixels. */
  size?: { width: number; height: number };
  /** Physical pixels per pixel of the window, in the browser. */
  scale?: number;
  log?: (line: string) => void;
}

export interface RunningEditor {
  page: Page;
  /** Folder of the editor's own logs. */
  logs: string;
  /** Folder in which extensions keep what is theirs in all workspaces. */
  globalStorage: string;
  /** Folder of the installed extensions, of this editor alone. */
  extensions: string;
  close(): Promise<void>;
}

/** Settings under which nothing but what a test does changes the editor's picture. */
export const quietSettings: Readonly<Record<string, unknown>> = {
  'chat.disableAIFeatures': true,
  'editor.cursorBlinking': 'solid',
  'editor.fontFamily': 'DejaVu Sans Mono',
  'editor.minimap.enabled': false,
  'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
  'editor.suggestOnTriggerCharacters': false,
  'editor.parameterHints.enabled': false,
  'editor.occurrencesHighlight': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'files.autoSave': 'off',
  'git.enabled': false,
  'security.workspace.trust.startupPrompt': 'never',
  'telemetry.telemetryLevel': 'off',
  // Without a budget of time every machine writes the same.
  'thoughtline.timeBudget': 0,
  // However unsure the model is, there is something to look at.
  'thoughtline.confidence': 'off',
  'typescript.disableAutomaticTypeAcquisition': true,
  'update.mode': 'none',
  'window.commandCenter': false,
  'window.dialogStyle': 'custom',
  'window.titleBarStyle': 'custom',
  'workbench.colorTheme': 'Default Dark Modern',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/** Which launcher serves here. */
export function editorKind(): 'code-server' | 'desktop' {
  const wanted = process.env.THOUGHTLINE_EDITOR ?? '';
  if (wanted === 'code-server' || wanted === 'desktop') return wanted;
  if (wanted !== '') throw new Error(`THOUGHTLINE_EDITOR is "${wanted}"; it can be code-server or desktop`);
  return codeServerRunsHere() ? 'code-server' : 'desktop';
}

/**
 * Starts the editor; the caller must `close()` it.
 * @throws Error when the editor cannot be installed, started, or does not show its workbench within two minutes.
 */
export async function launchEditor(options: LaunchOptions): Promise<RunningEditor> {
  const scratch = await mkdtemp(join(tmpdir(), 'thoughtline-editor-'));
  const userData = join(scratch, 'user-data');
  for (const folder of ['User', 'Machine']) {
    const own = folder === 'User' ? { ...quietSettings, ...options.settings } : {};
    await mkdir(join(userData, folder), { recursive: true });
    await writeFile(
      join(userData, folder, 'settings.json'),
      JSON.stringify({ ...own, ...options.machineSettings }, null, 2),
    );
  }
  await writeFile(join(userData, 'User', 'keybindings.json'), JSON.stringify(options.keybindings ?? []));
  const profile: Profile = { scratch, userData, extensions: join(scratch, 'extensions') };
  const cleanups: (() => Promise<unknown>)[] = [() => rm(scratch, { recursive: true, force: true, maxRetries: 5 })];
  const close = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup().catch(() => undefined);
  };
  try {
    const start = editorKind() === 'desktop' ? startDesktop : startCodeServer;
    const page = await start(options, profile, cleanups);
    await page.locator('.monaco-workbench').waitFor({ timeout: timeoutMs });
    await page.locator('.statusbar').waitFor({ timeout: timeoutMs });
    const globalStorage = join(userData, 'User', 'globalStorage');
    return { page, logs: join(userData, 'logs'), globalStorage, extensions: profile.extensions, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Profile {
  scratch: string;
  userData: string;
  extensions: string;
}

/** The extensions to install, as files. */
function filesOf({ vsix, others = [] }: LaunchOptions): string[] {
  return [...(vsix === undefined ? [] : [vsix]), ...others];
}

/** Puts in place what test/editor/prepare.ts has installed for all windows. @returns the files that are left to install */
async function copyInstalled(files: readonly string[], extensions: string): Promise<string[]> {
  const { THOUGHTLINE_VSIX: vsix, THOUGHTLINE_EXTENSIONS: installed } = process.env;
  if (!vsix || !installed || !files.includes(vsix)) return [...files];
  await cp(installed, extensions, { recursive: true });
  return files.filter((file) => file !== vsix);
}

type Cleanups = (() => Promise<unknown>)[];

async function startCodeServer(options: LaunchOptions, profile: Profile, cleanups: Cleanups): Promise<Page> {
  const log = options.log ?? (() => undefined);
  const installation = await installCodeServer(log);
  const server = await serveCode(installation, {
    userData: profile.userData,
    extensions: profile.extensions,
    config: join(profile.scratch, 'code-server.yaml'),
    extensionFiles: await copyInstalled(filesOf(options), profile.extensions),
    untrusted: options.untrusted ?? false,
  });
  cleanups.push(() => server.stop());

  const browser = await launchBrowser(installation);
  cleanups.push(() => browser.close());
  const size = options.size ?? { width: 1280, height: 800 };
  const context = await browser.newContext({ viewport: size, deviceScaleFactor: options.scale ?? 1 });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const kind = options.project.endsWith('.code-workspace') ? 'workspace' : 'folder';
  const query = new URLSearchParams({ [kind]: options.project, payload: JSON.stringify([['logLevel', TRACED]]) });
  await page.goto(`${server.url}/?${query.toString()}`, { timeout: timeoutMs });
  return page;
}

export function launchBrowser(installation: CodeServerInstallation): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.THOUGHTLINE_CHROMIUM || installation.chromium,
    env: { ...(process.env as Record<string, string>), ...installation.environment },
    timeout: timeoutMs,
    args: chromiumSwitches,
  });
}

const chromiumSwitches = [
  '--no-sandbox',
  '--no-zygote',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--font-render-hinting=none',
];

export interface CodeServerOptions {
  userData: string;
  extensions: string;
  /** Where code-server may write its own configuration. */
  config: string;
  /** Extensions to install. */
  extensionFiles: readonly string[];
  untrusted?: boolean;
}

/** Installs extensions into a folder of their own. @throws Error naming the one that was not installed */
export async function installExtensions(
  installation: CodeServerInstallation,
  options: Omit<CodeServerOptions, 'untrusted'>,
): Promise<void> {
  for (const file of options.extensionFiles) {
    await execute(installation.node, [installation.entry, ...foldersOf(options), '--install-extension', file], {
      timeout: timeoutMs,
      env: cleanEnvironment(),
    }).catch((error: Error & { stderr?: string }) => {
      throw new Error(`${file} was not installed: ${error.stderr?.trim() || error.message}`);
    });
  }
}

function foldersOf({ config, userData, extensions }: Omit<CodeServerOptions, 'untrusted'>): string[] {
  return ['--config', config, '--user-data-dir', userData, '--extensions-dir', extensions];
}

/**
 * Starts code-server on a free loopback port with a VSIX installed.
 * @returns its address, and `stop()`, which ends it and the processes it started.
 */
export async function serveCode(
  installation: CodeServerInstallation,
  options: CodeServerOptions,
): Promise<{ url: string; process: ChildProcess; stop(): Promise<void> }> {
  await installExtensions(installation, options);
  const common = foldersOf(options);
  const words = [
    installation.entry,
    ...common,
    ...['--auth', 'none', '--bind-addr', '127.0.0.1:0', '--ignore-last-opened'],
    ...['--disable-update-check', '--disable-telemetry', '--disable-getting-started-override', '--disable-proxy'],
    ...(options.untrusted ? [] : ['--disable-workspace-trust']),
  ];
  // A process group of its own: stopping it stops the extension host and the servers below it, and nothing else.
  const child = spawn(installation.node, words, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(),
  });
  const ended = new Promise<void>((done) => child.on('close', () => done()));
  const stop = async () => {
    signalGroup(child, 'SIGTERM');
    const killer = setTimeout(() => signalGroup(child, 'SIGKILL'), 5000);
    await ended;
    clearTimeout(killer);
  };
  try {
    return { url: await listening(child), process: child, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves with the loopback address that code-server prints. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    let output = '';
    const timer = setTimeout(
      () => fail(new Error(`code-server did not listen within ${timeoutMs / 1000} s\n${output}`)),
      timeoutMs,
    );
    const read = (data: Buffer) => {
      output = (output + data.toString()).slice(-4000);
      const url = /listening on (http:\/\/127\.0\.0\.1:\d+)/i.exec(output)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      done(url);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.on('error', fail);
    child.on('close', (code) => fail(new Error(`code-server ended with ${code}\n${output}`)));
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Already gone.
  }
}

/** Without the variables of an editor or test runner around us, which would change the one that we start. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(VSCODE_|ELECTRON_|NODE_OPTIONS$|NODE_TEST_CONTEXT$|PORT$|PASSWORD$)/.test(name),
    ),
  );
}

async function startDesktop(options: LaunchOptions, profile: Profile, cleanups: Cleanups): Promise<Page> {
  const { downloadAndUnzipVSCode, resolveCliArgsFromVSCodeExecutablePath } = await import('@vscode/test-electron');
  const executable =
    process.env.THOUGHTLINE_VSCODE ||
    (await downloadAndUnzipVSCode().catch((error: Error) => {
      const remedy = 'THOUGHTLINE_VSCODE can name the executable of one that is installed';
      throw new Error(`the desktop VS Code cannot be downloaded (${error.message}); ${remedy}`);
    }));
  const folders = ['--user-data-dir', profile.userData, '--extensions-dir', profile.extensions];
  for (const file of filesOf(options)) {
    const [cli, ...words] = resolveCliArgsFromVSCodeExecutablePath(executable, { reuseMachineInstall: true });
    if (cli === undefined) throw new Error(`${executable}: no command line beside it`);
    await execute(cli, [...words, ...folders, '--install-extension', file], {
      timeout: timeoutMs,
      env: cleanEnvironment(),
      shell: process.platform === 'win32',
    });
  }
  const size = options.size ?? { width: 1280, height: 800 };
  const application = await _electron.launch({
    executablePath: executable,
    timeout: timeoutMs,
    env: cleanEnvironment() as Record<string, string>,
    args: [
      ...folders,
      ...(options.untrusted ? [] : ['--disable-workspace-trust']),
      ...(process.platform === 'linux' ? ['--no-sandbox', '--disable-gpu'] : []),
      ...['--log', TRACED],
      ...['--new-window', '--skip-welcome', '--skip-release-notes', '--disable-updates', '--disable-telemetry'],
      options.project,
    ],
  });
  cleanups.push(() => application.close());
  application.context().setDefaultTimeout(30_000);
  const page = await application.firstWindow({ timeout: timeoutMs });
  await page.setViewportSize(size).catch(() => undefined);
  return page;
}
