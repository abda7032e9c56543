import { basename } from 'node:path';
import type { AdoptedDecoder } from './architecture';
import type { Gguf } from './gguf';
import type { Recipe } from './recipe';

/** Whose weights they are. */
export interface Origin {
  readonly title: string;
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
  const facts = [
    ['file', basename(path)],
    ['model', origin?.title ?? said('general.name')],
    ['licence', origin?.licence ?? said('general.license')],
    ['copyright', origin?.copyright ?? said('general.author') ?? said('general.organization')],
    ['published', origin?.page ?? said('general.source.url')],
    ['decoder', `${shape.layers} layers of ${shape.width}, ${shape.heads} heads, ${shape.kvHeads} of keys and values`],
    ['vocabulary', String(shape.vocabulary)],
  ].flatMap(([field, value]) => (value === undefined ? [] : [`| ${field} | ${value} |`]));
  const rows = Object.entries(recipe).map(([kind, { bits, block }]) => `| ${kind} | ${bits} | ${block} |`);
  return [
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
    '## Weights',
    '',
    '| matrix | bits | numbers a scale |',
    '| --- | --- | --- |',
    ...rows,
    '',
    ...(origin?.measured === undefined ? [] : [origin.measured, '']),
  ].join('\n');
}
