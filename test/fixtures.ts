import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pieces } from '../src/model/pieces';
import { Tokenizer } from '../src/model/tokenizer';

export const ROOT = join(__dirname, '..');

/** Copies of sources that do not change with the project: what tests read as somebody's code. */
export const FROZEN = join(ROOT, 'test', 'fixtures', 'frozen');

/** Thirty more, whose paths are written as names. */
export const SOURCES = join(ROOT, 'test', 'fixtures', 'sources');

/** A bundle with random weights in the same format: for what depends on the format only. */
export const TINY = join(ROOT, 'models', 'tiny');

/** The trained bundle that comes with Thoughtline. */
export const NANO = join(ROOT, 'models', 'nano');

/** Whether tests use the trained bundle, too: `npm test` has the tiny one alone. */
export const hasNano = process.env['THOUGHTLINE_TEST_BUNDLES'] !== 'tiny' && existsSync(join(NANO, 'manifest.json'));

let tokenizer: Tokenizer | undefined;

/** The tokenizer of the tiny bundle. */
export function tinyTokenizer(): Tokenizer {
  return (tokenizer ??= new Tokenizer(readFileSync(join(TINY, 'tokenizer.json'), 'utf8')));
}

/** A small tokenizer that cuts texts as Qwen2 does. */
export function qwen2Tokenizer(pieces?: Pieces): Tokenizer {
  return new Tokenizer(qwen2TokenizerFile(), pieces);
}

/** The same with ids from this many on, its special tokens left out. */
export function largeTokenizer(first: number): Tokenizer {
  const file = JSON.parse(qwen2TokenizerFile()) as { model: { vocab: Record<string, number> } };
  const text = Object.entries(file.model.vocab).filter(([, id]) => id > SPECIAL.end);
  file.model.vocab = Object.fromEntries(text.map(([token, id]) => [token, first + id]));
  return new Tokenizer(JSON.stringify(file));
}

function qwen2TokenizerFile(): string {
  return readFileSync(join(ROOT, 'test', 'fixtures', 'qwen2-tokenizer.json'), 'utf8');
}

export const SPECIAL = { pad: 0, file: 1, suffix: 2, prefix: 3, end: 4 } as const;
