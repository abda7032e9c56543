import { basename, resolve } from 'node:path';
import { adopt as adoptFile } from '../adopt/adopt';
import { parse } from './arguments';
import { UsageError, type Command } from './command';
import { shippedFile } from './model';
import { ProgressBar } from './progress';

const USAGE = `thoughtline adopt FILE.gguf [--out DIR]

  Makes a model bundle of a GGUF file (architecture qwen2 or llama), for --model DIR and the setting thoughtline.model.

  --out DIR     folder of the bundle (default: the file's name without .gguf, in the current folder)
  --name NAME   what the model is called (default: the file's name)`;

const OPTIONS = { out: { type: 'string' }, name: { type: 'string' } } as const;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args, OPTIONS);
  const [source] = positionals;
  if (source === undefined || positionals.length > 1) throw new UsageError('give one GGUF file');
  const name = values.name ?? basename(source).replace(/\.gguf$/i, '');
  const directory = resolve(values.out ?? name);
  const bar = new ProgressBar('adopting', 1);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  try {
    const { signal } = interrupted;
    const onProgress = (share: number, what: string) => bar.update(share, what);
    // It is used if the file is of the model that it was measured on.
    const importance = shippedFile('coder-importance.gguf');
    const notes = await adoptFile(source, directory, { name, importance, signal, onProgress });
    bar.clear();
    for (const note of notes) console.error(note);
    console.log(directory);
    return 0;
  } finally {
    bar.clear();
    process.off('SIGINT', interrupt);
  }
}

export const adopt: Command = { summary: 'makes a model bundle of a GGUF file', usage: USAGE, run };
