import { DEFAULTS, type Engine, type Thought } from '../completion/engine';
import { fit, meanNll, type Sample } from '../memory/fit';
import type { MemoryWeights } from '../model/manifest';
import { MODEL_OPTIONS, MODEL_USAGE, parse, stepsOption } from './arguments';
import { UsageError, type Command } from './command';
import { readScoreItems, type ScoreItem } from './jsonl';
import { openEngine, writeIntoManifest } from './model';
import { ProgressBar } from './progress';

const USAGE = `thoughtline fit-memory --jsonl IN [options]
  Fits how the lookup memory is mixed with a model's decoder: the weights under which the targets of the items are most
  probable. IN: {"id","path","prefix","suffix","related":[{"path","text"}],"target"} a line, of texts that neither
  training nor any measurement uses.

  --steps N         steps of thought before each target (default: ${DEFAULTS.steps})
  --write           write the weights into the model's manifest.json (without it they are printed only)
  --note TEXT       what the items are, for the manifest
${MODEL_USAGE}`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  jsonl: { type: 'string' },
  steps: { type: 'string' },
  write: { type: 'boolean' },
  note: { type: 'string' },
} as const;

/** Where the buckets of match lengths begin, in tokens: finer where most matches are. */
const LENGTHS = [1, 2, 3, 4, 5, 6, 8, 11, 16, 24, 32];

export const fitMemory: Command = {
  summary: 'fit how a model mixes in its lookup memory',
  usage: USAGE,
  async run(args) {
    const { values, positionals } = parse(args, OPTIONS);
    if (positionals.length > 0) throw new UsageError(`${positionals[0]}: not an argument of fit-memory`);
    if (values.jsonl === undefined) throw new UsageError('give --jsonl IN');
    const steps = stepsOption(values.steps);
    const { items, bad } = await readScoreItems(values.jsonl);
    const engine = await openEngine(values, { trainedChunks: true });
    const samples = await collect(engine, items, steps);
    const bar = new ProgressBar('fitting', 1);
    const weights = fit(samples, LENGTHS, { onProgress: (share) => bar.update(share) });
    bar.clear();
    const fitted = {
      items: items.length,
      tokens: samples.length,
      steps,
      nats: { decoder: decoderNll(samples), mixture: meanNll(samples, weights) },
      ...(values.note !== undefined && { note: values.note }),
    };
    const rounded = round({ ...weights, fitted });
    console.log(JSON.stringify(rounded, null, 1));
    if (values.write) await writeIntoManifest(engine.bundle.directory, { memory: rounded });
    await engine.close();
    return bad > 0 ? 1 : 0;
  },
};

async function collect(engine: Engine, items: readonly ScoreItem[], steps: number): Promise<Sample[]> {
  const bar = new ProgressBar('reading', items.length);
  const samples: Sample[] = [];
  for (const [index, item] of items.entries()) {
    for (const sample of await engine.memorySamples(item, item.target, await think(engine, item, steps))) {
      samples.push(sample);
    }
    bar.update(index + 1);
  }
  bar.clear();
  return samples;
}

async function think(engine: Engine, item: ScoreItem, steps: number): Promise<Thought> {
  const refinement = engine.refinement(item, { steps });
  while (await refinement.advance());
  return engine.thought(refinement);
}

/** Mean −log p of the targets by the decoder alone, where something was recalled. */
function decoderNll(samples: readonly Sample[]): number {
  return samples.reduce((sum, { logprob }) => sum - logprob, 0) / Math.max(1, samples.length);
}

/** Numbers with five significant digits: more than they are worth. */
function round(weights: MemoryWeights): MemoryWeights {
  const text = JSON.stringify(weights, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(5)) : value,
  );
  return JSON.parse(text) as MemoryWeights;
}
