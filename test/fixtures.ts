import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '../src/model/tokenizer';

export const ROOT = join(__dirname, '..');

/** A bundle with random weights in the same format: for what depends on the format only. */
export const TINY = join(ROOT, 'models', 'tiny');

/** The trained bundle that comes with Thoughtline. */
export const NANO = join(ROOT, 'models', 'nano');

export const hasNano = existsSync(join(NANO, 'manifest.json'));

let tokenizer: Tokenizer | undefined;

/** The tokenizer of the tiny bundle. */
export function tinyTokenizer(): Tokenizer {
  return (tokenizer ??= new Tokenizer(readFileSync(join(TINY, 'tokenizer.json'), 'utf8')));
}

export const SPECIAL = { pad: 0, file: 1, suffix: 2, prefix: 3, end: 4 } as const;
