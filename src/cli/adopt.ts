import { basename, resolve } from 'node:path';
import { adopt as adoptFile } from '../adopt/adopt';
import { sharedWithOthers } from '../adopt/sources/coder';
import { parse } from './arguments';
import { UsageError, type Command } from './command';
import { ProgressBar } from './progress';

const USAGE = `thoughtline adopt coder [--from PATH]
thoughtline adopt FILE.gguf [--out DIR]

  Gets the code model (models/coder.json says what it is) and makes a bundle of it, for --model coder: from a folder
  in which other programs keep models, by pip, or from its official address. It lies in the cache for all checkouts
  (THOUGHTLINE_CACHE). Or makes a bundle of a GGUF file (architecture qwen2 or llama), for --model DIR and the setting
  thoughtline.model.

  --from PATH   for coder: a file, or a folder, to look for the weights in first
  --out DIR     folder of the bundle (default: the file's name without .gguf, in the current folder)
  --name NAME   what the model is called (default: the file's name)`;

const OPTIONS = { from: { type: 'string' }, out: { type: 'string' }, name: { type: 'string' } } as const;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args, OPTIONS);
  const [source] = positionals;
  if (source === undefined || positionals.length > 1) throw new UsageError('give one GGUF file, or coder');
  if (source === 'coder') return runCoder(values);
  if (values.from !== undefined) throw new UsageError('--from: for coder only; a GGUF file is given itself');
  const name = values.name ?? basename(source).replace(/\.gguf$/i, '');
  const directory = resolve(values.out ?? name);
  const bar = new ProgressBar('adopting', 1);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  try {
    const { signal } = interrupted;
    const onProgress = (share: number, what: string) => bar.update(share, what);
    const notes = await adoptFile(source, directory, { name, ...sharedWithOthers(), signal, onProgress });
    bar.clear();
    for (const note of notes) console.error(note);
    console.log(directory);
    return 0;
  } finally {
    bar.clear();
    process.off('SIGINT', interrupt);
  }
}

async function runCoder({ from, out, name }: { from?: string; out?: string; name?: string }): Promise<number> {
  if (out !== undefined) throw new UsageError('--out: not for coder, which lies in the cache');
  if (name !== undefined) throw new UsageError('--name: not for coder, which has its name');
  // Loaded when it is asked for: it knows the network.
  const { obtainWithProgress } = await import('./obtain.js');
  console.log(await obtainWithProgress({ places: from === undefined ? [] : [resolve(from)] }));
  return 0;
}

export const adopt: Command = { summary: 'get the code model, or make a bundle of a GGUF file', usage: USAGE, run };
