import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../model/errors';

/**
 * A file of `models/` in the nearest folder above this program that has it.
 * @throws UserError if there is none
 */
export function shipped(name: string, from = __dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'models', name);
    if (existsSync(path)) return path;
    if (dirname(folder) === folder) throw new UserError(`models/${name}: file is missing; install Thoughtline again`);
  }
}
