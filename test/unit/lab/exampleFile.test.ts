import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { decoderNll, fit, meanNll, sampleOf } from '../../../lab/memoryFit';
import { compacted, keepExamples, keptExamples } from '../../../lab/exampleFile';
import type { MixtureExample } from '../../../lab/engineMeasures';
import { boostInFileTokens, fitInFileBoost } from '../../../src/memory/inFileBoost';
import { normal, randomFrom } from '../../../src/model/random';

const VOCABULARY = 3000;
const LENGTHS = [1, 4];

/** Examples with a few hits each, of which half are right. */
function examples(count: number): MixtureExample[] {
  const random = randomFrom(5);
  const whole = (below: number) => Math.floor(random() * below);
  return Array.from({ length: count }, () => {
    const target = whole(VOCABULARY);
    const tokens = Array.from({ length: 1 + whole(4) }, () => (random() < 0.5 ? target : whole(VOCABULARY)));
    return {
      logits: Float32Array.from({ length: VOCABULARY }, () => 3 * normal(random)),
      inFileMask: Uint8Array.from({ length: VOCABULARY }, () => Number(random() < 0.1)),
      hits: tokens.map((token) => ({ token, length: 1 + whole(6), distance: 1 + whole(99), own: false })),
      word: { tokens: whole(2), continuesWord: (token: number) => token % 2 === 0 },
      knn: { shares: new Map([[whole(VOCABULARY), 1]]), nearest: random(), nearestTokenShare: 1 },
      target,
    };
  });
}

describe('examples of a vocabulary of their own', () => {
  const all = examples(60);
  const small = all.map((example) => compacted(example, 400));
  const samples = (of: readonly MixtureExample[], amount: number) =>
    of.flatMap(({ logits, inFileMask, hits, word, knn, target }) => {
      return sampleOf(boostInFileTokens(logits, inFileMask, amount), hits, word, target, knn) ?? [];
    });

  test('are small, and what is fitted to them is what is fitted to the whole', () => {
    assert.ok(small.every(({ logits, inFileMask }) => logits.length < 500 && inFileMask.length === logits.length));
    assert.ok(Math.abs(fitInFileBoost(small) - fitInFileBoost(all)) < 1e-3);
    for (const amount of [0, 1]) {
      assert.ok(Math.abs(decoderNll(samples(small, amount)) - decoderNll(samples(all, amount))) < 1e-3);
      // Entropies are a little lower: the tokens that are left out count as one.
      const weights = fit(samples(all, amount), LENGTHS, { steps: 20 });
      const [nll, same] = [small, all].map((of) => meanNll(samples(of, amount), weights));
      assert.ok(Math.abs(nll! - same!) < 0.01, `${nll} and ${same}`);
    }
  });

  test('are the same from a file, and refused where another model read them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'examples-'));
    try {
      const file = join(folder, 'examples');
      assert.equal(await keptExamples(file, 'a'), undefined);
      await keepExamples(file, 'a', 7, small);
      const kept = await keptExamples(file, 'a');
      assert.equal(kept?.items, 7);
      const weights = fit(samples(small, 0), LENGTHS, { steps: 5 });
      assert.equal(meanNll(samples(kept.examples, 0), weights), meanNll(samples(small, 0), weights));
      await assert.rejects(keptExamples(file, 'b'), /examples were read by another model; give another file/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
