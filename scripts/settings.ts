/**
 * Writes what is made of the table of settings (src/settings.ts): the block in package.json, and docs/settings.md.
 *   node --import=tsx scripts/settings.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { groupOf, GROUPS, models, RETIRED, SETTINGS, type Schema, type Scope, type Setting } from '../src/settings';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Property extends Schema {
  readonly order: number;
  readonly default: unknown;
  readonly scope: Scope;
  readonly markdownDescription: string;
  readonly markdownEnumDescriptions?: string[];
  readonly markdownDeprecationMessage?: string;
}

interface Category {
  readonly title: string;
  readonly order: number;
  readonly properties: Record<string, Property>;
}

/** `contributes.configuration` of package.json: a category of settings for each group. */
export function configuration(): Category[] {
  return Object.keys(GROUPS).map((group, i) => ({
    title: `%settings.group.${group}%`,
    order: i + 1,
    properties: Object.fromEntries(
      Object.entries(properties()).filter(([name]) => groupOf(name.replace('thoughtline.', '')) === group),
    ),
  }));
}

/** All of them, by name. */
export function properties(): Record<string, Property> {
  const offered = Object.entries({ ...SETTINGS, ...RETIRED }).map(([name, setting], i) => {
    const { default: value, scope } = setting;
    const schema: Schema = setting.schema;
    const property: Property = {
      order: i + 1,
      ...schema,
      ...(schema.enum && { markdownEnumDescriptions: schema.enum.map((word) => `%settings.${name}.${word}%`) }),
      default: value,
      scope,
      markdownDescription: `%settings.${name}%`,
      ...(name in RETIRED && { markdownDeprecationMessage: `%settings.${name}.deprecated%` }),
    };
    return [`thoughtline.${name}`, property] as const;
  });
  return Object.fromEntries(offered);
}

/** `restrictedConfigurations`: what a workspace that is not trusted cannot set, since it decides which code runs. */
export function restricted(): string[] {
  return Object.entries(properties()).flatMap(([name, { scope }]) => (scope.startsWith('machine') ? [name] : []));
}

const WHERE: Readonly<Record<Scope, string>> = {
  window: '',
  resource: 'Can be set for a folder.',
  'language-overridable': 'Can be set for a folder and for a language (`"[python]": { … }`).',
  'machine-overridable': 'A workspace that is not trusted cannot set it.',
  machine: 'No workspace can set it.',
};

type Described = Pick<Setting<unknown>, 'default' | 'scope' | 'schema'>;

/** docs/settings.md. @param texts those of package.nls.json */
export async function page(texts: Readonly<Record<string, string>>): Promise<string> {
  const section = (name: string, setting: Described): string => {
    const { schema } = setting;
    const words = (schema.enum ?? []).map((word) =>
      sentences(`- \`${word}\`: ${texts[`settings.${name}.${word}`]}`).replaceAll('\n', '\n  '),
    );
    return [
      `### \`thoughtline.${name}\``,
      [defaultOf(setting.default), valuesOf(name, schema), WHERE[setting.scope]].filter(Boolean).join('\n'),
      sentences(texts[`settings.${name}`] ?? ''),
      ...(words.length > 0 ? [words.join('\n')] : []),
    ].join('\n\n');
  };
  const sections = Object.keys(GROUPS).flatMap((group) => [
    `## ${texts[`settings.group.${group}`]}`,
    ...Object.entries<Described>(SETTINGS).flatMap(([name, setting]) =>
      groupOf(name) === group ? [section(name, setting)] : [],
    ),
  ]);
  const intro = 'Written by `scripts/settings.ts` from `src/settings.ts` and `package.nls.json`.';
  const text = ['# Settings', intro, ...sections].join('\n\n');
  const config = await resolveConfig(join(root, 'docs', 'settings.md'));
  return format(text, { ...config, parser: 'markdown' });
}

/** On one line, or as a block where that would be a long one. */
function defaultOf(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length < 100
    ? `Default: \`${text}\`.`
    : `Default:\n\n\`\`\`json\n${JSON.stringify(value, undefined, 2)}\n\`\`\`\n`;
}

function valuesOf(name: string, { minimum, maximum }: Schema): string {
  if (minimum !== undefined) return `From ${minimum} to ${maximum}.`;
  return name === 'model' ? `One of ${models.map((word) => `\`${word}\``).join(', ')}, or a folder.` : '';
}

/** One sentence a line, long ones in several of at most 120 columns. */
function sentences(text: string): string {
  const lines = text.split(/(?<=[.!?]) (?=[A-Z`*])/).flatMap((sentence) => {
    const wrapped = [''];
    for (const word of sentence.split(' ')) {
      const line = `${wrapped.at(-1)} ${word}`.trimStart();
      if (line.length > 120) wrapped.push(word);
      else wrapped[wrapped.length - 1] = line;
    }
    return wrapped;
  });
  return lines.join('\n');
}

async function write(): Promise<void> {
  const path = join(root, 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as {
    capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
    contributes: { configuration: unknown };
  };
  manifest.contributes.configuration = configuration();
  manifest.capabilities.untrustedWorkspaces.restrictedConfigurations = restricted();
  writeFileSync(path, `${JSON.stringify(manifest, undefined, 2)}\n`);
  const texts = JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8')) as Record<string, string>;
  writeFileSync(join(root, 'docs', 'settings.md'), await page(texts));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) void write();
