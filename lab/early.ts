import { MODEL_OPTIONS, parse, wholeNumber } from '../src/cli/arguments';
import { UsageError, type Command } from '../src/cli/command';
import { openEngine } from '../src/cli/model';
import { ProgressBar } from '../src/cli/progress';
import { randomFrom } from '../src/model/random';
import { bootstrap } from './evaluation/bootstrap';
import { chooseSites } from './evaluation/items';
import { exactMatch } from './evaluation/metrics';
import { readRepositories } from './evaluation/repository';
import { quantile } from './quantile';

const USAGE = `npm run lab -- early --each DIR [options]
  How often the lookup memory is sure of the line suffix before a large decoder is asked, how often it is right then, and
  how long it takes once the open texts are taken in: rests of lines and whole lines are cut out of files. A table by p, from
  which it counts as sure.

  --each DIR     every folder in DIR is an owner's: intervals are drawn over them
  --items N      lines (default: 400)
  --model MODEL  a large model with a lookup memory (default: coder)
  --seed S       which lines (default: 1)`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  each: { type: 'string' },
  items: { type: 'string' },
  seed: { type: 'string' },
} as const;

/** p from which it counts as sure: the product's are 0.7, and 0.9 where it is strict. */
const LIMITS = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;

interface Shown {
  readonly owner: string;
  readonly ms: number;
  /** Characters; none where nothing was found. */
  readonly length: number;
  readonly probability: number;
  readonly right: boolean;
}

export const early: Command = {
  summary: 'how often the memory is sure before the decoder is asked, and right',
  usage: USAGE,
  async run(args) {
    const { values } = parse(args, OPTIONS);
    if (values.each === undefined) throw new UsageError('give --each DIR');
    const count = wholeNumber('--items', values.items ?? '400', 1, 100_000);
    const random = randomFrom(wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 32 - 1));
    // A site has a line suffix, a whole line, and a block, which is left out.
    const sites = chooseSites(await readRepositories([], values.each), Math.ceil((count * 3) / 2), random);
    const items = sites.flatMap((site) => site.items.filter(({ kind }) => kind !== 'block')).slice(0, count);
    const engine = await openEngine({ ...values, model: values.model ?? 'coder' }, { trainedChunks: true });
    const bar = new ProgressBar('looking up', items.length);
    const shown: Shown[] = [];
    for (const [done, { repository: owner, request, target }] of items.entries()) {
      const options = { steps: 0, maxLines: 1, candidates: 1 };
      // As in the editor, where open texts were taken in at rest.
      await engine.early(request, options);
      const begun = performance.now();
      const { text, probability } = (await engine.early(request, options, LIMITS[0])) ?? { text: '', probability: 0 };
      const ms = performance.now() - begun;
      shown.push({ owner, ms, length: text.length, probability, right: text !== '' && exactMatch(text, target) });
      bar.update(done + 1);
    }
    bar.clear();
    await engine.close();
    console.log(report(shown));
    return 0;
  },
};

function report(all: readonly Shown[]): string {
  const share = (of: readonly Shown[], is: (one: Shown) => boolean) => {
    const found = bootstrap(of.map((one) => ({ cluster: one.owner, value: 100 * Number(is(one)), weight: 1 })));
    return found ? `${found.mean.toFixed(1)} (${found.low.toFixed(1)}–${found.high.toFixed(1)})` : '–';
  };
  const rows = LIMITS.map((limit) => {
    const sure = all.filter(({ probability }) => probability >= limit);
    const characters = sure.reduce((sum, { length }) => sum + length, 0) / Math.max(1, sure.length);
    const cells = [share(all, ({ probability }) => probability >= limit), share(sure, ({ right }) => right)];
    return `| ${limit} | ${cells.join(' | ')} | ${characters.toFixed(0)} |`;
  });
  const ms = (at: number) => quantile(all, at)?.toFixed(1);
  return [
    `${all.length} lines of ${new Set(all.map(({ owner }) => owner)).size} owners; in brackets 95 % intervals by owner.`,
    '',
    '| sure from p | shown, % | right of these, % | characters |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    `milliseconds: median ${ms(0.5)}, 90 % ${ms(0.9)}, 99 % ${ms(0.99)}`,
  ].join('\n');
}
