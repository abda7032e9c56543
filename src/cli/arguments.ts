import { parseArgs, type ParseArgsConfig } from 'node:util';
import { DEFAULTS } from '../completion/engine';
import { DEVICES } from '../model/executionProviders';
import type { DeviceSetting } from '../model/providers';
import { UsageError } from './command';

/** `parseArgs` of node:util, strict, with errors for people. */
export function parse<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0] ?? 'unknown arguments');
  }
}

/** Options of every command that opens a model. */
export const MODEL_OPTIONS = {
  model: { type: 'string' },
  device: { type: 'string' },
  threads: { type: 'string' },
} as const;

export const MODEL_USAGE = `  --model MODEL     nano (the default), coder ("thoughtline adopt coder" gets it), or a bundle's folder
  --device D        ${DEVICES.join(', ')} (default: auto)
  --threads N       threads of one run (default: one for each physical core, at most 4)`;

export function deviceOption(value: string | undefined): DeviceSetting {
  const device = DEVICES.find((name) => name === (value ?? 'auto'));
  if (!device) throw new UsageError(`--device ${value}: use one of ${DEVICES.join(', ')}`);
  return device;
}

/** @param name of the option, with its dashes */
export function stepsOption(value: string | undefined): number | undefined {
  return value === undefined ? undefined : wholeNumber('--steps', value, 0, DEFAULTS.maxSteps);
}

/** @param name of the option, with its dashes */
export function switchOption(name: string, value: string | undefined, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  return oneOf(name, value, ['on', 'off']) === 'on';
}

/** @throws UsageError naming the option and what it can be */
export function oneOf<Word extends string>(name: string, value: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === value);
  if (found === undefined)
    throw new UsageError(`${name} ${value}: use ${words.join(words.length > 2 ? ', ' : ' or ')}`);
  return found;
}

/** @throws UsageError naming the option and its range */
export function wholeNumber(name: string, value: string, min: number, max: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) {
    throw new UsageError(`${name} ${value}: use a whole number from ${min} to ${max}`);
  }
  return number;
}
