import { readFile, writeFile } from 'node:fs/promises';
import type { Kind } from '../../src/edits/candidate';
import {
  EDIT_FEATURES,
  EDIT_WEIGHTS,
  editConfidence,
  editFeatures,
  type EditFeatures,
  type EditWeights,
  type KindWeights,
} from '../../src/edits/confidence';
import { UserError } from '../../src/model/errors';
import { targetsOf } from '../../src/edits/targets';
import type { Engine } from '../../src/completion/engine';
import { MODEL_OPTIONS, MODEL_USAGE, parse, switchOption, wholeNumber } from '../../src/cli/arguments';
import { UsageError, type Command } from '../../src/cli/command';
import { openEngine } from '../../src/cli/model';
import { ProgressBar } from '../../src/cli/progress';
import { bootstrap } from '../evaluation/bootstrap';
import { share } from '../evaluation/table';
import { fiveDigits } from '../fitting';
import { fitLogistic } from '../logistic';
import { quantile } from '../quantile';
import { readHistories, type Commit } from './histories';
import { outcomeOf, thresholdFor, type Outcome, type Policy } from './policy';
import { walk, type Judge, type Observation, type Walk } from './walk';

const USAGE = `npm run lab -- next-edits --fit DIR --measure DIR [options]
  How often the next edit is offered, and how often an offer is right, on commits of git histories: somebody makes the
  edits of a commit one after the other, and is asked after each what could come next. Weights and thresholds are fitted
  on the owners of one folder and measured on those of the other. A folder holds OWNER+NAME/repo, bare git directories.

  --commits N       of each repository, the newest that changed source files (default: 60)
  --judge on|off    whether the model judges, under z_0 (default: off: what is found is rated without a model)
  --precision P     share of offers on the fitting owners that have to be right, in per cent (default: 75)
  --write FILE      write the weights there, under the model's name, or under "found"
${MODEL_USAGE}`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  fit: { type: 'string' },
  measure: { type: 'string' },
  commits: { type: 'string' },
  judge: { type: 'string' },
  precision: { type: 'string' },
  write: { type: 'string' },
} as const;

/** The name of the weights for what is found without a model. */
const FOUND = 'found';

const ROWS: readonly { name: string; kinds: readonly Kind[] }[] = [
  { name: 'renames', kinds: ['rename'] },
  { name: 'repeats', kinds: ['repeat'] },
  { name: 'both', kinds: ['rename', 'repeat'] },
];

export const nextEdits: Command = {
  summary: 'how often the next edit is offered on commits, and how often that is right; fits its confidence',
  usage: USAGE,
  async run(args) {
    const { values, positionals } = parse(args, OPTIONS);
    if (positionals.length > 0) throw new UsageError(`${positionals[0]}: not an argument of next-edits`);
    if (values.fit === undefined || values.measure === undefined)
      throw new UsageError('give --fit DIR and --measure DIR');
    const count = wholeNumber('--commits', values.commits ?? '60', 1, 10_000);
    const precision = wholeNumber('--precision', values.precision ?? '75', 1, 99) / 100;
    const engine = switchOption('--judge', values.judge, false) ? await openEngine(values) : undefined;
    const judge = engine && judgeBy(engine);
    const times: number[] = [];
    const fitting = await walks(readHistories(values.fit, count), judge, times);
    const measuring = await walks(readHistories(values.measure, count), judge, times);
    await engine?.close();

    const judged = judge !== undefined;
    const weightsOf = judged ? fitGain(fitting) : (kind: Kind) => fitWeights(fitting, kind);
    const plain = { rename: weightsOf('rename'), repeat: weightsOf('repeat') };
    const policy: Policy = { weights: plain, kinds: ['rename', 'repeat'], judged };
    const least = (kind: Kind) => ({ ...plain[kind], threshold: thresholdFor(fitting, policy, kind, precision) });
    const fitted: EditWeights = { rename: least('rename'), repeat: least('repeat') };
    const name = engine?.bundle.manifest.name ?? FOUND;
    const sets = [
      ['fitting', fitting],
      ['measuring', measuring],
    ] as const;
    console.log(JSON.stringify(fiveDigits(fitted)));
    if (judged) console.log(table(`${FOUND}, on what ${name} judged`, sets, { ...policy, weights: found() }));
    console.log(table(name, sets, { ...policy, weights: fitted }));
    console.log(timesLine(times));
    if (values.write !== undefined) await writeWeights(values.write, name, fiveDigits(fitted));
    return 0;
  },
};

/** How much more likely a model with z_0 finds the new text than the old. */
function judgeBy(engine: Engine): Judge {
  return (path, text, edit) => engine.gain({ path, ...targetsOf(edit, text) }, engine.prior);
}

async function walks(commits: readonly Commit[], judge: Judge | undefined, times: number[]): Promise<Walk[]> {
  const bar = new ProgressBar('walking', commits.length);
  const found: Walk[] = [];
  for (const [index, commit] of commits.entries()) {
    const one = await walk(commit, judge, times);
    if (one) found.push(one);
    bar.update(index + 1);
  }
  bar.clear();
  return found;
}

function fitWeights(from: readonly Walk[], kind: Kind): KindWeights {
  const observations = observed(from).filter(({ candidate }) => candidate.kind === kind);
  const rows = observations.map(({ candidate }) => {
    const features = editFeatures(candidate.facts, undefined);
    return EDIT_FEATURES.map((name) => features[name]);
  });
  const { bias, weights } = fitLogistic(rows, observations.map(isRight));
  const named = Object.fromEntries(EDIT_FEATURES.map((name, i) => [name, weights[i] ?? 0])) as EditFeatures;
  return { bias, weights: named, threshold: 1 };
}

/** What can be said without a model as one feature, and what the model says as the other: there are few judgements. */
function fitGain(from: readonly Walk[]): (kind: Kind) => KindWeights {
  const plain = found();
  const observations = observed(from).filter(({ gain }) => gain !== undefined);
  const rows = observations.map(({ candidate, gain }) => {
    const confidence = editConfidence(editFeatures(candidate.facts, undefined), plain[candidate.kind]);
    return [Math.log(confidence / (1 - confidence)), editFeatures(candidate.facts, gain).gain];
  });
  const { bias, weights } = fitLogistic(rows, observations.map(isRight));
  const [scale = 1, gain = 0] = weights;
  return (kind) => {
    const scaled = EDIT_FEATURES.map((name) => [name, scale * plain[kind].weights[name]]);
    const all = { ...(Object.fromEntries(scaled) as EditFeatures), gain };
    return { bias: bias + scale * plain[kind].bias, weights: all, threshold: 1 };
  };
}

function found(): EditWeights {
  const weights = EDIT_WEIGHTS[FOUND];
  if (!weights)
    throw new UserError('src/edits/weights.json: no weights for what is found; fit them first, without --judge');
  return weights;
}

function observed(walks: readonly Walk[]): Observation[] {
  return walks.flatMap(({ moments }) => moments.flatMap(({ observations }) => observations));
}

function isRight({ makes }: Observation): boolean {
  return makes !== undefined;
}

function table(name: string, sets: readonly (readonly [string, readonly Walk[]])[], policy: Policy): string {
  const { rename, repeat } = policy.weights;
  const thresholds = `renames ${rename.threshold}, repeats ${repeat.threshold}`;
  const lines = [
    `judged by: ${name}; least confidence: ${thresholds}; in brackets 95 % intervals by owner, shares in per cent`,
    '',
    '| owners | edits | commits | following edits | offered | right: precision | following edits offered: recall |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const [set, all] of sets) {
    for (const row of ROWS) {
      const outcomes = all.map((one) => outcomeOf(one, { ...policy, kinds: row.kinds }));
      const owners = new Set(all.map(({ owner }) => owner)).size;
      const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((total, one) => total + pick(one), 0);
      const ratio = (value: (outcome: Outcome) => number, weight: (outcome: Outcome) => number) =>
        share(bootstrap(outcomes.map((one) => ({ cluster: one.owner, value: value(one), weight: weight(one) }))));
      const [following, offered] = [sum((one) => one.following), sum((one) => one.offered)];
      const precision = ratio(
        (one) => one.right,
        (one) => one.offered,
      );
      const recall = ratio(
        (one) => one.recalled,
        (one) => one.following,
      );
      lines.push(
        `| ${owners} ${set} | ${row.name} | ${all.length} | ${following} | ${offered} | ${precision} | ${recall} |`,
      );
    }
  }
  return lines.join('\n');
}

function timesLine(times: readonly number[]): string {
  const durations = times.map((ms) => ({ ms }));
  const [median, max] = [quantile(durations, 0.5), quantile(durations, 0.99)];
  return `finding: ${times.length} times, median ${median?.toFixed(1)} ms, 99 %: ${max?.toFixed(1)} ms`;
}

async function writeWeights(path: string, name: string, weights: EditWeights): Promise<void> {
  const known = JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as Record<string, EditWeights>;
  await writeFile(path, `${JSON.stringify({ ...known, [name]: weights }, null, 2)}\n`);
}
