import { writeFile } from 'node:fs/promises';
import { EDIT_WEIGHTS } from '../../src/edits/confidence';
import { parse, wholeNumber } from '../../src/cli/arguments';
import { UsageError, type Command } from '../../src/cli/command';
import { ProgressBar } from '../../src/cli/progress';
import { fiveDigits } from '../fitting';
import { fitEdits } from './fit';
import { readHistories } from './histories';
import { KINDS, table, timeLine, type Row } from './report';
import { walk, type Walk } from './walk';

const USAGE = `npm run lab -- next-edits --fit DIR --measure DIR [options]
  How often the next edit is offered, and how often an offer is right, on commits of git histories: somebody makes the
  edits of a commit one after the other, and is asked after each what could come next. Weights and thresholds are fitted
  on the owners of one folder and measured on those of the other. A folder holds OWNER+NAME/repo, bare git directories.

  --commits N       of each repository, the newest that changed source files (default: 60)
  --precision P     share of offers on the fitting owners that have to be right, in per cent (default: 75)
  --write FILE      write the weights there (src/edits/weights.json is what ships)`;

const OPTIONS = {
  fit: { type: 'string' },
  measure: { type: 'string' },
  commits: { type: 'string' },
  precision: { type: 'string' },
  write: { type: 'string' },
} as const;

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
    const fitting = await walks(fit, count);
    const measuring = await walks(measure, count);
    const weights = fiveDigits(fitEdits(fitting, precision));
    console.log(JSON.stringify(weights));
    const both = { 'as they ship': EDIT_WEIGHTS, 'fitted here': weights };
    const rows = Object.entries(both).flatMap(([name, of]) =>
      KINDS.map(({ name: edits, kinds }): Row => ({ weights: name, edits, policy: { weights: of, kinds } })),
    );
    const sets = { fitting, measuring };
    console.log(table(Object.entries(sets), rows));
    console.log(timeLine([...fitting, ...measuring]));
    if (values.write !== undefined) await writeFile(values.write, `${JSON.stringify(weights, null, 2)}\n`);
    return 0;
  },
};

/** The walks through the commits of the repositories in a folder. */
async function walks(folder: string, count: number): Promise<Walk[]> {
  const commits = readHistories(folder, count);
  const bar = new ProgressBar(`walking ${folder}`, commits.length);
  const made: Walk[] = [];
  for (const [index, commit] of commits.entries()) {
    const one = await walk(commit);
    if (one) made.push(one);
    bar.update(index + 1);
  }
  bar.clear();
  return made;
}
