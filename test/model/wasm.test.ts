/** ONNX Runtime's WebAssembly build: it computes what the native one does, with everything that rests on it. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Engine } from '../../src/completion/engine';
import { openBundle } from '../../src/model/bundle';
import { UserError } from '../../src/model/errors';
import { agreement, probeOnce } from '../../src/model/probe';
import type { Graphs } from '../../src/model/graphs';
import { openDevice } from '../../src/model/providers';
import { loadRuntime } from '../../src/model/runtime';
import { loadWasm } from '../../src/model/wasm';
import { TINY, SOURCES } from '../fixtures';
import { BUNDLES, copyOfTiny, editFile, requestIn, withScratch } from './bundles';

const REASON = 'a test asks for it';
const FILE = 'src__completion__engine.ts.txt';

/**
 * RMS of the difference, relative to the output's: rounding of 32 bits, in another order. A gradient is a sum of numbers of either
 * sign that nearly cancel, so its rounding is larger beside it.
 */
const ROUNDING = { outputs: 1e-5, gradient: 2e-5 };

for (const [name, directory] of BUNDLES) {
  describe(`${name} in WebAssembly`, () => {
    let [native, wasm]: Engine[] = [];
    before(async () => {
      // Chunks as long as in training: else each engine would measure how long its gradients may be.
      const options = { device: 'cpu', threads: 2, trainedChunks: true } as const;
      native = await Engine.open(directory, options);
      wasm = await Engine.open(directory, { ...options, runtime: await loadWasm(REASON) });
    });
    after(() => Promise.all([native?.close(), wasm?.close()]));

    test('trunk, top and evidence are those of the native library', async () => {
      const bundle = await openBundle(directory);
      const options = { device: 'cpu', threads: 2 } as const;
      const here = await openDevice(await loadRuntime(), bundle, options);
      const there = await openDevice(await loadWasm(REASON), bundle, options);
      // Not the kernel, which is the same under both, and rounds what they give it.
      const [native, wasm] = [here, there].map(({ graphs }) => graphs.with({})) as [Graphs, Graphs];
      const [expected, found] = [await probeOnce(native, bundle), await probeOnce(wasm, bundle)];
      assert.deepEqual(Object.keys(found), ['states', 'prefill', 'decoded', 'nll', 'gradient']);
      const [{ gradient, ...others }, { gradient: expectedGradient, ...expectedOthers }] = [found, expected];
      const difference = agreement(others, expectedOthers);
      assert.ok(difference < ROUNDING.outputs, `outputs differ by ${difference}`);
      const slopes = agreement({ gradient: gradient! }, { gradient: expectedGradient! });
      assert.ok(slopes < ROUNDING.gradient, `gradients differ by ${slopes}`);
      assert.ok(difference > 0 || here.report.device === 'wasm', 'it is another build that computes');
      await Promise.all([here.graphs.release(), there.graphs.release()]);
    });

    test('so is a refinement, and what is suggested under it', async () => {
      const request = await requestIn(FILE, 0.5, SOURCES);
      const think = async (engine: Engine) => {
        const refinement = engine.refinement(request, { steps: 1 });
        while (await refinement.advance());
        return engine.thought(refinement);
      };
      const [expected, found] = [await think(native!), await think(wasm!)];
      assert.ok(expected.trace.steps > 0 && expected.trace.chunks.length > 0);
      const numbers = ({ mu, trace }: typeof found) => ({ mu, heldOut: Float32Array.from(trace.heldOut) });
      assert.ok(agreement(numbers(found), numbers(expected)) < 1e-3);
      const options = { steps: 0, maxLines: 4, candidates: 1 };
      const there = await wasm!.complete(request, { ...options, thought: found });
      const here = await native!.complete(request, { ...options, thought: expected });
      assert.equal(there.text, here.text);
      const logprob = ({ candidates }: typeof here) => candidates[0]?.logprob ?? 0;
      assert.ok(Math.abs(logprob(there) - logprob(here)) < 1e-2);
    });

    test('the report calls it wasm, and says why', () => {
      assert.equal(wasm!.device.device, 'wasm');
      assert.equal(wasm!.device.reason, REASON);
      assert.equal(wasm!.verifiable, false);
    });
  });
}

describe('the WebAssembly build', () => {
  const scratch = withScratch();

  test('is told of in one line, and knows no other device, whichever is asked for', async () => {
    const runtime = await loadWasm(REASON);
    for (const device of ['auto', 'cpu', 'webgpu'] as const) {
      const lines: string[] = [];
      const engine = await Engine.open(TINY, { device, runtime, threads: 1, log: (line) => lines.push(line) });
      await engine.close();
      assert.equal(engine.device.device, 'wasm');
      assert.deepEqual(lines, [`computing in WebAssembly, which is slower: ${REASON}`]);
      assert.deepEqual(
        engine.device.candidates.map(({ provider, chosen }) => [provider, chosen]),
        [['wasm', true]],
      );
    }
  });

  test('what it cannot compute fails alone', async () => {
    const bundle = await openBundle(TINY);
    const { graphs } = await openDevice(await loadWasm(REASON), bundle, { device: 'cpu', threads: 1 });
    const tokens = (count: number) =>
      Array.from({ length: count }, (_, i) => i % bundle.manifest.architecture.vocabulary);
    const expected = await graphs.trunk(tokens(64));
    // More positions than the graphs know.
    await assert.rejects(graphs.trunk(tokens(30_000)));
    assert.deepEqual(await graphs.trunk(tokens(64)), expected);
    await graphs.release();
  });

  test('a graph that it does not understand is the bundle\u2019s fault, in one line', async () => {
    const directory = await copyOfTiny(scratch(), 'empty');
    await editFile(directory, 'evidence', () => Buffer.alloc(0));
    await assert.rejects(Engine.open(directory, { device: 'cpu', runtime: await loadWasm(REASON) }), (error: Error) => {
      assert.ok(error instanceof UserError, error.stack);
      assert.match(error.message, /: the graphs do not load \(.*\); install the model again$/);
      assert.ok(!error.message.includes('\n'));
      return true;
    });
  });

  test('weights that are no numbers are the bundle\u2019s fault as well', async () => {
    const directory = await copyOfTiny(scratch(), 'infinite');
    await editFile(directory, 'weights', (bytes) => {
      for (let at = 0; at + 1 < bytes.length; at += 2) bytes.writeUInt16LE(0x7c00, at);
      return bytes;
    });
    await assert.rejects(
      Engine.open(directory, { device: 'cpu', runtime: await loadWasm(REASON) }),
      /not all finite numbers: its weights are damaged; install the model again$/,
    );
  });

  test('knows no file but those that it is handed', async () => {
    const directory = await copyOfTiny(scratch(), 'handed');
    const bundle = await openBundle(directory);
    await writeFile(join(directory, 'weights.bin'), '');
    await assert.rejects(openDevice(await loadWasm(REASON), bundle, { device: 'cpu' }), /the graphs do not load/);
  });
});
