import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { obtainedCoder } from '../adopt/sources/coder';
import { Engine, type EngineOptions } from '../completion/engine';
import { UserError } from '../model/errors';
import { deviceOption, wholeNumber } from './arguments';
import { ProgressBar } from './progress';

export interface ModelArguments {
  readonly model?: string | undefined;
  readonly device?: string | undefined;
  readonly threads?: string | undefined;
}

/** A file that comes with the program: models/PATH in the nearest folder above it that has one. */
export function shippedFile(path: string, from = __dirname): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, 'models', path);
    if (existsSync(file)) return file;
    if (dirname(folder) === folder) return undefined;
  }
}

/** The bundle that comes with the program. */
export function shippedBundle(name = 'nano', from = __dirname): string {
  const manifest = shippedFile(join(name, 'manifest.json'), from);
  if (manifest !== undefined) return dirname(manifest);
  throw new UserError(`models/${name}: the model that comes with Thoughtline is missing; give one with --model DIR`);
}

/** The folder that `--model` means: `nano`, which comes with the program, `coder`, which can be got, or a folder. */
export function bundleFolder(model = 'nano'): string {
  if (model === 'nano') return shippedBundle();
  return model === 'coder' ? obtainedCoder() : resolve(model);
}

/** Opens the engine that the arguments ask for, with a progress bar while it loads. */
export async function openEngine(
  options: ModelArguments,
  how: Pick<EngineOptions, 'measureAll' | 'trainedChunks' | 'windows'> = {},
): Promise<Engine> {
  const device = deviceOption(options.device);
  const threads = options.threads === undefined ? undefined : wholeNumber('--threads', options.threads, 1, 256);
  const bar = new ProgressBar('loading', 1);
  try {
    return await Engine.open(bundleFolder(options.model), {
      device,
      threads,
      ...how,
      onProgress: (fraction, what) => bar.update(fraction, what),
    });
  } finally {
    bar.clear();
  }
}
