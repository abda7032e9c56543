/**
 * The user's settings, `thoughtline.*` in VS Code, each defined once. Both readers, the checks, the block in package.json
 * and docs/settings.md are made of this table (`node --import=tsx scripts/settings.ts`).
 */
import { isAbsolute } from 'node:path';
import { endpointBase } from './api/address';
import { CONFIDENCE_LEVELS, DEFAULTS, type ConfidenceLevel } from './completion/options';
import { isRecord } from './json';
import { DEVICES } from './model/executionProviders';

export { CONFIDENCE_LEVELS };

/** Where a value may be set: VS Code's scopes. What is `machine` no workspace can set. */
export type Scope = 'window' | 'resource' | 'language-overridable' | 'machine-overridable' | 'machine';

/** The values of a setting as package.json describes them. */
export interface Schema {
  readonly type: 'boolean' | 'integer' | 'string' | 'object' | readonly ['integer', 'null'];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly additionalProperties?: { readonly type: 'boolean' };
}

/** One setting. Its description is `settings.NAME` in package.nls.json, those of its words are `settings.NAME.WORD`. */
export interface Setting<Value> {
  readonly default: Value;
  readonly scope: Scope;
  readonly schema: Schema;
  readonly accepts: (value: unknown) => boolean;
  /** What to write in place of a value that is not accepted. */
  readonly remedy: string;
}

export type DeviceName = (typeof DEVICES)[number];

/** When suggestions are made: while typing; while typing, outside of comments and strings; when triggered manually. */
export const TRIGGERS = ['automatic', 'code', 'manual'] as const;
export type Trigger = (typeof TRIGGERS)[number];

/** Whose texts names are looked up in: source files of the workspace and open files; open files; none. */
export const MEMORIES = ['workspace', 'openFiles', 'off'] as const;
export type Memory = (typeof MEMORIES)[number];

/** What happens where another extension suggests, too: the faster one is shown; ours waits; ours is triggered manually. */
export const BESIDE = ['race', 'yield', 'manual'] as const;
export type Beside = (typeof BESIDE)[number];

/** What `model` can be besides the folder of a bundle: what suits the machine, what comes along, what can be got. */
export const models = ['auto', 'nano', 'coder'] as const;

/** A setting of a kind of its own. */
const own = <Value>(setting: Setting<Value>): Setting<Value> => setting;

const isOneOf = (words: readonly string[]) => (value: unknown) => (words as readonly unknown[]).includes(value);

const flag = (value: boolean, scope: Scope = 'window'): Setting<boolean> => ({
  default: value,
  scope,
  schema: { type: 'boolean' },
  accepts: (given) => typeof given === 'boolean',
  remedy: 'use true or false',
});

const whole = (value: number, [minimum, maximum]: readonly [number, number], scope: Scope = 'window') => ({
  default: value,
  scope,
  schema: { type: 'integer', minimum, maximum } as const,
  accepts: (given: unknown) =>
    typeof given === 'number' && Number.isInteger(given) && given >= minimum && given <= maximum,
  remedy: `use a whole number from ${minimum} to ${maximum}`,
});

/** The same, or `null`: then it is what suits. */
const wholeOrNull = (limits: readonly [number, number]): Setting<number | null> => {
  const given = whole(0, limits);
  return {
    ...given,
    default: null,
    schema: { ...given.schema, type: ['integer', 'null'] },
    accepts: (value) => value === null || given.accepts(value),
    remedy: `${given.remedy}, or null`,
  };
};

const choice = <Word extends string>(value: Word, words: readonly Word[], scope: Scope = 'window'): Setting<Word> => ({
  default: value,
  scope,
  schema: { type: 'string', enum: words },
  accepts: isOneOf(words),
  remedy: `use one of ${words.join(', ')}`,
});

/** Something → on or off. */
const switches = (value: Record<string, boolean>, of: string): Setting<Record<string, boolean>> => ({
  default: value,
  scope: 'resource',
  schema: { type: 'object', additionalProperties: { type: 'boolean' } },
  accepts: (given) => isRecord(given) && Object.values(given).every((on) => typeof on === 'boolean'),
  remedy: `use an object of ${of} with true or false`,
});

/** In the order in which they are shown. */
export const SETTINGS = {
  enable: flag(true),
  trigger: choice<Trigger>('automatic', TRIGGERS, 'language-overridable'),
  /** Language identifier → on or off; `*` stands for every language that is not named. */
  languages: switches(
    { '*': true, plaintext: false, markdown: false, scminput: false, dotenv: false },
    'language identifiers',
  ),
  /** Files that are neither completed nor read for others, by globs as in `files.exclude`. */
  exclude: switches(
    {
      '**/.env*': true,
      '**/*.{pem,key,p12,pfx}': true,
      '**/*.{tfvars,tfstate}': true,
      '**/secrets.{json,toml,yaml,yml}': true,
    },
    'globs',
  ),
  /** What happens where GitHub Copilot suggests, too. */
  besideCopilot: choice<Beside>('race', BESIDE),
  /** Whether names of an accepted suggestion get their imports: TypeScript, JavaScript, Python. */
  imports: flag(true, 'resource'),
  /** Longest suggestion, in lines. */
  maxLines: whole(DEFAULTS.maxLines, [1, 64], 'language-overridable'),
  /** Gradient steps of the thought on a file; 0 means "no thinking", null as many as pay with the model at work. */
  inferenceSteps: wholeOrNull([0, DEFAULTS.maxSteps]),
  /** In which files is looked up what followed the same words, to be mixed with what the model predicts. */
  memory: choice<Memory>('workspace', MEMORIES),
  /** How sure the model must be of an automatic suggestion. */
  confidence: choice<ConfidenceLevel>('usual', CONFIDENCE_LEVELS),
  /** Which next edits are offered: where a renamed name still stands, or an edit can be made again. */
  nextEdits: choice<'off' | 'rename' | 'all'>('all', ['off', 'rename', 'all']),
  /** Milliseconds after which an automatic suggestion is shown as far as it has been written; 0 = when it is whole. */
  timeBudget: whole(600, [0, 10_000]),
  device: choice<DeviceName>('auto', DEVICES, 'machine-overridable'),
  /** One of `models`, or the absolute path of a bundle's folder. */
  model: own<string>({
    default: 'auto',
    scope: 'machine',
    schema: { type: 'string' },
    accepts: (given: unknown) => isOneOf(models)(given) || (typeof given === 'string' && isAbsolute(given)),
    remedy: `use one of ${models.join(', ')}, or the absolute path of a folder with a manifest.json`,
  }),
  /** Address of a server of the completions API that writes instead of the code model; empty: none. */
  endpoint: own<string>({
    default: '',
    scope: 'machine',
    schema: { type: 'string' },
    accepts: (given: unknown) => given === '' || (typeof given === 'string' && endpointBase(given) !== undefined),
    remedy: 'use an address with https://, or http:// of this machine, without user, password or query',
  }),
} satisfies Record<string, Setting<unknown>>;

/**
 * Settings of older versions, whose values are carried over: `modelPath` when the extension starts (it stays so that no
 * workspace can set it), the others whenever settings are read (`carriedOver`).
 */
export const RETIRED = {
  modelPath: { default: '', scope: 'machine', schema: { type: 'string' } },
  commentsAndStrings: { default: true, scope: 'language-overridable', schema: { type: 'boolean' } },
  workspaceMemory: { default: true, scope: 'window', schema: { type: 'boolean' } },
} satisfies Record<string, Pick<Setting<unknown>, 'default' | 'scope' | 'schema'>>;

export type SettingName = keyof typeof SETTINGS;

/** How settings are grouped where they are shown, in this order; what is named in no group is in the first one. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  suggestions: [],
  context: ['inferenceSteps', 'memory', 'workspaceMemory'],
  model: ['model', 'device', 'endpoint', 'modelPath'],
};

/** The group of a setting. */
export function groupOf(name: string): string {
  return Object.keys(GROUPS).find((group) => GROUPS[group]?.includes(name)) ?? 'suggestions';
}
export type Settings = { -readonly [Name in SettingName]: (typeof SETTINGS)[Name]['default'] };

/** Settings that may differ from document to document: by folder, and by language. */
export type DocumentSettings = Pick<Settings, 'maxLines' | 'languages' | 'exclude' | 'trigger'>;

export const settingNames = Object.keys(SETTINGS) as SettingName[];

/** Settings whose values are what a function says of each name. */
export function settingsOf(value: (name: SettingName) => unknown): Settings {
  return Object.fromEntries(settingNames.map((name) => [name, value(name)])) as unknown as Settings;
}

export const defaultSettings: Readonly<Settings> = settingsOf((name) => SETTINGS[name].default);

/** Settings as they are written, in today's words. */
export function carriedOver(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { commentsAndStrings, workspaceMemory, ...others } = given;
  const now: Record<string, unknown> = others;
  delete now['modelPath'];
  if (commentsAndStrings === false && (now['trigger'] ?? 'automatic') === 'automatic') now['trigger'] = 'code';
  if (now['memory'] === false) now['memory'] = 'off';
  if (now['memory'] === true) now['memory'] = 'workspace';
  if (workspaceMemory === false && (now['memory'] ?? 'workspace') === 'workspace') now['memory'] = 'openFiles';
  return now;
}

/** Whether suggestions are on for a language: its own entry decides, else that of `*`. */
export function languageEnabled(languages: unknown, languageId: string): boolean {
  if (!isRecord(languages)) return true;
  return (Object.hasOwn(languages, languageId) ? languages[languageId] : languages['*']) !== false;
}
