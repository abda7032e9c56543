import assert from 'node:assert/strict';
import { bundle, inferencePid, LspClient } from '../server/client';
import { peakMb } from './processes';
import { quantile } from './random';
import { EditedDocument } from './typist';

export interface LargeReport {
  readonly name: string;
  readonly megabytes: number;
  readonly lines: number;
  readonly tabs: number;
  /** From opening to the first answer by hand: thinking, the memory of all that is open, a suggestion. */
  readonly firstMs: number;
  /** From a keystroke to the answer. */
  readonly keystrokeMs: { readonly median: number; readonly longest: number };
  /** From a keystroke until the server answers anything at all. */
  readonly serverMs: { readonly median: number; readonly longest: number };
  readonly decision: string;
  readonly peakMb: { readonly server: number; readonly inference: number };
}

export interface LargeCase {
  readonly name: string;
  readonly text: string;
  /** Where the user types. */
  readonly offset: number;
  readonly tabs?: number;
}

const codeLine = (i: number) => `export const value${i} = compute(value${i % 97}, "${i}");\n`;
const code = (lines: number) => Array.from({ length: lines }, (_, i) => codeLine(i)).join('');

/** A text with an empty line in its middle, and the place of that: what follows the cursor is on the next lines. */
function halved(text: string): Pick<LargeCase, 'text' | 'offset'> {
  const offset = text.indexOf('\n', text.length / 2) + 1;
  return { text: `${text.slice(0, offset)}\n${text.slice(offset)}`, offset };
}

/** What is large: a file in bytes, in lines, in one line, beside one line; tabs. */
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
  ];
}

/** Types in something large, in a server of its own. */
export async function measureLarge(
  { name, text, offset, tabs = 0 }: LargeCase,
  model = bundle,
  keystrokes = 20,
): Promise<LargeReport> {
  const client = await LspClient.start({ bundle: model, settings: { inferenceSteps: 4 }, keepOutput: false });
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
    };
  } finally {
    await client.stop();
  }
}

/** All cases, one after the other. */
export async function largeInputs(): Promise<LargeReport[]> {
  const reports: LargeReport[] = [];
  for (const one of largeCases()) reports.push(await measureLarge(one));
  return reports;
}
