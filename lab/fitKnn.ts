import { decoderNll, fitKnn as fit, sampleOf, type Sample } from './memoryFit';
import { UserError } from '../src/model/errors';
import { storedWeights, type Manifest } from '../src/model/manifest';
import type { Command } from '../src/cli/command';
import { fitArguments, FIT_USAGE, fiveDigits, collectExamples } from './fitting';
import { openEngine } from '../src/cli/model';
import { writeIntoManifest } from './manifest';

const USAGE = `npm run lab -- fit-knn --each DIR [options]
  Fits how the kNN distribution is mixed with a model's decoder where the lookup memory is off: the weights under which
  the targets of the items are most probable.
${FIT_USAGE}`;

export const fitKnn: Command = {
  summary: 'fit how a model mixes in its kNN distribution without the lookup memory',
  usage: USAGE,
  async run(args) {
    const { values, steps, source } = fitArguments('fit-knn', args);
    const engine = await openEngine(values, { trainedChunks: true });
    const how = { source, steps, memory: false, file: values.examples };
    const { examples, items, bad } = await collectExamples(engine, how);
    const samples = examples.flatMap(({ logits, word, knn, target }): Sample[] => {
      const sample = sampleOf(logits, [], word, target, knn);
      return sample ? [sample] : [];
    });
    if (samples.length === 0) {
      throw new UserError(`${engine.bundle.directory}: its graphs give no hidden keys; export it again`);
    }
    const { weights, nats: mixture } = fit(samples);
    const fitted = {
      items,
      tokens: samples.length,
      steps,
      nats: { decoder: decoderNll(samples), mixture },
      ...(values.note !== undefined && { note: values.note }),
    };
    const knn: Manifest['knn'] = fiveDigits({ ...weights, fitted });
    console.log(JSON.stringify(storedWeights(knn), null, 1));
    if (values.write) await writeIntoManifest(engine.bundle.directory, { states: knn });
    await engine.close();
    return bad > 0 ? 1 : 0;
  },
};
