/** What the commands share that fit something to a model. */
import { DEFAULTS } from '../completion/engine';
import { MODEL_OPTIONS, MODEL_USAGE, parse, stepsOption } from './arguments';
import { UsageError } from './command';

/** Lines of a usage: the options, after the one that names the items. */
export const FIT_USAGE = `  --steps N         steps of thought before each target (default: ${DEFAULTS.steps})
  --write           write the weights into the model's manifest.json (without it they are printed only)
  --note TEXT       what the items are, for the manifest
${MODEL_USAGE}`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  jsonl: { type: 'string' },
  steps: { type: 'string' },
  write: { type: 'boolean' },
  note: { type: 'string' },
} as const;

/** The arguments of a command that fits. @throws UsageError if they are none */
export function fitArguments(name: string, args: readonly string[]) {
  const { values, positionals } = parse(args, OPTIONS);
  if (positionals.length > 0) throw new UsageError(`${positionals[0]}: not an argument of ${name}`);
  const { jsonl } = values;
  if (jsonl === undefined) throw new UsageError('give --jsonl IN');
  return { values, jsonl, steps: stepsOption(values.steps) };
}

/** Numbers with five significant digits: more than they are worth. */
export function fiveDigits<Weights>(weights: Weights): Weights {
  const text = JSON.stringify(weights, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(5)) : value,
  );
  return JSON.parse(text) as Weights;
}
