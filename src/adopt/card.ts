import { basename } from 'node:path';
import type { AdoptedDecoder } from './architecture';
import type { Gguf } from './gguf';
import type { Recipe } from './recipe';

/** Whose weights they are. */
export interface Origin {
  readonly title: string;
  /** The model that was changed, by its name on Hugging Face. */
  readonly base?: string | undefined;
  /** Licence by its SPDX identifier. */
  readonly licence: string;
  readonly copyright: string;
  /** Where the weights were published, in words. */
  readonly page: string;
  /** What was changed, as the licence asks. */
  readonly notice: string;
  /** The licence's text. */
  readonly text: string;
  /** Further Markdown: what was measured. */
  readonly measured?: string | undefined;
}

/** What a bundle is for, and what not: the same for every adopted model. */
const USE = `## Intended use

Completing code at a cursor, as somebody types it, in Thoughtline (\`--model DIR\`, \`thoughtline.model\`): its graphs and
\`manifest.json\` are Thoughtline's own, so no other library loads the folder as it is.
Suggestions are for a person to judge.

Not intended: conversation, code that runs without being read, decisions about people.
What the model was trained on, and what it gets wrong, is told by those who made it.
`;

/** Front matter as Hugging Face reads it; JSON is YAML, so that nothing that a file says can be anything but text. */
function frontMatter(licence: string | undefined, base: string | undefined): string[] {
  const fields = {
    license: licence?.toLowerCase() ?? 'other',
    library_name: 'onnx',
    pipeline_tag: 'text-generation',
    language: ['code'],
    tags: ['code', 'code-completion', 'fill-in-the-middle', 'onnx', 'thoughtline'],
    ...(base !== undefined && { base_model: base }),
  };
  return ['---', ...Object.entries(fields).map(([name, value]) => `${name}: ${JSON.stringify(value)}`), '---', ''];
}

/** The card of an adopted bundle, in Markdown. */
export function cardOf(
  name: string,
  { path, metadata }: Pick<Gguf, 'path' | 'metadata'>,
  { shape }: Pick<AdoptedDecoder, 'shape'>,
  recipe: Recipe,
  origin?: Origin,
): string {
  const said = (field: string) => {
    const value = metadata.get(field);
    return typeof value === 'string' && value !== '' ? value.replaceAll(/\s+/g, ' ').slice(0, 200) : undefined;
  };
  const licence = origin?.licence ?? said('general.license');
  const facts = [
    ['file', basename(path)],
    ['model', origin?.title ?? said('general.name')],
    ['licence', licence],
    ['copyright', origin?.copyright ?? said('general.author') ?? said('general.organization')],
    ['published', origin?.page ?? said('general.source.url')],
    ['decoder', `${shape.layers} layers of ${shape.width}, ${shape.heads} heads, ${shape.kvHeads} of keys and values`],
    ['vocabulary', String(shape.vocabulary)],
  ].flatMap(([field, value]) => (value === undefined ? [] : [`| ${field} | ${value} |`]));
  const rows = Object.entries(recipe).map(([kind, { bits, block }]) => `| ${kind} | ${bits} | ${block} |`);
  return [
    ...frontMatter(licence, origin?.base),
    `# ${name}`,
    '',
    'A bundle of Thoughtline, made of a GGUF file by `thoughtline adopt`.',
    '',
    '| | |',
    '| --- | --- |',
    ...facts,
    '',
    ...(origin
      ? [origin.notice, '']
      : ['The licence of the weights is that of the file; nobody but you has checked it.', '']),
    USE,
    '## Weights',
    '',
    '| matrix | bits | numbers a scale |',
    '| --- | --- | --- |',
    ...rows,
    '',
    ...(origin?.measured === undefined ? [] : [origin.measured, '']),
  ].join('\n');
}
