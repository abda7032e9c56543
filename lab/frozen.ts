/**
 * Suggestions of requests that never change, to be compared between two checkouts: a refactoring leaves every byte of them as
 * it was.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MODEL_OPTIONS, MODEL_USAGE, parse, wholeNumber } from '../src/cli/arguments';
import { UsageError, type Command } from '../src/cli/command';
import { RecordWriter } from '../src/cli/jsonl';
import { openEngine } from '../src/cli/model';
import { ProgressBar } from '../src/cli/progress';
import type { CompletionOptions, CompletionRequest, CompletionResult, SourceText } from '../src/completion/engine';
import { normaliseNewlines } from '../src/text';
import { siblingsOf } from './siblings';

const USAGE = `npm run lab -- frozen --out FILE [options]
  Completes places in the files of test/fixtures/frozen, in turn with each way of decoding, and writes a line of JSON for each.
  Two checkouts suggest the same if their files are the same; the last line is their SHA-256.

  --items N     places (default: 200)
${MODEL_USAGE} (default here: 1)`;

const OPTIONS = { ...MODEL_OPTIONS, out: { type: 'string' }, items: { type: 'string' } } as const;

/** Ways of decoding, one after the other: each place is completed in one of them. */
const VARIANTS: readonly [name: string, options: Partial<CompletionOptions>][] = [
  ['line', { maxLines: 1 }],
  ['block', {}],
  ['thought', { steps: 1 }],
  ['decoder alone', { memory: false, knn: false }],
  ['beam', { candidates: 3 }],
  ['alternatives', { alternatives: 4 }],
  ['samples', { samples: 3, candidates: 2 }],
  ['confident', { confidence: 'usual', syntaxCheck: true, exact: false }],
];

const DEFAULT_OPTIONS: CompletionOptions = { steps: 0, maxLines: 8, candidates: 1 };

/** Share of a line that has been typed when it is completed. */
const TYPED = 0.4;

export const frozen: Command = {
  summary: 'suggestions at frozen places, to compare two checkouts byte by byte',
  usage: USAGE,
  async run(args) {
    const { values, positionals } = parse(args, OPTIONS);
    if (positionals.length > 0) throw new UsageError(`${positionals[0]}: not an argument of frozen`);
    if (values.out === undefined) throw new UsageError('give --out FILE');
    const requests = frozenRequests(frozenFiles(), wholeNumber('--items', values.items ?? '200', 1, 2_000));
    const writer = await RecordWriter.open(values.out);
    // One thread, the CPU and chunks as in training: nothing depends on how fast the machine is.
    const engine = await openEngine({ device: 'cpu', threads: '1', ...values }, { trainedChunks: true });
    const bar = new ProgressBar('completing', requests.length);
    const hash = createHash('sha256');
    for (const [i, request] of requests.entries()) {
      const [name, options] = VARIANTS[i % VARIANTS.length]!;
      const record = recordOf(request, name, await engine.complete(request, { ...DEFAULT_OPTIONS, ...options }));
      hash.update(`${JSON.stringify(record)}\n`);
      await writer.add(record);
      bar.update(i + 1);
    }
    bar.clear();
    await writer.close();
    await engine.close();
    console.log(hash.digest('hex'));
    return 0;
  },
};

/** What must stay as it is; how long it took is not among it. */
function recordOf({ path, prefix }: CompletionRequest, variant: string, result: CompletionResult) {
  const { text, replaceSuffix, stop, reason, candidates, thought } = result;
  return { path, at: prefix.length, variant, text, replaceSuffix, stop, reason, candidates, nll: thought.nll };
}

/**
 * Places spread evenly over all lines that have something to complete. In every third the line suffix stays; elsewhere it
 * has not been written yet.
 */
export function frozenRequests(files: readonly SourceText[], count: number): CompletionRequest[] {
  const lines = files.flatMap(({ path, text }) => {
    let from = 0;
    return text.split('\n').flatMap((line) => {
      const start = from;
      from += line.length + 1;
      return line.trim().length > 8 ? [{ path, text, start, line }] : [];
    });
  });
  const paths = files.map(({ path }) => path);
  const length = Math.min(count, lines.length);
  return Array.from({ length }, (_, i) => {
    const { path, text, start, line } = lines[Math.floor((i * lines.length) / length)]!;
    const indent = line.length - line.trimStart().length;
    const cursor = start + indent + Math.floor((line.length - indent) * TYPED);
    const rest = i % 3 === 0 ? cursor : start + line.length;
    const others = siblingsOf(paths, path, 2);
    const related = files.filter((file) => others.includes(file.path));
    return { path, prefix: text.slice(0, cursor), suffix: text.slice(rest), related };
  });
}

function frozenFiles(): SourceText[] {
  const folder = join(dirname(__dirname), 'test', 'fixtures', 'frozen');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => ({ path, text: normaliseNewlines(readFileSync(join(folder, path), 'utf8')) }));
}
