import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { messageOf, UserError } from '../model/errors';
import { RULES } from '../policy/policy';
import { parse, wholeNumber } from './arguments';
import { UsageError, type Command } from './command';
import type { Kind } from './evaluation/items';
import type { Measured } from './evaluation/measure';
import { estimate, simulate, type Comparison, type Estimate, type Opportunity } from './simulation/simulate';
import { USERS, type User } from './simulation/user';

const DEFAULT_DECISIONS = 2000;
const DEFAULT_SEEDS = 20;

/** Fewer suggestions in a report say nothing. */
const FEWEST = 10;

/** Ways of a report that are nearest to what the editor does, the nearest first. */
const PREFERRED = ['T=4 + memory', 'z+memory', 'T=4', 'z'];

const USAGE = `thoughtline simulate-policy REPORT.json [options]
  Does the policy that learns from suggestions taken pay? REPORT.json is what \`thoughtline evaluate DIR… --out\` wrote. The
  policy lives through suggestions for one half of its items, is then frozen, and decides on the other half, beside showing
  everything and beside fixed thresholds on the model's confidence (or mean log p), which are chosen in hindsight.

  Nobody was asked: who accepts is a model, and every parameter of it is an assumption that is varied.
    p(accept | exact)    the suggestion is what stood there
    p(accept | similar)  it is not: that figure times 2·similarity − 1, none below a similarity of one half
    careless             the share of suggestions that is taken or left by the toss of a coin
    reading cost         characters that looking at one line costs; the policy knows it (it ships with ${RULES.readingCost})
  Accepted text stays if it is exact or more than half similar. It saves its characters less one, times its similarity.
  Suggestions are shown whole or not at all: a report does not say what a beginning of one would have been worth.

  --way NAME        which way of completing (default: the first of ${PREFERRED.join(', ')} in the report)
  --decisions N     suggestions lived through (default: ${DEFAULT_DECISIONS}); the first ${RULES.warmup} decisions change nothing
  --seeds N         splits of the items and courses of events (default: ${DEFAULT_SEEDS}); ± is the standard error over them
  --json            print everything as JSON`;

const OPTIONS = {
  way: { type: 'string' },
  decisions: { type: 'string' },
  seeds: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const simulatePolicy: Command = {
  summary: 'does learning from suggestions taken pay, for which users?',
  usage: USAGE,
  async run(args) {
    const { values, positionals } = parse(args, OPTIONS);
    const [file, more] = positionals;
    if (file === undefined) throw new UsageError('give the report of an evaluation: evaluate DIR --out REPORT.json');
    if (more !== undefined) throw new UsageError(`${more}: one report at a time`);
    const decisions = wholeNumber('--decisions', values.decisions ?? String(DEFAULT_DECISIONS), 1, 1_000_000);
    const seeds = wholeNumber('--seeds', values.seeds ?? String(DEFAULT_SEEDS), 2, 1000);
    const measured = await readMeasured(file);
    const names = new Set(measured.flatMap(({ outcomes }) => Object.keys(outcomes)));
    const way = values.way ?? PREFERRED.find((name) => names.has(name)) ?? '';
    if (!names.has(way)) throw new UsageError(`--way ${way}: use one of ${[...names].join(', ')}`);
    const opportunities = opportunitiesOf(measured, way);
    if (opportunities.length < FEWEST) {
      throw new UserError(
        `${file}: ${opportunities.length} suggestions under "${way}" whose size is known; evaluate more items`,
      );
    }
    const users = USERS.map((user) => ({
      user,
      ...summarise(Array.from({ length: seeds }, (_, i) => simulate(opportunities, user, { decisions, seed: i + 1 }))),
    }));
    const report = { way, items: measured.length, suggestions: opportunities.length, decisions, seeds, users };
    console.log(values.json ? JSON.stringify(report, null, 2) : table(report));
    return 0;
  },
};

async function readMeasured(file: string): Promise<Measured[]> {
  try {
    const { measured } = JSON.parse(await readFile(file, 'utf8')) as { measured?: unknown };
    if (Array.isArray(measured)) return measured as Measured[];
  } catch (error) {
    throw new UserError(`${file}: cannot be read (${messageOf(error)}); give a report of evaluate --out`);
  }
  throw new UserError(`${file}: holds no measured items; give a report of evaluate --out`);
}

/** Where the cursor of an item stands. */
const PLACES: Readonly<Record<Kind, Opportunity['place']>> = { tail: 'end', line: 'empty', block: 'empty' };

/** The suggestions that there were. */
export function opportunitiesOf(measured: readonly Measured[], way: string): Opportunity[] {
  return measured.flatMap(({ path, kind, outcomes }) => {
    const outcome = outcomes[way];
    if (!outcome?.characters || !outcome.lines) return [];
    const { exact, similarity, characters, lines, logprob, confidence } = outcome;
    const language = extname(path);
    return { exact, similarity, characters, lines, logprob, confidence, place: PLACES[kind], language };
  });
}

function summarise(runs: readonly Comparison[]) {
  const over = (value: (run: Comparison) => number): Estimate => estimate(runs.map(value));
  return {
    shown: over(({ policy }) => policy.shown),
    acceptance: {
      always: over(({ always }) => always.acceptance),
      policy: over(({ policy }) => policy.acceptance),
      /** Paired differences. */
      minusAlways: over(({ policy, always }) => policy.acceptance - always.acceptance),
      minusThresholdAtEqualSaved: over(({ policy, equalSaved }) => policy.acceptance - equalSaved.acceptance),
    },
    saved: {
      always: over(({ always }) => always.saved),
      policy: over(({ policy }) => policy.saved),
      minusAlways: over(({ policy, always }) => policy.saved - always.saved),
      minusThresholdAtEqualAcceptance: over(({ policy, equalAcceptance }) => policy.saved - equalAcceptance.saved),
    },
    net: {
      always: over(({ always }) => always.net),
      policy: over(({ policy }) => policy.net),
      minusAlways: over(({ policy, always }) => policy.net - always.net),
    },
  };
}

interface Report {
  readonly way: string;
  readonly items: number;
  readonly suggestions: number;
  readonly decisions: number;
  readonly seeds: number;
  readonly users: readonly ({ readonly user: User } & ReturnType<typeof summarise>)[];
}

function table({ way, items, suggestions, decisions, seeds, users }: Report): string {
  const percent = ({ mean }: Estimate) => `${(mean * 100).toFixed(0)} %`;
  const points = ({ mean, error }: Estimate) => `${signed(mean * 100, 1)} ± ${(error * 100).toFixed(1)}`;
  const characters = ({ mean }: Estimate) => mean.toFixed(2).replace('-', '−');
  const difference = ({ mean, error }: Estimate) => `${signed(mean, 2)} ± ${error.toFixed(2)}`;
  return [
    `${suggestions} suggestions for ${items} items under "${way}"; ${decisions} lived through, ${seeds} seeds; ± is the standard error over seeds.`,
    'Acceptance in per cent of what is shown, its differences in points; characters by suggestion that could have been shown.',
    '',
    '| user | shown | accepted: always → policy | minus threshold, equal characters | saved: always → policy | minus threshold, equal acceptance | saved less reading: always → policy | difference |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...users.map(
      ({ user, shown, acceptance, saved, net }) =>
        `| ${[
          user.name,
          percent(shown),
          `${percent(acceptance.always)} → ${percent(acceptance.policy)}`,
          points(acceptance.minusThresholdAtEqualSaved),
          `${characters(saved.always)} → ${characters(saved.policy)}`,
          difference(saved.minusThresholdAtEqualAcceptance),
          `${characters(net.always)} → ${characters(net.policy)}`,
          difference(net.minusAlways),
        ].join(' | ')} |`,
    ),
  ].join('\n');
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
}
