/**
 * ONNX Runtime's WebAssembly build compared with its native one, in turns in one process: docs/packaging.md has the table.
 *   node --import=tsx scripts/wasm.ts [THREADS]
 */
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { median } from '../lab/benchSpeed';
import { openBundle, type Bundle } from '../src/model/bundle';
import type { Graphs } from '../src/model/graphs';
import { loadRuntime, type Runtime } from '../src/model/runtime';
import { openGraphs } from '../src/model/sessions';
import { loadWasm } from '../src/model/wasm';

const ROUNDS = 15;
/** V8 first interprets what it then compiles, at a second's leisure. */
const WARM_UP = 5;

const PREFILL = 256;
const DECODED = 8;
const CHUNK = 128;

/** Milliseconds of each kind of work. */
type Times = Record<string, number>;

async function main([threads = '1']: readonly string[]): Promise<void> {
  const bundle = await openBundle(fileURLToPath(new URL('../models/nano', import.meta.url)));
  const builds = [
    await opened(bundle, loadRuntime, Number(threads)),
    await opened(bundle, () => loadWasm('to compare'), Number(threads)),
  ];
  for (let i = 0; i < WARM_UP + ROUNDS; i++) {
    for (const { graphs, opening, times } of builds) {
      const one = await round(graphs, bundle);
      if (i >= WARM_UP) times.push({ 'opening, once': opening, ...one });
    }
  }
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(`${threads} threads, median of ${ROUNDS} rounds in turns, ${cpus()[0]?.model}`);
  for (const name of Object.keys(builds[0]!.times[0]!)) {
    const [native = NaN, wasm = NaN] = builds.map(({ times }) => median(times.map((one) => one[name]!)));
    const figures = `native ${native.toFixed(1)} ms  wasm ${wasm.toFixed(1)} ms  ratio ${(wasm / native).toFixed(2)}`;
    say(`${name.padEnd(22)} ${figures}`);
  }
  for (const { graphs } of builds) await graphs.release();
}

/** A build with its graphs open, and how long that took, in milliseconds. */
async function opened(bundle: Bundle, load: () => Promise<Runtime>, threads: number) {
  const began = performance.now();
  const graphs = await openGraphs(await load(), bundle, { provider: 'cpu', threads });
  return { graphs, opening: performance.now() - began, times: [] as Times[] };
}

/** A prefill, some tokens after it, and one gradient. */
async function round(graphs: Graphs, { manifest, prior }: Bundle): Promise<Times> {
  const tokens = Array.from({ length: PREFILL }, (_, i) => 5 + ((i * 37) % (manifest.architecture.vocabulary - 5)));
  const began = performance.now();
  const [trunk, top] = [graphs.trunkCache(1, PREFILL + DECODED), graphs.topCache(1, PREFILL + DECODED)];
  const states = await graphs.trunk(tokens, trunk);
  await graphs.top(states, prior, 1, top);
  const filled = performance.now();
  for (let i = 0; i < DECODED; i++) {
    await graphs.top(await graphs.trunk([99], trunk), prior, 1, top);
  }
  const decoded = performance.now();
  const chunk = states.slice(0, CHUNK * manifest.architecture.width);
  const read = { states: chunk, targets: tokens.slice(1, CHUNK + 1) };
  await graphs.evidence(read, new Float32Array(CHUNK).fill(1), prior);
  return {
    [`prefill of ${PREFILL} tokens`]: filled - began,
    'one token': (decoded - filled) / DECODED,
    'one gradient': performance.now() - decoded,
  };
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
