import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { openBundle, type Bundle } from '../../src/model/bundle';
import type { KeyValueCache } from '../../src/model/cache';
import { Decoder } from '../../src/model/decoder';
import { cosinesTo, plainProducts, type HiddenKeyRows } from '../../src/model/hiddenKeys';
import type { Graphs } from '../../src/model/graphs';
import { loadRuntime } from '../../src/model/runtime';
import { openGraphs } from '../../src/model/sessions';
import { FROZEN } from '../fixtures';
import { BUNDLES } from './bundles';

interface Kept {
  readonly made: Graphs;
  readonly trunk: KeyValueCache;
  readonly top: KeyValueCache;
}

const cosines = (one: HiddenKeyRows, others: HiddenKeyRows) => [...cosinesTo(one, others, plainProducts)];
const close = (actual: Float32Array, expected: Float32Array, tolerance = 1e-3) => {
  assert.equal(actual.length, expected.length);
  let worst = 0;
  actual.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - (expected[i] ?? NaN)))));
  assert.ok(worst < tolerance, `outputs differ by ${worst}`);
};

for (const [name, directory] of BUNDLES) {
  describe(`decoder of ${name}`, () => {
    let bundle: Bundle;
    let graphs: Graphs;
    let tokens: number[];
    let size = 0;
    before(async () => {
      bundle = await openBundle(directory);
      graphs = await openGraphs(await loadRuntime(), bundle, { provider: 'cpu', threads: 2 });
      const text = await readFile(join(FROZEN, 'src/model/decoder.ts'), 'utf8');
      tokens = bundle.tokenizer.encode(text).slice(0, 300);
      size = bundle.manifest.architecture.vocabulary;
    });
    const z = (version: number) => {
      const mu = bundle.prior.map((value, i) => value + (version === 0 ? 0 : Math.sin(i * version)));
      return { version, mu };
    };
    const fresh = (ids: number[], version: number, count = 1) =>
      new Decoder(graphs, bundle.manifest).logits(ids, z(version), count);

    test('cached decoding equals full recomputation', async () => {
      const decoder = new Decoder(graphs, bundle.manifest);
      await decoder.logits(tokens.slice(0, 200), z(0));
      for (let length = 201; length < 206; length++) {
        close(await decoder.logits(tokens.slice(0, length), z(0)), await fresh(tokens.slice(0, length), 0));
      }
    });

    test('short runs equal one long one, in states, logits and caches', async () => {
      const window = tokens.slice(0, 100);
      const short = graphs.with({ maxRunTokens: 16 });
      const [long, cut] = [graphs, short].map((made) => ({
        made,
        trunk: made.trunkCache(1, 120),
        top: made.topCache(1, 120),
      })) as [Kept, Kept];
      const states = await Promise.all([long, cut].map(({ made, trunk }) => made.trunk(window, trunk)));
      close(states[1]!, states[0]!);
      // The last three, which lie in one run, and forty, which lie in three or four.
      for (const count of [3, 40]) {
        const [one, other] = [graphs.topCache(1, 120), graphs.topCache(1, 120)];
        close(await short.top(states[0]!, z(1).mu, count, other), await graphs.top(states[0]!, z(1).mu, count, one));
        assert.deepEqual([one.length, other.length], [100, 100]);
      }
      for (const { made, trunk } of [long, cut]) await made.trunk(tokens.slice(100, 101), trunk);
      close(cut.trunk.tables[0]!, long.trunk.tables[0]!);
      assert.equal(cut.trunk.length, 101);
    });

    test('one run over the whole window equals runs of 128 tokens', async () => {
      const window = tokens.slice(0, 300);
      const whole = await graphs.top(await graphs.trunk(window), z(0).mu, 1);
      close(await fresh(window, 0), whole);
    });

    test('going back to a shared beginning equals full recomputation', async () => {
      const decoder = new Decoder(graphs, bundle.manifest);
      await decoder.logits(tokens.slice(0, 200), z(0));
      const other = [...tokens.slice(0, 150), ...tokens.slice(10, 40)];
      close(await decoder.logits(other, z(0)), await fresh(other, 0));
      close(await decoder.logits(tokens.slice(0, 120), z(0)), await fresh(tokens.slice(0, 120), 0));
    });

    test('a new thought changes the logits, and equals full recomputation under it', async () => {
      const decoder = new Decoder(graphs, bundle.manifest);
      const window = tokens.slice(0, 180);
      const before = await decoder.logits(window, z(0));
      const after = await decoder.logits(window, z(1));
      close(after, await fresh(window, 1));
      assert.ok(after.some((value, i) => Math.abs(value - (before[i] ?? 0)) > 1e-3));
      // The thought before still has its caches.
      close(await decoder.logits(window, z(0)), before);
    });

    test('logits of several positions are those of each', async () => {
      const decoder = new Decoder(graphs, bundle.manifest);
      const count = 140;
      const many = await decoder.logits(tokens.slice(0, 200), z(0), count);
      for (const back of [140, 73, 1]) {
        const one = await fresh(tokens.slice(0, 200 - back + 1), 0);
        close(many.subarray((count - back) * size, (count - back + 1) * size), one);
      }
    });

    test('another window may be filled between two runs', async () => {
      const decoder = new Decoder(graphs, bundle.manifest);
      const window = tokens.slice(0, 290);
      const filling = decoder.fill(window, z(0));
      await filling.next();
      const other = [...tokens.slice(0, 60), ...tokens.slice(5, 25)];
      close(await decoder.logits(other, z(1)), await fresh(other, 1));
      while (!(await filling.next()).done);
      close(await decoder.logits(window, z(0)), await fresh(window, 0));
    });

    test('branches of a batch are hypotheses of their own', async () => {
      const decoder = new Decoder(graphs, bundle.manifest);
      const window = tokens.slice(0, 100);
      await decoder.logits(window, z(0));
      const [a, b, c] = [tokens[120], tokens[130], tokens[140]] as [number, number, number];
      const branches = decoder.branch(z(0), 2, 8);
      await branches.append([a, b]);
      branches.reorder([1, 0]);
      const logits = await branches.append([c, c]);
      close(logits.subarray(0, size), await fresh([...window, b, c], 0));
      close(logits.subarray(size), await fresh([...window, a, c], 0));
      for (const [i, last] of [b, a].entries()) {
        const key = branches.hiddenKey(i);
        await decoder.logits([...window, last, c], z(0));
        const row = decoder.hiddenKeysOf(z(0))?.hiddenKeys.slice(101, 102);
        assert.equal(key === undefined, row === undefined);
        if (key && row) assert.ok(Math.abs((cosines(key, row)[0] ?? 0) - 1) < 0.01);
      }
    });

    test('where states point is kept for each token read, and forgotten with it', async () => {
      const decoder = new Decoder(graphs, bundle.manifest);
      const one = tokens.slice(0, 150);
      const other = [...tokens.slice(0, 60), ...tokens.slice(5, 25)];
      await decoder.logits(one, z(1));
      await decoder.logits(other, z(1));
      const { hiddenKeys, tokens: read } = decoder.hiddenKeysOf(z(1)) ?? {};
      if (!hiddenKeys) return assert.equal(bundle.manifest.memory?.knn, undefined);
      assert.deepEqual(read, other);
      assert.equal(hiddenKeys.length, other.length);
      const second = new Decoder(graphs, bundle.manifest);
      await second.logits(other, z(1));
      const expected = second.hiddenKeysOf(z(1))!.hiddenKeys;
      for (let row = 0; row < other.length; row++) {
        const [cosine = 0] = cosines(hiddenKeys.slice(row, row + 1), expected.slice(row, row + 1));
        assert.ok(Math.abs(cosine - 1) < 0.01, `row ${row}: ${cosine}`);
      }
    });

    test('a gradient is that of finite differences', async () => {
      const count = Math.min(bundle.manifest.chunk.tokens, 40);
      const inputs = tokens.slice(0, count);
      const targets = tokens.slice(1, count + 1);
      const weights = new Float32Array(count).fill(1);
      const states = await graphs.trunk(inputs);
      const mu = z(1).mu;
      const read = { states, targets };
      const { nll, gradient } = await graphs.evidence(read, weights, mu);
      // Along the gradient the slope is its length.
      const length = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
      const along = async (step: number) =>
        (
          await graphs.evidence(
            read,
            weights,
            mu.map((value, i) => value + (step * (gradient[i] ?? 0)) / length),
          )
        ).nll;
      const epsilon = 0.05;
      const slope = ((await along(epsilon)) - (await along(-epsilon))) / (2 * epsilon);
      assert.ok(Number.isFinite(nll));
      assert.ok(Math.abs(slope - length) < 0.05 * length + 1e-3, `${slope} against ${length}`);
    });

    test('targets without weight count for nothing', async () => {
      const inputs = tokens.slice(0, 20);
      const targets = tokens.slice(1, 21);
      const states = await graphs.trunk(inputs);
      const weights = (from: number) => new Float32Array(20).fill(1, from);
      const nll = async (from: number) => (await graphs.evidence({ states, targets }, weights(from), bundle.prior)).nll;
      assert.equal(await nll(20), 0);
      assert.ok((await nll(10)) < (await nll(0)));
    });
  });
}
