/** What the commands share that fit something to a model. */
import type { CompletionRequest, Engine, Thought } from '../src/completion/engine';
import { randomFrom } from '../src/model/random';
import { MODEL_OPTIONS, MODEL_USAGE, parse, stepsOption, wholeNumber } from '../src/cli/arguments';
import { UsageError } from '../src/cli/command';
import { chooseSites } from './evaluation/items';
import { readRepositories } from './evaluation/repository';
import { readScoreItems, type ScoreItem } from '../src/cli/jsonl';
import { ProgressBar } from '../src/cli/progress';
import { compacted, keepExamples, keptExamples } from './exampleFile';
import { mixtureExamples, type MixtureExample } from './engineMeasures';
import { thoughtAfter } from './thoughts';

const DEFAULT_ITEMS = 200;

/** Lines of a usage: where the items come from, and the options. */
export const FIT_USAGE = `  The items are of texts that neither training nor any measurement uses.

  --each DIR        every folder in DIR is a repository: texts are cut out of its files as \`evaluate\` does
  --items N         how many (default: ${DEFAULT_ITEMS})
  --seed S          which (default: 1)
  --jsonl IN        or these: {"id","path","prefix","suffix","related":[{"path","text"}],"target"} a line
  --examples FILE   what the model knew of each token: from there, if it is there; else it is kept there, for other fits
  --steps N         steps of thought before each target (default: 4)
  --write           write the weights into the model's manifest.json (without it they are printed only)
  --note TEXT       what the items are, for the manifest
${MODEL_USAGE}`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  jsonl: { type: 'string' },
  each: { type: 'string' },
  items: { type: 'string' },
  seed: { type: 'string' },
  examples: { type: 'string' },
  knn: { type: 'string' },
  steps: { type: 'string' },
  write: { type: 'boolean' },
  note: { type: 'string' },
} as const;

/** The arguments of a command that fits. @throws UsageError if they are none */
export function fitArguments(name: string, args: readonly string[]) {
  const { values, positionals } = parse(args, OPTIONS);
  if (positionals.length > 0) throw new UsageError(`${positionals[0]}: not an argument of ${name}`);
  if ((values.jsonl === undefined) === (values.each === undefined))
    throw new UsageError('give --each DIR or --jsonl IN');
  const count = wholeNumber('--items', values.items ?? String(DEFAULT_ITEMS), 1, 100_000);
  const seed = wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 32 - 1);
  return {
    values,
    steps: stepsOption(values.steps) ?? 4,
    source: { jsonl: values.jsonl, each: values.each, count, seed },
  };
}

export type ItemSource = ReturnType<typeof fitArguments>['source'];

/** An item, and the request whose thought it is completed under: of texts cut out of one place that is one, as in `evaluate`. */
export interface FitItem extends ScoreItem {
  readonly about: CompletionRequest;
}

/** The thought of each item in turn; of items about one request, which come one after the other, steps are taken once. */
export async function* underThoughts(engine: Engine, items: readonly FitItem[], steps: number) {
  let last: { about: CompletionRequest; thought: Thought } | undefined;
  for (const item of items) {
    const { about } = item;
    if (last?.about !== about) last = { about, thought: await thoughtAfter(engine, about, steps) };
    yield { item, thought: last.thought };
  }
}

/**
 * The tokens of all items' targets with what is known of each, before steps of thought and after them: the first suggestions
 * come before a thought is there, and what is fitted is to serve both.
 * @param memory whether the lookup memory is used, too, or the kNN cache alone
 * @param file where they are kept
 */
export async function collectExamples(
  engine: Engine,
  { source, steps, memory, file }: { source: ItemSource; steps: number; memory: boolean; file: string | undefined },
): Promise<{ examples: MixtureExample[]; items: number; bad: number }> {
  const { sha256: model } = engine.bundle.manifest.files.weights;
  const kept = file === undefined ? undefined : await keptExamples(file, model);
  if (kept) return { ...kept, bad: 0 };
  const { items, bad } = await fitItems(source);
  const bar = new ProgressBar('reading', items.length);
  const examples: MixtureExample[] = [];
  for await (const { item, thought } of underThoughts(engine, items, steps)) {
    for (const one of engine.readsThought ? new Set([engine.prior, thought]) : [engine.prior]) {
      const found = await mixtureExamples(engine, item, item.target, one, memory);
      // The logits of all of them would be gigabytes.
      examples.push(...found.map((example) => compacted(example)));
    }
    bar.update(items.indexOf(item) + 1);
  }
  bar.clear();
  if (file !== undefined) await keepExamples(file, model, items.length, examples);
  return { examples, items: items.length, bad };
}

/** The items to fit to, and how many lines of a file were none. */
export async function fitItems({ jsonl, each, count, seed }: ItemSource): Promise<{ items: FitItem[]; bad: number }> {
  if (jsonl !== undefined) {
    const { items, bad } = await readScoreItems(jsonl);
    return { items: items.map((item) => ({ ...item, about: item })), bad };
  }
  const sites = chooseSites(await readRepositories([], each), count, randomFrom(seed));
  const chosen = sites.flatMap(({ request: about, items: cut }) => cut.map((item) => ({ ...item, about })));
  const items = chosen.map(({ repository, request, target, about }, number) => {
    const { path, prefix, suffix, related = [] } = request;
    return { id: `${repository} ${number}`, path, prefix, suffix, related: [...related], target, about };
  });
  return { items, bad: 0 };
}

/** Numbers with five significant digits: more than they are worth. */
export function fiveDigits<Weights>(weights: Weights): Weights {
  const text = JSON.stringify(weights, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(5)) : value,
  );
  return JSON.parse(text) as Weights;
}
