import type { Engine } from '../completion/engine';
import { fitStates as fit, sampleOf, type Sample } from '../memory/fit';
import { UserError } from '../model/errors';
import type { Manifest } from '../model/manifest';
import type { Command } from './command';
import { fitArguments, fitItems, FIT_USAGE, fiveDigits, underThoughts, type FitItem } from './fitting';
import { openEngine, writeIntoManifest } from './model';
import { ProgressBar } from './progress';

const USAGE = `thoughtline fit-states --each DIR [options]
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
    const samples = await collect(engine, items, steps);
    if (samples.length === 0) {
      throw new UserError(`${engine.bundle.directory}: its graphs do not tell where states point; export it anew`);
    }
    const { weights, nats: mixture } = fit(samples);
    const decoder = samples.reduce((sum, { logprob }) => sum - logprob, 0) / Math.max(1, samples.length);
    const fitted = {
      items: items.length,
      tokens: samples.length,
      steps,
      nats: { decoder, mixture },
      ...(values.note !== undefined && { note: values.note }),
    };
    const states: Manifest['states'] = fiveDigits({ ...weights, fitted });
    console.log(JSON.stringify(states, null, 1));
    if (values.write) await writeIntoManifest(engine.bundle.directory, { states });
    await engine.close();
    return bad > 0 ? 1 : 0;
  },
};

async function collect(engine: Engine, items: readonly FitItem[], steps: number): Promise<Sample[]> {
  const bar = new ProgressBar('reading', items.length);
  const samples: Sample[] = [];
  let done = 0;
  for await (const { item, thought } of underThoughts(engine, items, steps)) {
    // The first suggestions come before a thought is there: the weights are to serve both.
    for (const one of new Set([engine.prior, thought])) {
      const places = await engine.recalled(item, item.target, one, false);
      samples.push(
        ...places.flatMap(({ logits, word, likeness, target }) => sampleOf(logits, [], word, target, likeness) ?? []),
      );
    }
    bar.update(++done);
  }
  bar.clear();
  return samples;
}
