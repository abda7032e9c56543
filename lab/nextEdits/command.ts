import { readFile, writeFile } from 'node:fs/promises';
import type { EditWeights } from '../../src/edits/confidence';
import type { Engine } from '../../src/completion/engine';
import { MODEL_OPTIONS, MODEL_USAGE, parse, stepsOption, wholeNumber } from '../../src/cli/arguments';
import { UsageError, type Command } from '../../src/cli/command';
import { openEngine } from '../../src/cli/model';
import { ProgressBar } from '../../src/cli/progress';
import { fiveDigits } from '../fitting';
import { fitEdits, FOUND, foundWeights } from './fit';
import { inTurn, readHistories } from './histories';
import { judgeBy, variantList, type Judge, type Variant } from './judge';
import { KeptWalks, readWalks } from './kept';
import { agreement, KINDS, table, timeLines, type Row } from './report';
import { walk, type Walk } from './walk';

const USAGE = `npm run lab -- next-edits --fit DIR --measure DIR [options]
  How often the next edit is offered, and how often an offer is right, on commits of git histories: somebody makes the
  edits of a commit one after the other, and is asked after each what could come next. Weights and thresholds are fitted
  on the owners of one folder and measured on those of the other. A folder holds OWNER+NAME/repo, bare git directories.

  --commits N       of each repository, the newest that changed source files (default: 60)
  --judge LIST|off  the model judges under these thoughts, side by side on the same walks (default: off):
                    z_0 (none), frozen (refined on the files as they were before the commit), warm (that one as it
                    follows each edit, as in the editor)
  --steps N         of a thought that is refined (default: the model's own)
  --context N       characters that the model reads before a place, behind the line that was edited, and a quarter of that
                    after it (default: as in the editor, 2048 and 512, and of the line only what is near)
  --precision P     share of offers on the fitting owners that have to be right, in per cent (default: 75)
  --walks FILE      keep each walk there as it is made, and go on from there
  --minutes N       make no further walk after so many minutes (0: none); the repositories take turns
  --against FILE    how often the model and another one agree, whose walks were kept there
  --write FILE      write the weights there, under the model's name (the last thought's), or under "found"
${MODEL_USAGE}`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  fit: { type: 'string' },
  measure: { type: 'string' },
  commits: { type: 'string' },
  judge: { type: 'string' },
  steps: { type: 'string' },
  context: { type: 'string' },
  precision: { type: 'string' },
  walks: { type: 'string' },
  minutes: { type: 'string' },
  against: { type: 'string' },
  write: { type: 'string' },
} as const;

type Values = ReturnType<typeof parse<typeof OPTIONS>>['values'];

const BOTH = ['rename', 'repeat'] as const;

export const nextEdits: Command = {
  summary: 'how often the next edit is offered on commits, and how often that is right; fits its confidence',
  usage: USAGE,
  async run(args) {
    const { values, positionals } = parse(args, OPTIONS);
    if (positionals.length > 0) throw new UsageError(`${positionals[0]}: not an argument of next-edits`);
    const { fit, measure } = values;
    if (fit === undefined || measure === undefined) throw new UsageError('give --fit DIR and --measure DIR');
    const count = wholeNumber('--commits', values.commits ?? '60', 1, 10_000);
    const precision = wholeNumber('--precision', values.precision ?? '75', 1, 99) / 100;
    const minutes = values.minutes === undefined ? Infinity : wholeNumber('--minutes', values.minutes, 0, 10_000);
    const variants = (values.judge ?? 'off') === 'off' ? [] : variantList(values.judge!);
    const engine = variants.length > 0 ? await openEngine(values, { trainedChunks: true }) : undefined;
    const { judge, kept } = judging(engine, variants, values);
    const sets = [readHistories(fit, count), readHistories(measure, count)] as const;
    const until = performance.now() + minutes * 60_000;
    const [fitting = [], measuring = []] = await walks(sets, { judge, kept, until });
    await engine?.close();

    const name = engine?.bundle.manifest.name ?? FOUND;
    const fitted = [undefined, ...variants].map((judge) => ({
      judge,
      weights: fiveDigits(fitEdits(fitting, judge, precision)),
    }));
    for (const { judge, weights } of fitted) console.log(`${judge ?? FOUND}: ${JSON.stringify(weights)}`);
    const named = [['fitting', fitting] as const, ['measuring', measuring] as const];
    console.log(table(named, rowsOf(name, fitted)));
    const all = [...fitting, ...measuring];
    if (values.against !== undefined) console.log(agreementLines(all, values.against, variants));
    console.log(timeLines(all));
    if (values.write !== undefined) await writeWeights(values.write, name, fitted.at(-1)!.weights);
    return 0;
  },
};

/** Who judges, and where the walks are kept. @throws UsageError where the model has no thoughts of that kind */
function judging(engine: Engine | undefined, variants: readonly Variant[], values: Values) {
  const steps = stepsOption(values.steps) ?? engine?.defaultSteps ?? 0;
  const refined = variants.find((variant) => variant !== 'z_0');
  if (refined && !engine?.readsThought) throw new UsageError(`--judge ${refined}: the model reads no thought`);
  if (refined && steps === 0) throw new UsageError(`--steps: give at least 1 with --judge ${refined}`);
  const context = values.context === undefined ? undefined : wholeNumber('--context', values.context, 1, 2_048);
  const model = engine?.bundle.manifest;
  const sha256 = model?.files.weights.sha256;
  return {
    judge: engine && judgeBy(engine, variants, steps, context),
    kept: new KeptWalks(values.walks, { model: model?.name, sha256, variants, steps: refined ? steps : 0, context }),
  };
}

/** The walks of each set, until the time is over. */
async function walks(
  sets: Parameters<typeof inTurn>[0],
  { judge, kept, until }: { judge: Judge | undefined; kept: KeptWalks; until: number },
): Promise<Walk[][]> {
  const turns = inTurn(sets);
  const bar = new ProgressBar('walking', turns.length);
  const made: Walk[][] = sets.map(() => []);
  for (const [index, { set, commit }] of turns.entries()) {
    const key = `${commit.owner} ${commit.hash}`;
    if (!kept.has(key)) {
      if (performance.now() > until) continue;
      kept.add(key, await walk(commit, judge));
    }
    const one = kept.get(key);
    if (one) made[set]!.push(one);
    bar.update(index + 1);
  }
  bar.clear();
  return made;
}

/**
 * What is found, with the weights that ship and with those fitted here, by kinds of edits; then, where a model judges, the
 * same of what it was asked about, and what it says under each thought.
 */
function rowsOf(name: string, fitted: readonly { judge: Variant | undefined; weights: EditWeights }[]): Row[] {
  const shipped = { judge: `${FOUND}, as it ships`, edits: 'both' };
  const ships = (judge?: Variant) => ({ weights: foundWeights(), kinds: BOTH, judge });
  return fitted.flatMap(({ judge, weights }, i) => {
    if (!judge) {
      const kinds = KINDS.map(({ name: edits, kinds }) => ({ judge: FOUND, edits, policy: { weights, kinds } }));
      return [{ ...shipped, policy: ships() }, ...kinds];
    }
    const judged = { judge: `${name}, ${judge}`, edits: 'both, judged', policy: { weights, kinds: BOTH, judge } };
    return i === 1 ? [{ ...shipped, edits: 'both, judged', policy: ships(judge) }, judged] : [judged];
  });
}

function agreementLines(all: readonly Walk[], file: string, [variant]: readonly Variant[]): string {
  if (!variant) throw new UsageError('--against: give --judge, too');
  const others = readWalks(file).walks.flatMap(({ walk: one }) => one ?? []);
  return agreement(all, others, variant);
}

async function writeWeights(path: string, name: string, weights: EditWeights): Promise<void> {
  const known = JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as Record<string, EditWeights>;
  await writeFile(path, `${JSON.stringify({ ...known, [name]: weights }, null, 2)}\n`);
}
