import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dist, frozen, LspClient, root, tiny } from '../server/client';
import { limitMemory } from './processes';
import { quantile, randomFrom } from './random';
import { EditedDocument } from './typist';

/** Ways in which the inference process falls ill, by how it is done: a signal, or what `injector.cjs` does. */
const kinds = {
  killed: 'SIGKILL',
  'native crash': 'SIGSEGV',
  'bus error': 'SIGBUS',
  aborted: 'abort',
  'hung (stopped)': 'SIGSTOP',
  'hung (endless run)': 'spin',
  deaf: 'deaf',
  garbage: 'garbage',
  'log flood': 'flood',
  'out of memory': 'exhaust',
} as const;

export type FaultKind = keyof typeof kinds;

/** Kinds of which it takes the watchdog some seconds to find out. */
const silent: readonly FaultKind[] = ['hung (stopped)', 'hung (endless run)', 'deaf'];

export interface FaultReport {
  readonly faults: number;
  readonly byKind: Partial<Record<FaultKind, number>>;
  readonly respawns: number;
  readonly keystrokes: number;
  readonly requests: number;
  readonly unanswered: number;
  readonly suggestions: number;
  /** Answers of the server's own to a question after each keystroke, while the process falls ill and is replaced. */
  readonly serverMs: { readonly median: number; readonly p99: number; readonly longest: number };
  /** From the fault to the next suggestion by the model, without and with the kinds that are silent. */
  readonly recoveryMs: { readonly median: number; readonly longest: number; readonly silentMedian: number };
  readonly logLines: number;
  readonly seconds: number;
}

/** So many faults of all kinds in turn, the silent ones one time in four rounds. */
export function plan(faults: number): FaultKind[] {
  const all = Object.keys(kinds) as FaultKind[];
  const quick = all.filter((kind) => !silent.includes(kind));
  const rounds = [...all, ...quick, ...quick, ...quick];
  return Array.from({ length: faults }, (_, i) => rounds[i % rounds.length] as FaultKind);
}

/**
 * A typing session in which the inference process falls ill again and again. Each keystroke is followed by a request for a
 * suggestion; every request has to be answered, the server's documents have to stay the editor's, the server has to live.
 */
export async function injectFaults(faults: readonly FaultKind[], seed: number): Promise<FaultReport> {
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-faults-'));
  copyFileSync(join(dist, 'server.js'), join(folder, 'server.js'));
  copyFileSync(join(root, 'test/reliability/injector.cjs'), join(folder, 'inference.js'));
  const client = await LspClient.start({
    bundle: tiny,
    settings: { inferenceSteps: 1 },
    program: join(folder, 'server.js'),
    environment: { THOUGHTLINE_INFERENCE: join(dist, 'inference.js') },
    keepOutput: false,
  });
  try {
    return await session(client, folder, faults, seed);
  } finally {
    await client.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function session(client: LspClient, folder: string, faults: readonly FaultKind[], seed: number) {
  const began = performance.now();
  const random = randomFrom(seed);
  const text = readFileSync(join(frozen, 'src/thought/refine.ts'), 'utf8');
  const documents = ['a', 'b', 'c', 'd'].map((name) => new EditedDocument(`file:///w/src/${name}.ts`, text));
  for (const { uri } of documents) await client.open(uri, text);
  await client.ready();

  const byKind: FaultReport['byKind'] = {};
  const serverMs: number[] = [];
  const recovery = { loud: [] as number[], silent: [] as number[] };
  let keystrokes = 0;
  let requests = 0;
  let answered = 0;
  let suggestions = 0;
  const word = 'const kept = ';
  for (const kind of faults) {
    const document = documents[random(documents.length)] as EditedDocument;
    let offset = document.text.indexOf('\n', random(document.text.length - 200)) + 1;
    const pending: Promise<unknown>[] = [];
    const faultAt = 2 + random(word.length - 4);
    let fault = 0;
    for (let i = 0; i < word.length; i++) {
      const position = await document.edit(client, offset, 0, word[i] as string);
      offset++;
      keystrokes++;
      requests++;
      pending.push(client.complete(document.uri, position).then(() => answered++));
      if (i === faultAt) {
        fault = performance.now();
        await inject(client, folder, kind);
        byKind[kind] = (byKind[kind] ?? 0) + 1;
      }
      const asked = performance.now();
      await client.why(document.uri, position);
      serverMs.push(performance.now() - asked);
      await sleep(random(20));
    }
    await Promise.all(pending);
    // What the user asks for next is answered by the model again.
    suggestions += await recovered(client, document, random);
    (silent.includes(kind) ? recovery.silent : recovery.loud).push(performance.now() - fault);
    for (const one of documents) await one.compare(client);
    assert.equal(client.server.exitCode, null, 'the server lives');
    // Written lines go so that the documents stay as long as they are.
    await document.edit(client, offset - word.length, word.length, '');
  }
  const { respawns } = await client.statistics();
  return {
    faults: faults.length,
    byKind,
    respawns,
    keystrokes,
    requests,
    unanswered: requests - answered,
    suggestions,
    serverMs: { median: quantile(serverMs, 0.5), p99: quantile(serverMs, 0.99), longest: Math.max(...serverMs) },
    recoveryMs: {
      median: quantile(recovery.loud, 0.5),
      longest: Math.max(...recovery.loud),
      silentMedian: quantile(recovery.silent, 0.5),
    },
    logLines: client.logs.length,
    seconds: (performance.now() - began) / 1000,
  };
}

/** Triggers suggestions manually here and there until the model has answered. @returns how many there were */
async function recovered(client: LspClient, { uri, text }: EditedDocument, random: (below: number) => number) {
  const lines = text.split('\n');
  for (const end = performance.now() + 120_000; performance.now() < end; await sleep(10)) {
    const line = random(lines.length);
    const position = { line, character: lines[line]?.length ?? 0 };
    const items = await client.complete(uri, position, { invoked: true });
    const { details } = await client.why(uri, position);
    if (!/inference process|loading|before the model/.test(details[0] ?? '')) return items.length;
  }
  throw new Error(`no recovery; status ${JSON.stringify(client.status)}\n${client.logs.slice(-20).join('\n')}`);
}

async function inject(client: LspClient, folder: string, kind: FaultKind): Promise<void> {
  // Not by way of the statistics: they ask the process, too.
  const pid = children(client.server.pid as number)[0];
  if (pid === undefined) return;
  const how = kinds[kind];
  if (how.startsWith('SIG')) {
    process.kill(pid, how);
    return;
  }
  if (kind === 'out of memory') limitMemory(pid, 64);
  writeFileSync(join(folder, 'fault'), how);
  process.kill(pid, 'SIGUSR2');
  await sleep(5);
}

/** Processes that a process has started. */
function children(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}
