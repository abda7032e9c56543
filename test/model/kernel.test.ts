import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openBundle, type Bundle } from '../../src/model/bundle';
import type { KeyValueCache } from '../../src/model/cache';
import type { Graphs } from '../../src/model/graphs';
import { cosinesTo, plainProducts } from '../../src/model/hiddenKeys';
import { Kernel } from '../../src/model/kernel/kernel';
import { MAX_TOKENS } from '../../src/model/kernel/layout';
import { agreement } from '../../src/model/probe';
import { openDevice } from '../../src/model/providers';
import { loadRuntime } from '../../src/model/runtime';
import { openGraphs } from '../../src/model/sessions';
import { FROZEN, hasNano, NANO, TINY } from '../fixtures';
import { copyOfTiny, editManifest, withScratch } from './bundles';

/** Root mean square of the difference, as a share of the expected; infinite where lengths differ. */
const difference = (actual: Float32Array, expected: Float32Array) => agreement({ actual }, { actual: expected });

const within = 1e-3;

const bundles = [['tiny', TINY], ...(hasNano ? ([['nano', NANO]] as const) : [])] as const;

for (const [name, directory] of bundles) {
  describe(`kernel of ${name}`, () => {
    let bundle: Bundle;
    let graphs: Graphs;
    let fast: Graphs;
    let kernel: Kernel;
    let tokens: number[];
    before(async () => {
      bundle = await openBundle(directory);
      graphs = await openGraphs(await loadRuntime(), bundle, { provider: 'cpu', threads: 2 });
      kernel = (await Kernel.open(bundle)) as Kernel;
      assert.ok(kernel, 'the bundle stores its weights as the kernel reads them');
      fast = graphs.with({ kernel });
      tokens = bundle.tokenizer.encode(await readFile(join(FROZEN, 'src/model/decoder.ts'), 'utf8')).slice(0, 120);
    });
    after(() => graphs.release());

    const thought = (version: number) => bundle.prior.map((_, i) => 0.3 * Math.sin(i * version));
    /** Caches that hold the first 100 tokens, read by ONNX Runtime. */
    const filled = async (z = thought(1)) => {
      const caches = { trunk: graphs.trunkCache(1, 110), top: graphs.topCache(1, 110) };
      await graphs.top(await graphs.trunk(tokens.slice(0, 100), caches.trunk), z, 1, caches.top);
      return caches;
    };
    const read = async (made: Graphs, { trunk, top }: Caches, from: number, to: number, z = thought(1)) => {
      const states = await made.trunk(tokens.slice(from, to), trunk);
      return { states, logits: await made.top(states, z, to - from, top) };
    };
    const rows = ({ trunk, top }: Caches, from: number, to: number) =>
      [trunk, top].flatMap((cache) => cache.tables.map((_, table) => cache.rows(table, 1, from, to).slice()));

    for (const count of [1, 2, 3, MAX_TOKENS])
      test(`a run of ${count}: states, logits, keys and values are ONNX Runtime's`, async () => {
        const [slow, quick] = [await filled(), await filled()];
        const expected = await read(graphs, slow, 100, 100 + count);
        const actual = await read(fast, quick, 100, 100 + count);
        assert.ok(difference(actual.states, expected.states) < within);
        assert.ok(difference(actual.logits, expected.logits) < within);
        const its = rows(quick, 100, 100 + count);
        rows(slow, 100, 100 + count).forEach((table, i) =>
          assert.ok(difference(its[i] as Float32Array, table) < within),
        );
        assert.notDeepEqual(actual.logits, expected.logits, 'the kernel was asked');
        const [its1, its2] = [slow, quick].map(({ top }) => top.hiddenKeys);
        assert.equal(its1?.length, its2?.length);
        for (let row = 100; its1 && its2 && row < its1.length; row++) {
          const [cosine = 0] = cosinesTo(its1.slice(row, row + 1), its2.slice(row, row + 1), plainProducts);
          assert.ok(Math.abs(cosine - 1) < 0.01, `${cosine}`);
        }
      });

    test('without a past, too', async () => {
      const empty = () => ({ trunk: graphs.trunkCache(1, 2), top: graphs.topCache(1, 2) });
      const expected = await read(graphs, empty(), 0, 2);
      assert.ok(difference((await read(fast, empty(), 0, 2)).logits, expected.logits) < within);
    });

    test('tokens one by one give the numbers of one run, to the last bit', async () => {
      const [together, apart] = [await filled(), await filled()];
      const { logits } = await read(fast, together, 100, 100 + MAX_TOKENS);
      for (let i = 0; i < MAX_TOKENS; i++) {
        const one = await read(fast, apart, 100 + i, 101 + i);
        const size = one.logits.length;
        assert.deepEqual(one.logits, logits.slice(i * size, (i + 1) * size));
      }
      assert.deepEqual(rows(apart, 100, 100 + MAX_TOKENS), rows(together, 100, 100 + MAX_TOKENS));
    });

    test('what ONNX Runtime writes over in a cache is read again, and the other way round', async () => {
      const caches = await filled();
      await read(fast, caches, 100, 103);
      for (const cache of [caches.trunk, caches.top]) cache.truncate(60);
      // Other tokens than before: 60 to 80 are those of 80 to 100.
      const states = await graphs.trunk(tokens.slice(80, 100), caches.trunk);
      await graphs.top(states, thought(1), 1, caches.top);
      const actual = await read(fast, caches, 100, 101);

      const fresh = { trunk: graphs.trunkCache(1, 110), top: graphs.topCache(1, 110) };
      const window = [...tokens.slice(0, 60), ...tokens.slice(80, 100)];
      await graphs.top(await graphs.trunk(window, fresh.trunk), thought(1), 1, fresh.top);
      assert.ok(difference(actual.logits, (await read(graphs, fresh, 100, 101)).logits) < within);
      // ONNX Runtime goes on from what the kernel has left.
      const next = await read(graphs, caches, 101, 110);
      assert.ok(difference(next.logits, (await read(graphs, fresh, 101, 110)).logits) < within);
    });

    test('a thought of zeros, and one that is zero in its first layer, are read for what they are', async () => {
      const half = thought(1).map((value, i, { length }) => (i < length / 2 ? 0 : value));
      const logits: Float32Array[] = [];
      for (const z of [thought(0), half, thought(1), thought(0)]) {
        const expected = await read(graphs, await filled(z), 100, 102, z);
        const actual = await read(fast, await filled(z), 100, 102, z);
        assert.ok(difference(actual.logits, expected.logits) < within);
        logits.push(actual.logits);
      }
      const [none, some, all, again] = logits as [Float32Array, Float32Array, Float32Array, Float32Array];
      assert.deepEqual(again, none);
      assert.ok(Math.min(difference(some, none), difference(all, none), difference(all, some)) > 5 * within);
    });

    test('more thoughts in turn than there is room for', async () => {
      const caches = await Promise.all([1, 2, 3].map((version) => filled(thought(version))));
      for (let i = 0; i < 2; i++) {
        for (const [at, cache] of caches.entries()) {
          const z = thought(at + 1);
          const expected = await read(graphs, await reread(cache, 100 + i), 100 + i, 101 + i, z);
          assert.ok(difference((await read(fast, cache, 100 + i, 101 + i, z)).logits, expected.logits) < within);
        }
      }
    });

    /** Copies of caches, so that each way has its own. */
    const reread = (caches: Caches, length: number) => {
      assert.deepEqual([caches.trunk.length, caches.top.length], [length, length]);
      return Promise.resolve({ trunk: caches.trunk.repeated(1, 10), top: caches.top.repeated(1, 10) });
    };

    test('drafts are tried where several tokens take little longer than one', () => {
      assert.equal(graphs.batchingIsCheap, true);
      assert.equal(fast.batchingIsCheap, false);
    });

    test('batches, long runs and full caches are left to ONNX Runtime', () => {
      const { tokens: window } = bundle.manifest.window;
      const cache = (batch: number) => graphs.trunkCache(batch, 1);
      assert.ok(kernel.takes(MAX_TOKENS, cache(1)));
      assert.ok(!kernel.takes(1, cache(2)));
      assert.ok(!kernel.takes(MAX_TOKENS + 1, cache(1)));
      const full = cache(1);
      full.reserve(2 * window + 1000);
      full.advance(2 * window + 1000, full.tables, () => {});
      assert.ok(!kernel.takes(1, full));
    });
  });
}

interface Caches {
  readonly trunk: KeyValueCache;
  readonly top: KeyValueCache;
}

describe('bundles that the kernel does not know', () => {
  const scratch = withScratch();

  test('graphs that compute something else than its manifest says keep their runs, and the log says why', async () => {
    const directory = await copyOfTiny(scratch(), 'other');
    await editManifest(directory, ({ architecture }) => (architecture.normEpsilon = 10));
    const bundle = await openBundle(directory);
    const lines: string[] = [];
    const { graphs } = await openDevice(await loadRuntime(), bundle, {
      device: 'cpu',
      threads: 1,
      log: (line) => lines.push(line),
    });
    assert.match(lines.join('\n'), /^ONNX Runtime computes every run: the kernel's outputs differ by \d+ %$/);
    const plain = await openGraphs(await loadRuntime(), bundle, { provider: 'cpu', threads: 1 });
    assert.deepEqual(await graphs.trunk([7]), await plain.trunk([7]));
    await Promise.all([graphs, plain].map((made) => made.release()));
  });
});
