import { isAbsolute } from 'node:path';
import { CONFIDENCE_LEVELS, defaultSettings, devices, models, type Settings } from '../settings';

type Check<K extends keyof Settings> = { accepts: (value: unknown) => boolean; remedy: string; name: K };

const whole = (from: number, to: number) => (value: unknown) =>
  typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to;

const checks: { [K in keyof Settings]: Check<K> } = {
  enable: { name: 'enable', accepts: (value) => typeof value === 'boolean', remedy: 'use true or false' },
  inferenceSteps: { name: 'inferenceSteps', accepts: whole(0, 32), remedy: 'use a whole number from 0 to 32' },
  device: {
    name: 'device',
    accepts: (value) => (devices as readonly unknown[]).includes(value),
    remedy: `use one of ${devices.join(', ')}`,
  },
  model: {
    name: 'model',
    accepts: (value) =>
      typeof value === 'string' && ((models as readonly string[]).includes(value) || isAbsolute(value)),
    remedy: `use one of ${models.join(', ')}, or the absolute path of a folder with a manifest.json`,
  },
  maxLines: { name: 'maxLines', accepts: whole(1, 64), remedy: 'use a whole number from 1 to 64' },
  memory: { name: 'memory', accepts: (value) => typeof value === 'boolean', remedy: 'use true or false' },
  workspaceMemory: {
    name: 'workspaceMemory',
    accepts: (value) => typeof value === 'boolean',
    remedy: 'use true or false',
  },
  syntaxCheck: { name: 'syntaxCheck', accepts: (value) => typeof value === 'boolean', remedy: 'use true or false' },
  confidence: {
    name: 'confidence',
    accepts: (value) => (CONFIDENCE_LEVELS as readonly unknown[]).includes(value),
    remedy: `use one of ${CONFIDENCE_LEVELS.join(', ')}`,
  },
  languages: {
    name: 'languages',
    accepts: (value) => isRecord(value) && Object.values(value).every((on) => typeof on === 'boolean'),
    remedy: 'use an object of language identifiers with true or false',
  },
  commentsAndStrings: {
    name: 'commentsAndStrings',
    accepts: (value) => typeof value === 'boolean',
    remedy: 'use true or false',
  },
  debounceMax: {
    name: 'debounceMax',
    accepts: whole(0, 2000),
    remedy: 'use a whole number of milliseconds, 0 to 2000',
  },
  timeBudget: {
    name: 'timeBudget',
    accepts: whole(0, 10_000),
    remedy: 'use a whole number of milliseconds, 0 to 10000',
  },
  threads: { name: 'threads', accepts: whole(0, 64), remedy: 'use a whole number from 0 to 64' },
};

/**
 * Settings as a client sent them, made whole: what is missing gets its default silently, what is not acceptable gets
 * its default and one line in `problems` that names the setting, the value and the remedy. What is no setting
 * is passed over: a file may still name one that was removed.
 */
export function readSettings(given: unknown): { settings: Settings; problems: string[] } {
  const problems: string[] = [];
  const source = isRecord(given) ? given : {};
  if (given !== undefined && given !== null && !isRecord(given)) {
    problems.push(`settings: ${show(given)} is not an object; the defaults serve`);
  }
  const read = <K extends keyof Settings>(check: Check<K>): Settings[K] => {
    const { name } = check;
    const value = source[name] ?? undefined;
    if (value === undefined) return defaultSettings[name];
    if (check.accepts(value)) return value as Settings[K];
    const instead = show(defaultSettings[name]);
    problems.push(`thoughtline.${name}: ${show(value)} is not accepted: ${check.remedy} (${instead} serves)`);
    return defaultSettings[name];
  };
  const settings: Settings = {
    enable: read(checks.enable),
    inferenceSteps: read(checks.inferenceSteps),
    device: read(checks.device),
    model: read(checks.model),
    maxLines: read(checks.maxLines),
    memory: read(checks.memory),
    workspaceMemory: read(checks.workspaceMemory),
    syntaxCheck: read(checks.syntaxCheck),
    confidence: read(checks.confidence),
    languages: { ...defaultSettings.languages, ...read(checks.languages) },
    commentsAndStrings: read(checks.commentsAndStrings),
    debounceMax: read(checks.debounceMax),
    timeBudget: read(checks.timeBudget),
    threads: read(checks.threads),
  };
  return { settings, problems };
}

/** The folder that a client gives for what is kept between sessions; undefined for what is not an absolute path. */
export function readStorage(given: unknown): string | undefined {
  return typeof given === 'string' && isAbsolute(given) ? given : undefined;
}

/** Whether suggestions are on for a language identifier: its own entry, else that of `*`. */
export function languageEnabled(languages: Record<string, boolean>, languageId: string): boolean {
  return (Object.hasOwn(languages, languageId) ? languages[languageId] : languages['*']) ?? true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
