// Compares ONNX Runtime's WebAssembly build with its native one on models/nano, in turns in one process.
//   npm install --no-save --ignore-scripts onnxruntime-web && node scripts/wasm.mjs [THREADS]
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

process.env.ORT_DISABLE_TELEMETRY = '1';
const require = createRequire(import.meta.url);
const folder = fileURLToPath(new URL('../models/nano/', import.meta.url));
const { architecture: a, files } = JSON.parse(readFileSync(`${folder}manifest.json`, 'utf8'));
const layers = a.layers - a.trunkLayers;
const threads = Number(process.argv[2] ?? 1);
const rounds = 9;

const native = require('onnxruntime-node');
const web = require('onnxruntime-web');
web.env.wasm.numThreads = threads;

const kinds = { native: await open(native, openNative), wasm: await open(web, openWeb) };
const times = { native: [], wasm: [] };
for (let i = 0; i < rounds; i++) {
  for (const [kind, engine] of Object.entries(kinds)) times[kind].push(await round(engine));
}
console.log(`${threads} threads, median of ${rounds} rounds in turns, ${cpus()[0]?.model}`);
for (const name of Object.keys(times.native[0])) {
  const [own, other] = [times.native, times.wasm].map((all) => median(all.map((one) => one[name])));
  console.log(
    `${name.padEnd(22)} native ${own.toFixed(2)}  wasm ${other.toFixed(2)}  ratio ${(other / own).toFixed(2)}`,
  );
}
// Workers of the WebAssembly build would keep the process.
process.exit();

async function open(runtime, session) {
  const sessions = {};
  for (const name of ['trunk', 'top', 'evidence']) sessions[name] = await session(`${folder}${files[name].path}`);
  return { runtime, sessions };
}

function openNative(path) {
  return native.InferenceSession.create(path, { intraOpNumThreads: threads, interOpNumThreads: 1 });
}

function openWeb(path) {
  const weights = { path: files.weights.path, data: new Uint8Array(readFileSync(`${folder}${files.weights.path}`)) };
  return web.InferenceSession.create(new Uint8Array(readFileSync(path)), { externalData: [weights] });
}

/** A prefill of 256 tokens, eight tokens after it, and one gradient over 128 tokens. */
async function round({ runtime, sessions }) {
  const floats = (data, shape) => new runtime.Tensor('float32', data, shape);
  const integers = (data, shape) => new runtime.Tensor('int64', BigInt64Array.from(data, BigInt), shape);
  const past = (data, length, of) => floats(data, [length, 1, of, a.kvHeads, a.headWidth]);
  const none = new Float32Array(0);
  const z = new Float32Array(layers * a.thoughtVectors * a.width).fill(0.01);
  const run = async (tokens, trunkPast, topPast, length) => {
    const trunk = await sessions.trunk.run({
      tokens: integers(tokens, [1, tokens.length]),
      past_k: past(trunkPast?.new_k.data ?? none, length, a.trunkLayers),
      past_v: past(trunkPast?.new_v.data ?? none, length, a.trunkLayers),
    });
    const top = await sessions.top.run({
      states: floats(trunk.states.data, [1, tokens.length, a.width]),
      past_k: past(topPast?.new_k.data ?? none, length, layers),
      past_v: past(topPast?.new_v.data ?? none, length, layers),
      z: floats(z, [1, layers, a.thoughtVectors, a.width]),
      logit_count: integers([1], [1]),
    });
    return { trunk, top };
  };
  const tokens = Array.from({ length: 256 }, (_, i) => 5 + ((i * 37) % 5000));
  const began = performance.now();
  const first = await run(tokens, undefined, undefined, 0);
  const filled = performance.now();
  for (let i = 0; i < 8; i++) await run([99], first.trunk, first.top, tokens.length);
  const decoded = performance.now();
  const evidence = await sessions.evidence.run({
    states: floats(first.trunk.states.data.slice(0, 128 * a.width), [1, 128, a.width]),
    targets: integers(tokens.slice(1, 129), [1, 128]),
    weights: floats(new Float32Array(128).fill(1), [1, 128]),
    z: floats(z, [layers, a.thoughtVectors, a.width]),
  });
  const ended = performance.now();
  return {
    'prefill of 256, ms': filled - began,
    'one token, ms': (decoded - filled) / 8,
    'one gradient, ms': ended - decoded,
    'its NLL, nats': evidence.nll.data[0],
  };
}

function median(values) {
  return values.toSorted((x, y) => x - y)[values.length >> 1];
}
