import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Engine } from '../../completion/engine';
import { UserError } from '../../model/errors';
import { deviceOption, wholeNumber } from '../arguments';
import { openEngine, type ModelArguments } from '../model';
import { ProgressBar } from '../progress';
import { shuffle } from '../replay';
import { randomFrom } from '../../model/random';
import { stepList } from '../thoughts';
import { chooseItems } from './items';
import { Measurer, type Measured } from './measure';
import { readRepositories } from './repository';
import { families, markdown, summarise } from './summary';
import { familyWays, stepWays, USUAL_STEPS } from './ways';

export interface EvaluationArguments extends ModelArguments {
  readonly each?: string | undefined;
  readonly items?: string | undefined;
  readonly steps?: string | undefined;
  readonly plain?: string | undefined;
  readonly families?: boolean | undefined;
  readonly seed?: string | undefined;
  readonly json?: boolean | undefined;
  readonly out?: string | undefined;
}

const DEFAULT_ITEMS = 200;
const DEFAULT_STEPS = '0,1,2,4,8';

/** `thoughtline evaluate DIR…`: texts cut out of files of repositories, and how well they are written again. */
export async function evaluateRepositories(folders: readonly string[], values: EvaluationArguments): Promise<number> {
  const count = wholeNumber('--items', values.items ?? String(DEFAULT_ITEMS), 1, 100_000);
  const seed = wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 32 - 1);
  const steps = [...new Set([0, USUAL_STEPS, ...stepList(values.steps ?? DEFAULT_STEPS)])].sort((a, b) => a - b);
  const repositories = await readRepositories(folders, values.each);
  const random = randomFrom(seed);
  const items = shuffle(chooseItems(repositories, count, random), random);
  if (items.length === 0) throw new UserError('nothing can be cut out of these files; give larger repositories');

  const engine = await openEngine(values, { trainedChunks: true });
  const plain = values.plain === undefined ? undefined : await openPlain(values.plain, values.device);
  const ways = values.families ? familyWays() : stepWays(steps);
  const references = values.families ? { prior: 'z0', usual: 'z' } : { prior: 'T=0', usual: `T=${USUAL_STEPS}` };
  const measurer = new Measurer(engine, ways, plain);
  const bar = new ProgressBar('evaluating', items.length);
  const measured: Measured[] = [];
  for (const item of items) {
    measured.push(await measurer.measure(item));
    bar.update(measured.length);
  }
  bar.clear();
  const { name, version } = engine.bundle.manifest;
  const summary = summarise(measured, ways, references);
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
  console.log(values.json ? JSON.stringify(report, null, 2) : markdown(summary));
  return 0;
}

function openPlain(directory: string, device: string | undefined): Promise<Engine> {
  return Engine.open(resolve(directory), { device: deviceOption(device), trainedChunks: true });
}
