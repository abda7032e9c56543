import { readFile, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Engine } from '../../src/completion/engine';
import { UserError } from '../../src/model/errors';
import { deviceOption, wholeNumber } from '../../src/cli/arguments';
import { UsageError } from '../../src/cli/command';
import { openEngine, bundleFolder, type ModelArguments } from '../../src/cli/model';
import { ProgressBar } from '../../src/cli/progress';
import { randomFrom, shuffle } from '../../src/model/random';
import { stepList } from '../thoughts';
import { writeIntoCard } from './card';
import { chooseSites } from './items';
import { Measurer, type Measured } from './measure';
import { readRepositories } from './repository';
import { chooseMiddles } from './middles';
import { families, summarise } from './summary';
import { picture } from './picture';
import { markdown } from './table';
import { choosePassages, evaluateTyping, sureVariants, TYPING_VARIANTS } from './typing';
import { familyVariants, stepVariants, DEFAULT_STEPS } from './variants';

export interface EvaluationArguments extends ModelArguments {
  readonly each?: string | undefined;
  readonly items?: string | undefined;
  readonly repositories?: string | undefined;
  readonly minutes?: string | undefined;
  readonly plot?: string | undefined;
  readonly add?: readonly string[] | undefined;
  readonly steps?: string | undefined;
  readonly plain?: string | undefined;
  readonly families?: boolean | undefined;
  readonly typing?: boolean | undefined;
  readonly sure?: string | undefined;
  readonly middles?: boolean | undefined;
  readonly memory?: string | undefined;
  readonly card?: string | undefined;
  readonly seed?: string | undefined;
  readonly json?: boolean | undefined;
  readonly out?: string | undefined;
}

const DEFAULT_ITEMS = 200;
const DEFAULT_PASSAGES = 20;
const STEP_LIST = '0,1,2,4,8,16';

/** `npm run lab -- evaluate DIR…`: texts cut out of files of repositories, and how well they are completed. */
export async function evaluateRepositories(folders: readonly string[], values: EvaluationArguments): Promise<number> {
  const count = wholeNumber(
    '--items',
    values.items ?? String(values.typing ? DEFAULT_PASSAGES : DEFAULT_ITEMS),
    1,
    100_000,
  );
  const minutes = values.minutes === undefined ? Infinity : wholeNumber('--minutes', values.minutes, 1, 10_000);
  if (values.families && (values.plot ?? values.card) !== undefined) {
    throw new UsageError('--plot and --card are for numbers of steps: leave out --families');
  }
  if ((values.sure !== undefined || values.middles) && !values.typing) {
    throw new UsageError('--sure and --middles go with --typing');
  }
  const seed = wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 32 - 1);
  const steps = [...new Set([0, DEFAULT_STEPS, ...stepList(values.steps ?? STEP_LIST)])].sort((a, b) => a - b);
  const repositories = await readRepositories(folders, values.each);
  const random = randomFrom(seed);
  const max =
    values.repositories === undefined ? Infinity : wholeNumber('--repositories', values.repositories, 1, 10_000);
  const chosen = shuffle(repositories, random).slice(0, max);
  const end = performance.now() + minutes * 60_000;
  if (values.typing) {
    const variants = values.sure === undefined ? TYPING_VARIANTS : sureVariants(values.sure);
    const engine = await openEngine(values, { trainedChunks: true });
    const choose = values.middles ? chooseMiddles : choosePassages;
    await evaluateTyping(engine, choose(chosen, count, random), variants, values, end);
    await engine.close();
    return 0;
  }
  const sites = shuffle(chooseSites(chosen, count, random), random);
  if (sites.length === 0) throw new UserError('nothing can be cut out of these files; give larger repositories');

  const engine = await openEngine(values, { trainedChunks: true });
  const plain = values.plain === undefined ? undefined : await openPlain(values.plain, values.device);
  const variants = values.families ? familyVariants() : stepVariants(steps);
  const references = values.families
    ? { prior: 'z0', defaultSteps: 'z' }
    : { prior: 'T=0', defaultSteps: `T=${DEFAULT_STEPS}` };
  const { name, version } = engine.bundle.manifest;
  const before = await measuredBefore(values.add ?? [], { name, version }, seed);
  const measurer = new Measurer(engine, variants, plain);
  const bar = new ProgressBar('evaluating', sites.length);
  const measured: Measured[] = [];
  for (const [index, site] of sites.entries()) {
    measured.push(...(await measurer.measure(site)));
    bar.update(index + 1);
    if (performance.now() > end) break;
  }
  bar.clear();
  const summary = summarise([...before, ...measured], variants, references);
  const report = {
    model: { name, version },
    seed,
    ...(values.families ? { ...summary, rows: families(summary) } : { steps, ...summary }),
  };
  await engine.close();
  await plain?.close();
  if (values.out !== undefined) {
    await writeFile(values.out, `${JSON.stringify({ ...report, measured }, null, 1)}\n`);
  }
  if (values.card !== undefined) {
    const directory = bundleFolder(values.model);
    await writeIntoCard(directory, values.card, summary, commandOf(folders, values));
  }
  if (values.plot !== undefined) await writeFile(values.plot, picture(summary));
  console.log(values.json ? JSON.stringify(report, null, 2) : markdown(summary));
  return 0;
}

function openPlain(directory: string, device: string | undefined): Promise<Engine> {
  return Engine.open(resolve(directory), { device: deviceOption(device), trainedChunks: true });
}

/** Items of earlier reports of the same model by other seeds. @throws UserError if one of them is none */
async function measuredBefore(paths: readonly string[], model: object, seed: number): Promise<Measured[]> {
  const seeds = new Set([seed]);
  const all: Measured[] = [];
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => '{}');
    const report = JSON.parse(text) as { model?: object; seed?: number; measured?: Measured[] };
    if (!report.measured || !isDeepStrictEqual(report.model, model)) {
      throw new UserError(`${path}: no report of this model; give what evaluate --out wrote for it`);
    }
    if (seeds.has(report.seed as number))
      throw new UserError(`${path}: measured by the same seed; give another --seed`);
    seeds.add(report.seed as number);
    all.push(...report.measured);
  }
  return all;
}

/** The command that measures the same again, without what only this machine knows. */
function commandOf(
  folders: readonly string[],
  { each, items, repositories, minutes, steps, seed, add, plain }: EvaluationArguments,
): string {
  const options = {
    ...{ each: each && basename(each), items, repositories, minutes, steps, seed },
    plain: plain && basename(plain),
  };
  const words = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  const added = (add ?? []).flatMap((path) => ['--add', basename(path)]);
  return ['npm run lab -- evaluate', ...folders.map((folder) => basename(folder)), ...words, ...added].join(' ');
}
