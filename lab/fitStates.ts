import { decoderNll, fitStates as fit, sampleOf, type Sample } from './memoryFit';
import { UserError } from '../src/model/errors';
import type { Manifest } from '../src/model/manifest';
import type { Command } from '../src/cli/command';
import { fitArguments, fitItems, FIT_USAGE, fiveDigits, recalledPlaces } from './fitting';
import { openEngine } from '../src/cli/model';
import { writeIntoManifest } from './manifest';

const USAGE = `npm run lab -- fit-states --each DIR [options]
  Fits how what followed like states is mixed with a model's decoder where the lookup memory is off: the weights under which
  the targets of the items are most probable.
${FIT_USAGE}`;

export const fitStates: Command = {
  summary: 'fit how a model mixes in like states without its lookup memory',
  usage: USAGE,
  async run(args) {
    const { values, steps, source } = fitArguments('fit-states', args);
    const { items, bad } = await fitItems(source);
    const engine = await openEngine(values, { trainedChunks: true });
    const samples: Sample[] = [];
    // As samples at once: their logits would be hundreds of megabytes.
    for await (const { logits, word, likeness, target } of recalledPlaces(engine, items, steps, false)) {
      const sample = sampleOf(logits, [], word, target, likeness);
      if (sample) samples.push(sample);
    }
    if (samples.length === 0) {
      throw new UserError(`${engine.bundle.directory}: its graphs do not tell where states point; export it anew`);
    }
    const { weights, nats: mixture } = fit(samples);
    const fitted = {
      items: items.length,
      tokens: samples.length,
      steps,
      nats: { decoder: decoderNll(samples), mixture },
      ...(values.note !== undefined && { note: values.note }),
    };
    const states: Manifest['states'] = fiveDigits({ ...weights, fitted });
    console.log(JSON.stringify(states, null, 1));
    if (values.write) await writeIntoManifest(engine.bundle.directory, { states });
    await engine.close();
    return bad > 0 ? 1 : 0;
  },
};
