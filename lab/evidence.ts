import { MODEL_OPTIONS, MODEL_USAGE, parse, wholeNumber } from '../src/cli/arguments';
import { UsageError, type Command } from '../src/cli/command';
import { openEngine } from '../src/cli/model';
import { ProgressBar } from '../src/cli/progress';
import type { Engine, Thought } from '../src/completion/engine';
import { randomFrom, shuffle } from '../src/model/random';
import { median } from '../src/numbers';
import { scoreUnderThought } from './engineMeasures';
import { bitsPerByte, relativeNll } from './evaluation/bootstrap';
import { chooseSites, type CutSite } from './evaluation/items';
import { readRepositories } from './evaluation/repository';
import { signed } from './evaluation/table';
import { processorTime } from './processorTime';
import { finished } from './thoughts';

const USAGE = `npm run lab -- evidence --each DIR [options]
  What a thought gains by more evidence: texts are cut out of files and scored without a thought, and under thoughts that
  rest on the nearest 2,048, 8,192 and 32,768 tokens of the file and the eight files next to it.

  --each DIR     every folder in DIR is an owner's: intervals are drawn over them
  --items N      texts to cut out (default: 60)
  --tokens LIST  sizes of the evidence (default: 2048,8192,32768)
  --steps N      of a thought (default: the model's own, at least 1)
  --minutes N    begin nothing new after that time (default: no limit)
  --seed S       which texts (default: 1)
${MODEL_USAGE}`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  each: { type: 'string' },
  items: { type: 'string' },
  tokens: { type: 'string' },
  steps: { type: 'string' },
  minutes: { type: 'string' },
  seed: { type: 'string' },
} as const;

/** NLL of one text in nats: by the steps alone, and beside lookup memory and kNN cache. */
interface Nats {
  readonly alone: number;
  readonly beside: number;
}

interface Measured {
  readonly owner: string;
  readonly bytes: number;
  readonly without: Nats;
  /** In the order of the sizes. */
  readonly under: readonly Nats[];
}

/** What a thought rests on, and what it took. */
interface Cost {
  readonly tokens: number;
  /** Of the processor. */
  readonly ms: number;
}

export const evidence: Command = {
  summary: 'what a thought gains by more evidence',
  usage: USAGE,
  async run(args) {
    const { values } = parse(args, OPTIONS);
    if (values.each === undefined) throw new UsageError('give --each DIR');
    const count = wholeNumber('--items', values.items ?? '60', 1, 100_000);
    const sizes = (values.tokens ?? '2048,8192,32768')
      .split(',')
      .map((word) => wholeNumber('--tokens', word, 1, 2 ** 20));
    const minutes = values.minutes === undefined ? Infinity : wholeNumber('--minutes', values.minutes, 1, 10_000);
    const random = randomFrom(wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 32 - 1));
    const sites = shuffle(chooseSites(await readRepositories([], values.each), count, random), random);
    const engine = await openEngine(values, { trainedChunks: true });
    if (!engine.readsThought) throw new UsageError('--model: it reads no thought');
    const steps = wholeNumber('--steps', values.steps ?? String(Math.max(1, engine.defaultSteps)), 1, 32);
    const measured: Measured[] = [];
    const costs: Cost[][] = sizes.map(() => []);
    const bar = new ProgressBar('scoring', sites.length);
    const until = performance.now() + minutes * 60_000;
    for (const [done, site] of sites.entries()) {
      if (performance.now() > until) break;
      measured.push(...(await measure(engine, site, { sizes, steps, costs })));
      bar.update(done + 1);
    }
    bar.clear();
    await engine.close();
    console.log(table(measured, sizes, costs));
    return 0;
  },
};

async function measure(
  engine: Engine,
  { repository, request, items }: CutSite,
  { sizes, steps, costs }: { sizes: readonly number[]; steps: number; costs: Cost[][] },
): Promise<Measured[]> {
  const thoughts: Thought[] = [];
  for (const [i, size] of sizes.entries()) {
    const spent = processorTime();
    const chunks = Math.ceil(size / engine.chunkTokens);
    const thought = await finished(engine, engine.refinement(request, { steps, chunks }));
    const tokens = thought.trace.chunks.reduce((sum, chunk) => sum + chunk.tokens, 0);
    costs[i]!.push({ tokens, ms: spent() });
    thoughts.push(thought);
  }
  const measured: Measured[] = [];
  for (const { request: place, target } of items) {
    const nats = async (thought: Thought): Promise<Nats> => ({
      alone: (await scoreUnderThought(engine, place, target, thought, { memory: false, knn: false })).nats,
      beside: (await scoreUnderThought(engine, place, target, thought, { memory: true, knn: true })).nats,
    });
    const without = await nats(engine.prior);
    const under: Nats[] = [];
    for (const thought of thoughts) under.push(await nats(thought));
    measured.push({ owner: repository, bytes: Buffer.byteLength(target), without, under });
  }
  return measured;
}

function table(measured: readonly Measured[], sizes: readonly number[], costs: readonly Cost[][]): string {
  const owners = new Set(measured.map(({ owner }) => owner)).size;
  const bits = (way: keyof Nats) =>
    bitsPerByte(measured.map((text) => ({ ...text, nats: text.without[way] })))?.mean.toFixed(3) ?? '–';
  const rows = sizes.map((size, i) => {
    const gain = (way: keyof Nats) => {
      const texts = measured.map(({ owner, without, under }) => ({
        owner,
        nats: under[i]![way],
        before: without[way],
      }));
      return signed(relativeNll(texts), 100, 1);
    };
    const tokens = median(costs[i]!.map((cost) => cost.tokens)) ?? 0;
    const seconds = (median(costs[i]!.map((cost) => cost.ms)) ?? 0) / 1_000;
    return `| ${[size, tokens, gain('alone'), gain('beside'), seconds.toFixed(1)].join(' | ')} |`;
  });
  return [
    `${measured.length} texts of ${owners} owners; NLL against no thought in per cent, in brackets 95 % intervals by owner.`,
    `Without a thought ${bits('alone')} bits a byte, with the memory ${bits('beside')}.`,
    '',
    '| evidence, tokens at most | scored, median | steps alone | beside the memory | processor time, s, median |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
