import type { SourceText } from '../src/completion/engine';
import { logSumExp } from '../src/completion/heal';
import { cutWindow, type Window } from '../src/completion/window';
import { openBundle, type Bundle } from '../src/model/bundle';
import { Decoder, type Conditioning } from '../src/model/decoder';
import { randomFrom, shuffle } from '../src/model/random';
import { loadRuntime } from '../src/model/runtime';
import { defaultThreads, openGraphs } from '../src/model/sessions';
import { parse, wholeNumber } from '../src/cli/arguments';
import { UsageError, type Command } from '../src/cli/command';
import { relativeNll } from './evaluation/bootstrap';
import { readRepositories, type Repository } from './evaluation/repository';
import { bundleFolder } from '../src/cli/model';
import { ProgressBar } from '../src/cli/progress';

const USAGE = `npm run lab -- staleness --each DIR [options]
  What it costs that a suffix was read when the prefix was shorter: lines are scored behind windows whose suffix was read
  some tokens earlier, and behind windows that are read as they are.

  --each DIR     every folder in DIR is an owner's: intervals are drawn over them
  --items N      lines (default: 30)
  --model MODEL  a model that fills in (default: coder)
  --seed S       which lines (default: 1)`;

const OPTIONS = {
  each: { type: 'string' },
  items: { type: 'string' },
  model: { type: 'string' },
  seed: { type: 'string' },
} as const;

/** Tokens of the prefix that were typed after the suffix had been read, at least: whole lines are. */
const TYPED = [0, 4, 10, 20, 40] as const;

/** Lines before the one that is scored, and after it, at least. */
const LINES_BEFORE = 12;
const LINES_AFTER = 5;

interface TypedSite {
  readonly owner: string;
  readonly file: SourceText;
  readonly line: number;
}

interface Measured {
  readonly owner: string;
  readonly bytes: number;
  readonly exact: number;
  /** By how much was typed: NLL in nats, and the tokens of the window that had to be read. */
  readonly stale: readonly { readonly nats: number; readonly read: number; readonly typed: number }[];
}

export const staleness: Command = {
  summary: 'what a suffix costs that was read a few tokens earlier',
  usage: USAGE,
  async run(args) {
    const { values } = parse(args, OPTIONS);
    if (values.each === undefined) throw new UsageError('give --each DIR');
    const count = wholeNumber('--items', values.items ?? '30', 1, 10_000);
    const random = randomFrom(wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 32 - 1));
    const repositories = shuffle(await readRepositories([], values.each), random);
    const places = placesIn(repositories, count, random);
    const bundle = await openBundle(bundleFolder(values.model ?? 'coder'));
    if (bundle.manifest.prompt?.style !== 'prefix-suffix-middle')
      throw new UsageError('--model: give one that fills in');
    const graphs = await openGraphs(await loadRuntime(), bundle, { provider: 'cpu', threads: defaultThreads() });
    const measured: Measured[] = [];
    const bar = new ProgressBar('scoring', places.length);
    for (const [done, place] of places.entries()) {
      measured.push(await measure(place, bundle, () => new Decoder(graphs, bundle.manifest)));
      bar.update(done + 1);
    }
    bar.clear();
    await graphs.release();
    console.log(table(measured));
    return 0;
  },
};

/** Lines that say something, one a file, from as many owners as there are. */
function placesIn(repositories: readonly Repository[], count: number, random: () => number): TypedSite[] {
  const queues = repositories.map(({ name, files }) =>
    shuffle(files, random).flatMap((file) => placeIn(name, file, random)),
  );
  const places: TypedSite[] = [];
  for (let turn = 0; places.length < count && queues.some((queue) => turn < queue.length); turn++) {
    for (const queue of queues) {
      const place = queue[turn];
      if (place && places.length < count) places.push(place);
    }
  }
  return places;
}

function placeIn(owner: string, file: SourceText, random: () => number): TypedSite[] {
  const lines = file.text.split('\n');
  const rows = lines.flatMap((line, row) =>
    row >= LINES_BEFORE && row < lines.length - LINES_AFTER && line.trim().length >= 12 ? [row] : [],
  );
  const line = rows[Math.floor(random() * rows.length)];
  return line === undefined ? [] : [{ owner, file, line }];
}

async function measure({ owner, file, line }: TypedSite, bundle: Bundle, decoder: () => Decoder): Promise<Measured> {
  const { tokenizer, manifest } = bundle;
  const thought = { version: 1, mu: bundle.prior };
  const lines = file.text.split('\n');
  const target = lines[line] as string;
  const suffix = `\n${lines.slice(line + 1).join('\n')}`;
  /** The window of the line, as it was when so many lines before it had not been written. */
  const window = (missing: number) => {
    const prefix = lines.slice(0, line - missing).map((text) => `${text}\n`);
    return cutWindow({ path: file.path, prefix: prefix.join(''), suffix }, tokenizer, manifest);
  };
  const wanted = tokenizer.encode(target);
  const now = window(0);
  const read = decoder();
  arrange(read, now, 0);
  const exact = await score(read, now, wanted, thought);
  const stale: Measured['stale'][number][] = [];
  for (const minTyped of TYPED) {
    let [missing, typed] = [0, 0];
    while (typed < minTyped && missing < line)
      typed += tokenizer.encode(`${lines[line - ++missing] as string}\n`).length;
    // The beginning of the prefix is the same; all behind it is read as it was then.
    const own = read.copy();
    arrange(own, window(missing), 0);
    const filling = own.fill(window(missing).head, thought);
    while (!(await filling.next()).done);
    arrange(own, now, Infinity);
    stale.push({ read: own.unread(now.head, thought), nats: await score(own, now, wanted, thought), typed });
  }
  return { owner, bytes: Buffer.byteLength(target), exact, stale };
}

function arrange(decoder: Decoder, { head, parts }: Window, maxStale: number): void {
  if (parts) decoder.arrange(head, parts, maxStale);
}

/** −log p of tokens after a window, in nats. */
async function score(
  decoder: Decoder,
  window: Window,
  target: readonly number[],
  thought: Conditioning,
): Promise<number> {
  const tokens = [...window.head, ...window.prefix, ...target];
  const logits = await decoder.logits(tokens.slice(0, -1), thought, target.length);
  const size = logits.length / target.length;
  return target.reduce((sum, token, i) => {
    const row = logits.subarray(i * size, (i + 1) * size);
    return sum - (row[token] as number) + logSumExp(row);
  }, 0);
}

function table(measured: readonly Measured[]): string {
  const percent = (value: number) => `${value >= 0 ? '+' : '−'}${Math.abs(100 * value).toFixed(1)} %`;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const rows = TYPED.map((_, i) => {
    const of = measured.map(({ owner, exact, stale }) => ({
      owner,
      exact,
      ...(stale[i] as Measured['stale'][number]),
    }));
    const loss = relativeNll(of.map(({ owner, exact, nats }) => ({ owner, nats, before: exact })));
    const shown = loss ? `${percent(loss.mean)} (${percent(loss.low)} to ${percent(loss.high)})` : '–';
    return `| ${mean(of.map(({ typed }) => typed)).toFixed(0)} | ${mean(of.map(({ read }) => read)).toFixed(0)} | ${shown} |`;
  });
  const bits =
    measured.reduce((sum, { exact }) => sum + exact, 0) / measured.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    `${measured.length} lines of ${new Set(measured.map(({ owner }) => owner)).size} owners, ${(bits / Math.LN2).toFixed(3)} bits a byte where all is read as it is.`,
    '',
    '| tokens typed since | tokens read | NLL, 95 % interval by owner |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
}
