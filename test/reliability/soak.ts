import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { frozen, inferencePid, LspClient, tiny } from '../server/client';
import { descriptors, residentMb } from './processes';
import { quantile, randomFrom, slope } from './random';
import { EditedDocument } from './typist';

export interface SoakOptions {
  readonly edits: number;
  /** Files that are open all the time. */
  readonly files: number;
  readonly seed: number;
}

/** Memory and descriptors of one process: after warm-up, at the end, and how memory grew in between. */
export interface Growth {
  readonly warmMb: number;
  readonly endMb: number;
  readonly mbPerThousandEdits: number;
  /** The same over the last third: what fills only once has filled. */
  readonly lateMbPerThousandEdits: number;
  readonly warmDescriptors: number;
  readonly endDescriptors: number;
}

export interface SoakReport {
  readonly edits: number;
  readonly files: number;
  readonly requests: number;
  readonly answers: number;
  readonly thoughts: number;
  readonly switches: number;
  readonly comparisons: number;
  readonly respawns: number;
  readonly server: Growth;
  readonly inference: Growth;
  readonly answerMs: { readonly median: number; readonly p99: number };
  readonly seconds: number;
}

/** Documents are compared with the server's after so many edits. */
const COMPARE_EVERY = 100;

/** The share of the edits that counts as warm-up: caches fill, code is compiled. */
const WARM_UP = 0.3;

const written = ['x', 'const a = 1;', '\n', ' ', '(', '}\n', 'é', '👍🏽', '𝒳', '\t', 'return value', '\r\n', '// note\n'];

interface Sample {
  readonly edits: number;
  readonly mb: number;
  readonly descriptors: number;
}

/**
 * A long session through the real protocol: edits here and there in files that stay open, a request for a suggestion after
 * each, sometimes one manually triggered (which thinks first), files closed and opened again. Every hundredth edit all documents are
 * compared byte for byte.
 */
export async function soak({ edits, files, seed }: SoakOptions): Promise<SoakReport> {
  const began = performance.now();
  const client = await LspClient.start({ bundle: tiny, settings: { inferenceSteps: 2 }, keepOutput: false });
  try {
    const report = await session(client, edits, files, seed);
    return { ...report, seconds: (performance.now() - began) / 1000 };
  } finally {
    await client.stop();
  }
}

async function session(client: LspClient, edits: number, files: number, seed: number) {
  const random = randomFrom(seed);
  const source = readFileSync(join(frozen, 'src/completion/decode.ts'), 'utf8');
  const documents: EditedDocument[] = [];
  for (let i = 0; i < files; i++) {
    const text = i % 5 === 0 ? source.replaceAll('\n', '\r\n') : source.slice(random(2000));
    documents.push(new EditedDocument(`file:///w/src/file${i}.ts`, text));
    await client.open(documents[i]!.uri, text);
  }
  await client.ready();
  const server = client.server.pid as number;
  const inference = await inferencePid(client);
  const samples = { server: [] as Sample[], inference: [] as Sample[] };
  const counts = { requests: 0, answers: 0, thoughts: 0, switches: 0, comparisons: 0 };
  const answerMs: number[] = [];
  let current = documents[0] as EditedDocument;
  let cursor = 0;
  for (let edit = 1; edit <= edits; edit++) {
    if (random(20) === 0) {
      current = documents[random(files)] as EditedDocument;
      cursor = lineEnd(current.text, random);
      counts.switches++;
      if (random(3) === 0) {
        await client.close(current.uri);
        await client.open(current.uri, current.text);
      }
    }
    // Mostly typing on; now and then a jump, or a deletion that keeps the file about as long as it was.
    if (random(8) === 0) cursor = lineEnd(current.text, random);
    const removed = current.text.length > source.length + 500 ? 40 : random(4) === 0 ? random(12) : 0;
    const inserted = written[random(written.length)] as string;
    const position = await current.edit(client, Math.min(cursor, current.text.length), removed, inserted);
    cursor = Math.min(cursor + inserted.length, current.text.length);
    const invoked = random(25) === 0;
    const asked = performance.now();
    const items = await client.complete(current.uri, position, { invoked });
    answerMs.push(performance.now() - asked);
    counts.requests++;
    if (items.length > 0) counts.answers++;
    if (invoked) counts.thoughts++;
    if (edit % COMPARE_EVERY === 0) {
      for (const document of documents) await document.compare(client);
      counts.comparisons += documents.length;
      for (const [name, pid] of Object.entries({ server, inference })) {
        const mb = residentMb(pid);
        assert.ok(mb !== undefined, `the ${name} process has ended`);
        samples[name as keyof typeof samples].push({ edits: edit, mb, descriptors: descriptors(pid) });
      }
    }
  }
  const { respawns } = await client.statistics();
  // Nothing of this is kept by the client either: what it logs is bounded, too.
  assert.ok(client.logs.length < 1000, `${client.logs.length} lines in the log`);
  return {
    edits,
    files,
    ...counts,
    respawns,
    server: growth(samples.server, edits),
    inference: growth(samples.inference, edits),
    answerMs: { median: quantile(answerMs, 0.5), p99: quantile(answerMs, 0.99) },
  };
}

/** Where a line ends: there a suggestion may be made. */
function lineEnd(text: string, random: (below: number) => number): number {
  const newline = text.indexOf('\n', random(text.length));
  if (newline === -1) return text.length;
  return text[newline - 1] === '\r' ? newline - 1 : newline;
}

function growth(samples: readonly Sample[], edits: number): Growth {
  const warm = samples.filter((sample) => sample.edits >= WARM_UP * edits);
  const late = samples.filter((sample) => sample.edits >= (2 / 3) * edits);
  const perThousand = (of: readonly Sample[]) => 1000 * slope(of.map(({ edits: at, mb }) => [at, mb]));
  const [first, last] = [warm[0]!, warm.at(-1)!];
  return {
    warmMb: first.mb,
    endMb: last.mb,
    mbPerThousandEdits: perThousand(warm),
    lateMbPerThousandEdits: perThousand(late),
    warmDescriptors: first.descriptors,
    endDescriptors: last.descriptors,
  };
}

/** Several windows at once, each with a server of its own, as VS Code has it. */
export async function soakTogether(clients: number, options: SoakOptions): Promise<SoakReport[]> {
  return Promise.all(Array.from({ length: clients }, (_, i) => soak({ ...options, seed: options.seed + i })));
}
