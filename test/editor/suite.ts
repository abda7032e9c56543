import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { launchEditor, type LaunchOptions, type RunningEditor } from './launch';
import { EditorPage } from './page';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const execute = promisify(execFile);

export interface Workplace {
  editor: RunningEditor;
  page: EditorPage;
  /** A copy of test/fixtures/project of this editor's own. */
  project: string;
  /** Writes the settings of the project's folder, which the editor watches. Resolves once our server knows those of ours. */
  configure(settings: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

/**
 * Packs the extension, unless `THOUGHTLINE_VSIX` names it packed: test/run.mjs packs it once for all files.
 * @returns path of the VSIX, which `remove()` deletes if it was made here
 */
export async function pack(): Promise<{ vsix: string; remove(): Promise<void> }> {
  const there = process.env.THOUGHTLINE_VSIX;
  if (there) return { vsix: there, remove: () => Promise.resolve() };
  const folder = await mkdtemp(join(tmpdir(), 'thoughtline-vsix-'));
  const vsix = join(folder, 'thoughtline.vsix');
  const words = ['--import=tsx', 'scripts/package.ts', '--out', vsix];
  await execute(process.execPath, words, { cwd: root, timeout: 500_000 }).catch(
    (error: Error & { stderr?: string }) => {
      throw new Error(`npm run package failed: ${error.stderr?.trim() || error.message}`);
    },
  );
  return { vsix, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Packs the extension before the tests of a file and removes it after them. @returns the path of the VSIX, once it is packed */
export function packedForFile(): () => string {
  let packed: Awaited<ReturnType<typeof pack>> | undefined;
  before(
    async () => {
      packed = await pack();
    },
    { timeout: 540_000 },
  );
  after(() => packed?.remove());
  return () => packed!.vsix;
}

/** A name that no text has ever held, often enough used for the lookup memory to know how it goes on. */
export const NAME = 'zorblatQuuxFen';
/** The module that exports it, and one that uses it. */
export const lib = `export function ${NAME}(value: string): string {\n  return value.trim();\n}\n`;
export const user = `import { ${NAME} } from './lib';\n\n${`console.log(${NAME}('a'));\n`.repeat(4)}`;

/** Packs another extension: `second` suggests, too, `elsewhere` opens what is on no disk. @param folder where the VSIX is put */
export async function packOther(name: 'second' | 'elsewhere', folder: string): Promise<string> {
  const packagePath = join(folder, `${name}.vsix`);
  const cwd = join(root, 'test', 'editor', name);
  // It takes a second to load, and few tests need it.
  const { createVSIX } = await import('@vscode/vsce');
  await createVSIX({ cwd, packagePath, dependencies: false, allowMissingRepository: true, skipLicense: true });
  return packagePath;
}

/**
 * Starts an editor on a fresh copy of the project.
 * @param prepare changes the copy before it is opened; a path that it resolves with is opened in its place
 */
export async function start(
  vsix: string,
  options: Omit<LaunchOptions, 'project' | 'vsix'> = {},
  prepare: (project: string) => Promise<string | void> = () => Promise.resolve(),
): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'thoughtline-project-'));
  const project = join(folder, 'harbour');
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await cp(join(root, 'test', 'fixtures', 'project'), project, { recursive: true });
    const opened = (await prepare(project)) ?? project;
    const log = (line: string) => process.stderr.write(`${line}\n`);
    const editor = await launchEditor({ log, ...options, project: opened, vsix });
    const page = new EditorPage(editor, project);
    let ours = oursOf({});
    return {
      editor,
      page,
      project,
      configure: async (settings) => {
        const { configurations } = await page.requests.read();
        await mkdir(join(project, '.vscode'), { recursive: true });
        await writeFile(join(project, '.vscode', 'settings.json'), JSON.stringify(settings));
        const before = ours;
        ours = oursOf(settings);
        if (ours !== before) await page.waitForSettings(configurations);
      },
      close: async () => {
        await editor.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Our settings among some, as text. */
function oursOf(settings: Record<string, unknown>): string {
  return JSON.stringify(Object.entries(settings).filter(([name]) => /^\[|^thoughtline\./.test(name)));
}

/** What `thoughtline complete --json` says, with the built command line. */
export async function completeOnCommandLine(
  path: string,
  text: string,
  line: number,
  column: number,
): Promise<CommandLineAnswer> {
  const words = ['dist/cli.js', 'complete', '--json', '--path', path, `-:${line}:${column}`];
  const running = execute(process.execPath, words, { cwd: root, timeout: 400_000 });
  running.child.stdin?.end(text);
  return JSON.parse((await running).stdout) as CommandLineAnswer;
}

export interface CommandLineAnswer {
  completion: string;
  replaceSuffix: number;
  thought: { nll: number[]; heldOut: number[]; best: number };
}

/** Tests in an editor: each leaves a picture when it fails, and nothing may pop up in it. */
export function steps(page: () => EditorPage): (name: string, body: () => Promise<void>) => void {
  return (name, body) => {
    test(name, async () => {
      try {
        await body();
        assert.deepEqual(await page().popUps(), [], 'no pop-ups');
      } catch (error) {
        await page().screenshot(`failed-${name.replaceAll(/\W+/g, '-').slice(0, 40)}`);
        throw error;
      }
    });
  };
}

/** Opens a new line below a place of a file and types there. @returns the number of that line */
export async function typeBelow(page: EditorPage, path: string, place: string, text: string): Promise<number> {
  const line = await page.lineOf(path, place);
  await page.goto(line, 1);
  await page.press('End', 'Enter');
  await page.type(text);
  return line + 1;
}
