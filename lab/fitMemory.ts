import type { MixtureExample } from './engineMeasures';
import { decoderNll, fit, meanNll, sampleOf, type Sample } from './memoryFit';
import { boostInFileTokens, fitInFileBoost } from '../src/memory/inFileBoost';
import { storedWeights, type MemoryWeights } from '../src/model/manifest';
import type { Command } from '../src/cli/command';
import { fitArguments, FIT_USAGE, fiveDigits, collectExamples } from './fitting';
import { switchOption } from '../src/cli/arguments';
import { openEngine } from '../src/cli/model';
import { ProgressBar } from '../src/cli/progress';
import { writeIntoManifest } from './manifest';

const USAGE = `npm run lab -- fit-memory --each DIR [options]
  Fits how the lookup memory is mixed with a model's decoder: the weights under which the targets of the items are most
  probable.
${FIT_USAGE}
  --knn on|off      whether the kNN cache is used, too (default: on)`;

/** Where the buckets of match lengths begin, in tokens: finer where most matches are. */
const LENGTHS = [1, 2, 3, 4, 5, 6, 8, 11, 16, 24, 32];

/**
 * Shares that are tried of the in-file boost that is best for the decoder alone: together with the
 * memory, which knows many of them, too, it is less.
 */
const SHARES = [0, 0.25, 0.5, 0.75, 1];

export const fitMemory: Command = {
  summary: 'fit how a model mixes in its lookup memory',
  usage: USAGE,
  async run(args) {
    const { values, steps, source } = fitArguments('fit-memory', args);
    const knn = switchOption('--knn', values.knn, true);
    const engine = await openEngine(values, { trainedChunks: true });
    const how = { source, steps, memory: true, file: values.examples };
    const { examples: read, items, bad } = await collectExamples(engine, how);
    const examples = knn ? read : read.map((example) => ({ ...example, knn: undefined }));
    const bar = new ProgressBar('fitting', 1);
    const alone = Math.max(0, fitInFileBoost(examples));
    const boosts = [...new Set(SHARES.map((part) => part * alone))];
    const fits = boosts.map((inFileBoost, i) => {
      const onProgress = (done: number) => bar.update((i + done) / boosts.length);
      return fitWith(examples, inFileBoost, onProgress);
    });
    const { weights, samples, mixture } = fits.reduce((best, one) => (one.mixture < best.mixture ? one : best));
    bar.clear();
    const fitted = {
      items,
      tokens: samples.length,
      steps,
      nats: {
        decoder: decoderNll(samplesOf(examples, 0)),
        boosted: decoderNll(samples),
        mixture,
      },
      ...(values.note !== undefined && { note: values.note }),
    };
    const memory: MemoryWeights = fiveDigits({ ...weights, fitted });
    console.log(JSON.stringify(storedWeights(memory), null, 1));
    if (values.write) await writeIntoManifest(engine.bundle.directory, { memory });
    await engine.close();
    return bad > 0 ? 1 : 0;
  },
};

/** The weights of hits and gate fitted under an in-file boost. */
function fitWith(examples: readonly MixtureExample[], inFileBoost: number, onProgress: (done: number) => void) {
  const samples = samplesOf(examples, inFileBoost);
  const weights = { ...fit(samples, LENGTHS, { onProgress }), inFileBoost };
  return { weights, samples, mixture: meanNll(samples, weights) };
}

/** The examples with hits, under an in-file boost. */
function samplesOf(examples: readonly MixtureExample[], inFileBoost: number): Sample[] {
  return examples.flatMap(({ logits, inFileMask, hits, word, knn, target }) => {
    return sampleOf(boostInFileTokens(logits, inFileMask, inFileBoost), hits, word, target, knn) ?? [];
  });
}
