import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle, inferencePid, LspClient } from '../server/client';
import { peakMb } from './processes';
import { quantile } from './random';
import { EditedDocument } from './typist';

export interface LargeReport {
  readonly name: string;
  readonly megabytes: number;
  readonly lines: number;
  readonly tabs: number;
  /** From opening to the first manually triggered answer: thinking, the memory of all that is open, a suggestion. */
  readonly firstMs: number;
  /** From a keystroke to the answer. */
  readonly keystrokeMs: { readonly median: number; readonly longest: number };
  /** From a keystroke until the server answers anything at all. */
  readonly serverMs: { readonly median: number; readonly longest: number };
  readonly decision: string;
  readonly peakMb: { readonly server: number; readonly inference: number };
  /** What the log said of the workspace's files when all were read, and the seconds from the first until then. */
  readonly workspace?: { readonly seconds: number; readonly log: readonly string[] };
}

export interface LargeCase {
  readonly name: string;
  readonly text: string;
  /** Where the user types. */
  readonly offset: number;
  readonly tabs?: number;
  /** Source files of the workspace on disk. */
  readonly files?: number;
}

const codeLine = (i: number) => `export const value${i} = compute(value${i % 97}, "${i}");\n`;
const code = (lines: number) => Array.from({ length: lines }, (_, i) => codeLine(i)).join('');

/** A text with an empty line in its middle, and the place of that: what follows the cursor is on the next lines. */
function halved(text: string): Pick<LargeCase, 'text' | 'offset'> {
  const offset = text.indexOf('\n', text.length / 2) + 1;
  return { text: `${text.slice(0, offset)}\n${text.slice(offset)}`, offset };
}

/** What is large: a file in bytes, in lines, in one line, beside one line; tabs; a workspace. */
export function largeCases(): LargeCase[] {
  const megabyte = code(22_000).slice(0, 1 << 20);
  const lines = code(50_000);
  const minified = `var a=[${'function(e,t){return e(t)},'.repeat(194_000)}0];`;
  const beside = `${minified}\nexport const value = 1;\n`;
  const small = halved(code(200));
  return [
    { name: 'a small file, for comparison', ...small },
    { name: 'a file of 1 MB', ...halved(megabyte) },
    { name: 'a file of 50,000 lines', ...halved(lines) },
    { name: 'in a minified line of 5 MB', text: minified, offset: minified.length >> 1 },
    { name: 'below a minified line of 5 MB', text: beside, offset: beside.length },
    { name: '200 open tabs of 11 kB', ...small, tabs: 200 },
    { name: 'a workspace of 100,000 files', ...small, files: 100_000 },
  ];
}

/** Source files in a hundred folders: a thousand texts under many names each, which a disk forgets quickly. */
function makeWorkspace(root: string, files: number): void {
  const texts = Math.min(1_000, files);
  const path = (i: number) => join(root, `part${i % 100}`, `module${i}.ts`);
  for (let i = 0; i < files; i++) {
    if (i < 100) mkdirSync(join(root, `part${i}`));
    if (i < texts) writeFileSync(path(i), code(4).replaceAll('value', `part${i}`));
    else linkSync(path(i % texts), path(i));
  }
}

/** Types in something large, in a server of its own; where there is a workspace, while that is read. */
export async function measureLarge(
  { name, text, offset, tabs = 0, files = 0 }: LargeCase,
  model = bundle,
  keystrokes = 20,
): Promise<LargeReport> {
  const scratch = mkdtempSync(join(tmpdir(), 'thoughtline-large-'));
  makeWorkspace(scratch, files);
  const folders = files > 0 ? [pathToFileURL(scratch).href] : [];
  const begun = performance.now();
  const client = await LspClient.start({ bundle: model, folders, settings: { inferenceSteps: 4 }, keepOutput: false });
  try {
    await client.ready();
    for (let i = 0; i < tabs; i++)
      await client.open(`file:///w/src/tab${i}.ts`, code(200).replaceAll('value', `tab${i}`));
    const document = new EditedDocument('file:///w/src/large.ts', text);
    const opened = performance.now();
    await client.open(document.uri, text);
    await client.complete(document.uri, document.position(offset), { invoked: true });
    const firstMs = performance.now() - opened;
    const keystrokeMs: number[] = [];
    const serverMs: number[] = [];
    let decision = '';
    const word = 'export const kept = compute(';
    for (let i = 0; i < keystrokes; i++) {
      const position = await document.edit(client, offset + i, 0, word[i % word.length] as string);
      const typed = performance.now();
      const answer = client.complete(document.uri, position).then(() => keystrokeMs.push(performance.now() - typed));
      const { reason } = await client.why(document.uri, position);
      serverMs.push(performance.now() - typed);
      await answer;
      decision = reason;
    }
    await document.compare(client);
    const said = () => client.logs.filter((line) => line.startsWith('workspace memory: '));
    if (files > 0)
      await client.until(() => said().some((line) => / files, .* read, /.test(line)), 'the workspace', 600_000);
    const seconds = (performance.now() - begun) / 1000;
    assert.equal(client.server.exitCode, null);
    const inference = await inferencePid(client);
    const of = (values: number[]) => ({ median: quantile(values, 0.5), longest: Math.max(...values) });
    return {
      name,
      megabytes: Buffer.byteLength(text) / 1e6,
      lines: text.split('\n').length,
      tabs,
      firstMs,
      keystrokeMs: of(keystrokeMs),
      serverMs: of(serverMs),
      decision,
      peakMb: { server: peakMb(client.server.pid as number) ?? 0, inference: peakMb(inference) ?? 0 },
      ...(files > 0 && { workspace: { seconds, log: said() } }),
    };
  } finally {
    await client.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** All cases, one after the other. */
export async function largeInputs(): Promise<LargeReport[]> {
  const reports: LargeReport[] = [];
  for (const one of largeCases()) reports.push(await measureLarge(one));
  return reports;
}
