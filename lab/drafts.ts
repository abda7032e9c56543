import { MODEL_OPTIONS, parse, wholeNumber } from '../src/cli/arguments';
import { UsageError, type Command } from '../src/cli/command';
import { openEngine } from '../src/cli/model';
import { ProgressBar } from '../src/cli/progress';
import type { Engine } from '../src/completion/engine';
import { randomFrom, shuffle } from '../src/model/random';
import { forgetWritten } from './benchSpeed';
import { bootstrap } from './evaluation/bootstrap';
import { chooseSites, KINDS, type Item, type Kind } from './evaluation/items';
import { readRepositories } from './evaluation/repository';
import { processorTime } from './processorTime';

const USAGE = `npm run lab -- drafts --each DIR [options]
  What drafts of the lookup memory save: suggestions are written with them and without, in turn, behind windows that have been
  read, and are timed. Their text is the same.

  --each DIR     every folder in DIR is an owner's: intervals are drawn over them
  --items N      texts to complete (default: 90)
  --model MODEL  default: coder
  --minutes N    begin nothing new after that time (default: no limit)
  --seed S       which texts (default: 1)
  --threads N    threads of one run (default: one for each physical core, at most 4)`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  each: { type: 'string' },
  items: { type: 'string' },
  minutes: { type: 'string' },
  seed: { type: 'string' },
} as const;

/** What a suggestion cost. */
interface Cost {
  readonly tokens: number;
  readonly ms: number;
  /** Of the processor, which other work on the machine changes less. */
  readonly cpu: number;
}

interface Pair {
  readonly owner: string;
  readonly kind: Kind;
  readonly drafts: Cost;
  readonly plain: Cost;
}

export const drafts: Command = {
  summary: 'what drafts of the lookup memory save, in time',
  usage: USAGE,
  async run(args) {
    const { values } = parse(args, OPTIONS);
    if (values.each === undefined) throw new UsageError('give --each DIR');
    const count = wholeNumber('--items', values.items ?? '90', 1, 100_000);
    const minutes = values.minutes === undefined ? Infinity : wholeNumber('--minutes', values.minutes, 1, 10_000);
    const random = randomFrom(wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 32 - 1));
    const sites = shuffle(chooseSites(await readRepositories([], values.each), count, random), random);
    const engine = await openEngine({ ...values, model: values.model ?? 'coder' }, { trainedChunks: true });
    const items = sites.flatMap((site) => site.items);
    const bar = new ProgressBar('writing', items.length);
    const end = performance.now() + minutes * 60_000;
    const pairs: Pair[] = [];
    for (const [done, item] of items.entries()) {
      if (performance.now() > end) break;
      pairs.push(await measure(engine, item, done % 2 === 0));
      bar.update(done + 1);
    }
    bar.clear();
    await engine.close();
    console.log(table(pairs));
    return 0;
  },
};

async function measure(engine: Engine, { repository, kind, request, target }: Item, first: boolean): Promise<Pair> {
  const runs = engine.prepare(request, engine.prior);
  while (!(await runs.next()).done);
  const maxLines = target.split('\n').length;
  const cost = async (withDrafts: boolean): Promise<Cost> => {
    await forgetWritten(engine, request);
    const [begun, spent] = [performance.now(), processorTime()];
    const how = { steps: 0, thought: engine.prior, maxLines, units: false, candidates: 1, drafts: withDrafts };
    const { written } = await engine.complete(request, how);
    return { tokens: written, ms: performance.now() - begun, cpu: spent() };
  };
  const [one, other] = [await cost(first), await cost(!first)];
  return { owner: repository, kind, ...(first ? { drafts: one, plain: other } : { drafts: other, plain: one }) };
}

function table(pairs: readonly Pair[]): string {
  const ratio = (of: readonly Pair[], what: 'ms' | 'cpu') => {
    const found = bootstrap(
      of.map((one) => ({ cluster: one.owner, value: one.drafts[what], weight: one.plain[what] })),
    );
    return found ? `${found.mean.toFixed(2)} (${found.low.toFixed(2)}–${found.high.toFixed(2)})` : '–';
  };
  const rows = [...KINDS, 'all'].map((kind) => {
    const of = pairs.filter((one) => kind === 'all' || one.kind === kind);
    const tokens = of.reduce((sum, { plain }) => sum + plain.tokens, 0);
    const each = of.reduce((sum, { plain }) => sum + plain.ms, 0) / Math.max(1, tokens);
    const same = of.filter((one) => one.drafts.tokens === one.plain.tokens).length;
    return `| ${kind} | ${of.length} | ${same} | ${tokens} | ${each.toFixed(0)} | ${ratio(of, 'ms')} | ${ratio(of, 'cpu')} |`;
  });
  return [
    `${new Set(pairs.map(({ owner }) => owner)).size} owners; in brackets 95 % intervals by owner.`,
    '',
    '| kind | texts | as long | tokens | ms a token without drafts | time with drafts / without | processor time |',
    `| ${Array.from({ length: 7 }, () => '---').join(' | ')} |`,
    ...rows,
  ].join('\n');
}
