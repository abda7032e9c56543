import { readFile, writeFile } from 'node:fs/promises';
import {
  DEFAULTS,
  Engine,
  type CompletionOptions,
  type CompletionRequest,
  type Thought,
} from '../src/completion/engine';
import { cutWindow } from '../src/completion/window';
import type { Bundle } from '../src/model/bundle';
import { normaliseNewlines } from '../src/text';
import { endTokens, type InfillPrompt } from '../src/model/manifest';
import { randomFrom, shuffle } from '../src/model/random';
import { MODEL_OPTIONS, parse, wholeNumber } from '../src/cli/arguments';
import { UsageError, type Command } from '../src/cli/command';
import { UserError } from '../src/model/errors';
import { bootstrap, relativeNll, type Part as Figure } from './evaluation/bootstrap';
import { chooseSites, KINDS, type Item, type Kind, type CutSite } from './evaluation/items';
import { editSimilarity, exactMatch, identifierF1 } from './evaluation/metrics';
import { readRepositories } from './evaluation/repository';
import { signed } from './evaluation/table';
import { bundleFolder } from '../src/cli/model';
import { Peer } from './peer/llama';
import { ProgressBar } from '../src/cli/progress';
import { scoreUnderThought } from './engineMeasures';
import { thoughtAfter } from './thoughts';

const USAGE = `npm run lab -- compare --each DIR --model MODEL [--model MODEL] [--gguf FILE] [options]
  Compares models with each other, and with llama.cpp on a GGUF file: line suffixes, whole lines and blocks of 2 to 5 lines
  are cut out of files and completed. Every model has what the product gives it: related files, memory, thought.
  llama.cpp is asked as its editor plug-ins ask it: with what stands before the cursor and after it.

  --each DIR     every folder in DIR is an owner's: intervals are drawn over them
  --items N      texts to cut out (default: 120)
  --model MODEL  nano, coder, or a bundle's folder; may be given more than once
  --gguf FILE    weights for llama.cpp; the first model that fills in tells the prompt and the tokens
  --steps N      steps of thought (default: as many as pay with the model)
  --parts        models that fill in also alone, and where they have weights for a kNN cache, with that or the lookup memory
  --related      llama.cpp also with the beginnings of the two nearest files in front
  --thought      models that take no steps by default also with four, on top of everything
  --minutes N    begin nothing new after that time (default: no limit)
  --seed S       which texts (default: 1)
  --threads N    threads of one run (default: one for each physical core, at most 4)
  --out FILE     write every figure of every text as JSON, after each site; what is there already is not measured again`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  model: { type: 'string', multiple: true },
  each: { type: 'string' },
  items: { type: 'string' },
  gguf: { type: 'string' },
  steps: { type: 'string' },
  parts: { type: 'boolean' },
  related: { type: 'boolean' },
  thought: { type: 'boolean' },
  minutes: { type: 'string' },
  seed: { type: 'string' },
  out: { type: 'string' },
} as const;

/** What one variant made of one text. */
interface Comparison {
  readonly exact: boolean;
  readonly similarity: number;
  readonly f1?: number | undefined;
  /** Of the text that stood there, where it is known. */
  readonly nats?: number;
  readonly milliseconds: number;
}

interface Row {
  readonly owner: string;
  readonly kind: Kind;
  readonly bytes: number;
  readonly variant: string;
  readonly outcome: Comparison;
}

/** Ways to complete the same texts, which may share what has been read. */
interface Measured {
  readonly names: readonly string[];
  /** For each item of a site the outcomes of all names. */
  measure(site: CutSite): Promise<readonly (readonly Comparison[])[]>;
  close(): Promise<void>;
}

/** What contributes besides the decoder. */
interface Part extends Pick<CompletionOptions, 'memory' | 'knn'> {
  readonly name: string;
  readonly steps: number;
}

/** Steps of thought where none pay by default. */
const TRIED_STEPS = 4;

export const compare: Command = {
  summary: 'compare models with each other and with llama.cpp, on unseen code',
  usage: USAGE,
  async run(args) {
    const { values } = parse(args, OPTIONS);
    const { each, model = [], gguf } = values;
    if (each === undefined || model.length === 0)
      throw new UsageError('give --each DIR and at least one --model MODEL');
    const count = wholeNumber('--items', values.items ?? '120', 1, 100_000);
    const steps = values.steps === undefined ? undefined : wholeNumber('--steps', values.steps, 0, DEFAULTS.maxSteps);
    const minutes = values.minutes === undefined ? Infinity : wholeNumber('--minutes', values.minutes, 1, 10_000);
    const threads = values.threads === undefined ? undefined : wholeNumber('--threads', values.threads, 1, 256);
    const random = randomFrom(wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 32 - 1));
    const repositories = shuffle(await readRepositories([], each), random);
    const sites = shuffle(chooseSites(repositories, count, random), random);
    const engines: Engine[] = [];
    for (const name of model) {
      engines.push(await Engine.open(bundleFolder(name), { device: 'cpu', threads, trainedChunks: true }));
    }
    const { parts = false, related = false, thought = false } = values;
    const variants: Measured[] = engines.map((engine) => ours(engine, partsOf(engine, { steps, parts, thought })));
    if (gguf !== undefined) variants.push(await theirs(gguf, engines, related));
    const names = variants.flatMap((variant) => variant.names);
    const rows = values.out === undefined ? [] : await readRows(values.out, names);
    let known = rows.length / names.length;
    const bar = new ProgressBar('comparing', sites.length);
    const end = performance.now() + minutes * 60_000;
    for (const [done, site] of sites.entries()) {
      if (known >= site.items.length) {
        known -= site.items.length;
        continue;
      }
      if (performance.now() > end) break;
      for (const variant of variants) {
        for (const [i, outcomes] of (await variant.measure(site)).entries()) {
          const { kind, target } = site.items[i] as Item;
          const bytes = Buffer.byteLength(target);
          for (const [j, outcome] of outcomes.entries()) {
            rows.push({ owner: site.repository, kind, bytes, variant: variant.names[j] ?? '', outcome });
          }
        }
      }
      if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify(rows)}\n`);
      bar.update(done + 1);
    }
    bar.clear();
    for (const variant of variants) await variant.close();
    console.log(table(rows, names));
    for (const { names: of } of variants) if (of.length > 1) console.log(`\n${differences(rows, of)}`);
    return 0;
  },
};

/** What an earlier run wrote. @throws UserError where that was of other variants */
async function readRows(path: string, names: readonly string[]): Promise<Row[]> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  const rows = JSON.parse(text) as Row[];
  const others = rows.map(({ variant }) => variant).filter((variant) => !names.includes(variant));
  if (others.length > 0 || rows.length % names.length > 0)
    throw new UserError(
      `${path}: has figures of ${[...new Set(others)].join(', ') || 'fewer models'}; give another --out`,
    );
  return rows;
}

/** Its rows: as the product runs it, last but for a thought that it does not take by default. */
function partsOf(
  { bundle, readsThought, defaultSteps }: Engine,
  wanted: { steps: number | undefined; parts: boolean; thought: boolean },
): readonly Part[] {
  const { memory, knn, prompt } = bundle.manifest;
  const steps = wanted.steps ?? defaultSteps;
  const whole: Part = { name: '', memory: memory !== undefined, knn: true, steps };
  const parts = [whole];
  if (wanted.parts && prompt?.style === 'prefix-suffix-middle') {
    const alone = { memory: false, knn: false, steps: 0 };
    if (memory?.knn) parts.unshift({ ...alone, name: ' + memory', memory: true });
    if (knn) parts.unshift({ ...alone, name: ' + kNN', knn: true });
    parts.unshift({ ...alone, name: ' alone' });
  }
  if (wanted.thought && readsThought && steps === 0) parts.push({ ...whole, name: ' + thought', steps: TRIED_STEPS });
  return parts;
}

/** A model as the product runs it: all items of a site under one thought, which has seen none of their targets. */
function ours(engine: Engine, parts: readonly Part[]): Measured {
  const { name, version } = engine.bundle.manifest;
  return {
    names: parts.map((part) => `${name} ${version}${part.name}`),
    close: () => engine.close(),
    async measure({ request, items }) {
      const thoughts = new Map<number, Thought>();
      for (const { steps } of parts) {
        if (!thoughts.has(steps)) thoughts.set(steps, await thoughtAfter(engine, request, steps));
      }
      const all: Comparison[][] = [];
      for (const { request: place, target } of items) {
        const outcomes: Comparison[] = [];
        for (const { memory = true, knn = true, steps } of parts) {
          const thought = thoughts.get(steps) ?? engine.prior;
          const { nats } = await scoreUnderThought(engine, place, target, thought, { memory, knn });
          const maxLines = target.split('\n').length;
          const how = { steps: 0, maxLines, units: false, candidates: 1, thought, memory, knn };
          const begun = performance.now();
          const { text } = await engine.complete(place, how);
          outcomes.push({ ...compared(text, target), nats, milliseconds: performance.now() - begun });
        }
        all.push(outcomes);
      }
      return all;
    },
  };
}

/** Tokens of its context. */
const CONTEXT = 2048;

async function theirs(gguf: string, engines: readonly Engine[], related: boolean): Promise<Measured> {
  const engine = engines.find(({ bundle }) => bundle.manifest.prompt?.style === 'prefix-suffix-middle');
  if (!engine) throw new UsageError('--gguf: give a --model that fills in, too: its tokenizer and prompt are used');
  const { bundle, device } = engine;
  const { repository, file } = REPOSITORY_TOKENS;
  const ends = endTokens(bundle.manifest);
  if (related && !(ends.includes(repository) && ends.includes(file)))
    throw new UsageError('--related: files in front of llama.cpp are in the format of Qwen2.5-Coder; compare coder');
  const peer = await Peer.openFile(gguf, device.threads, CONTEXT);
  const files = related ? [0, RELATED.files] : [0];
  return {
    names: files.map((count) => (count > 0 ? 'llama.cpp + related files' : 'llama.cpp')),
    close: () => peer.close(),
    async measure({ items }) {
      const all: Comparison[][] = items.map(() => []);
      // One variant after the other, as its prompt cache holds one prompt.
      for (const count of files) {
        for (const [i, { request, target }] of items.entries()) {
          const begun = performance.now();
          const prompt = [...relatedPrompt(bundle, request, count), ...infillPrompt(bundle, request)];
          const text = await written(peer, bundle, prompt, target.split('\n').length);
          all[i]?.push({ ...compared(text, target), milliseconds: performance.now() - begun });
        }
      }
      return all;
    },
  };
}

/** Tokens that a plug-in lets it write at most. */
const MAX_WRITTEN = 128;

/** What stands in front where related files do: the first tokens of the nearest. */
const RELATED = { files: 2, tokens: 300 };

/** `<|repo_name|>` and `<|file_sep|>` of Qwen2.5-Coder. */
const REPOSITORY_TOKENS = { repository: 151663, file: 151664 };

/** The beginnings of the nearest files in Qwen2.5-Coder's repository format; nothing where none are wanted. */
function relatedPrompt({ tokenizer }: Bundle, { path, related }: CompletionRequest, count: number): number[] {
  if (count === 0) return [];
  const { repository, file } = REPOSITORY_TOKENS;
  const name = (of: string) => tokenizer.encode(`${of}\n`);
  const files = related
    .slice(0, count)
    .map(({ path: other, text }) => [
      file,
      ...name(other),
      ...tokenizer.encode(normaliseNewlines(text).slice(0, RELATED.tokens * 8)).slice(0, RELATED.tokens),
    ]);
  return [repository, ...name('repository'), ...files.flat(), file, ...name(path)];
}

/** [prefix] text [suffix] text [middle], as many tokens of either as our own window has. */
function infillPrompt({ tokenizer, manifest }: Bundle, request: CompletionRequest): number[] {
  const { prefix, suffix, middle } = manifest.prompt as InfillPrompt;
  const plain = {
    path: request.path,
    prefix: normaliseNewlines(request.prefix),
    suffix: normaliseNewlines(request.suffix),
  };
  const window = cutWindow(plain, tokenizer, manifest);
  const capacity = window.context.length + window.prefix.length;
  const before = tokenizer.encode(plain.prefix.slice(-capacity * 8)).slice(-capacity);
  const after = tokenizer.encode(plain.suffix.slice(0, manifest.window.suffixTokens * 8));
  return [prefix, ...before, suffix, ...after.slice(0, manifest.window.suffixTokens), middle];
}

/** What it writes after a prompt, cut to so many lines. */
async function written(peer: Peer, bundle: Bundle, prompt: readonly number[], lines: number): Promise<string> {
  const { tokenizer, manifest } = bundle;
  const ends = endTokens(manifest);
  const tokens: number[] = [];
  for await (const token of peer.tokens(prompt)) {
    if (ends.includes(token) || tokens.push(token) === MAX_WRITTEN) break;
    const text = tokenizer.decode(tokens);
    if (text.trim() !== '' && text.split('\n').length > lines) break;
  }
  return tokenizer.decode(tokens);
}

function compared(text: string, target: string): Omit<Comparison, 'milliseconds'> {
  const lines = target.split('\n').length;
  const shown = text.split('\n').slice(0, lines).join('\n');
  return {
    exact: exactMatch(shown, target),
    similarity: editSimilarity(shown, target),
    f1: identifierF1(shown, target),
  };
}

const TITLES: Readonly<Record<Kind, string>> = { tail: 'line suffixes', line: 'whole lines', block: 'blocks' };

function table(rows: readonly Row[], names: readonly string[]): string {
  const owners = new Set(rows.map(({ owner }) => owner)).size;
  const texts = rows.length / Math.max(1, names.length);
  const mean = (
    of: readonly Row[],
    value: (row: Row) => number | undefined,
    weight: (row: Row) => number,
    digits: number,
  ) => {
    const parts = of.flatMap((row): Figure[] => {
      const amount = value(row);
      return amount === undefined ? [] : [{ cluster: row.owner, value: amount, weight: weight(row) }];
    });
    const found = bootstrap(parts);
    const shown = (number: number) => number.toFixed(digits);
    return found ? `${shown(found.mean)} (${shown(found.low)}–${shown(found.high)})` : '–';
  };
  const one = () => 1;
  const lines = [
    `${texts} texts of ${owners} owners; in brackets 95 % intervals by owner.`,
    '',
    `| | bits a byte | ${KINDS.map((kind) => `${TITLES[kind]}, exact, %`).join(' | ')} | blocks alike, % | identifier F1, % | ms, median |`,
    `| --- | ${Array.from({ length: 7 }, () => '---').join(' | ')} |`,
  ];
  for (const name of names) {
    const own = rows.filter(({ variant }) => variant === name);
    const of = (kind: Kind) => own.filter((row) => row.kind === kind);
    const times = own.map(({ outcome }) => outcome.milliseconds).sort((a, b) => a - b);
    const cells = [
      mean(
        own,
        ({ outcome }) => (outcome.nats === undefined ? undefined : outcome.nats / Math.LN2),
        ({ bytes }) => bytes,
        3,
      ),
      ...KINDS.map((kind) => mean(of(kind), ({ outcome }) => 100 * Number(outcome.exact), one, 0)),
      mean(of('block'), ({ outcome }) => 100 * outcome.similarity, one, 0),
      mean(own, ({ outcome }) => (outcome.f1 === undefined ? undefined : 100 * outcome.f1), one, 0),
      (times[times.length >> 1] ?? 0).toFixed(0),
    ];
    lines.push(`| ${name} | ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

/** What each part is worth: the same texts with it against without. */
function differences(rows: readonly Row[], [base, ...others]: readonly string[]): string {
  const of = (name: string | undefined) => rows.filter(({ variant }) => variant === name);
  const alone = of(base);
  const lines = others.map((name) => {
    const pairs = of(name).map((row, i) => ({ row, before: (alone[i] as Row).outcome }));
    const nats = relativeNll(
      pairs.map(({ row: { owner, outcome }, before }) => ({
        owner,
        nats: outcome.nats ?? 0,
        before: before.nats ?? 0,
      })),
    );
    const exact = (kind: Kind) =>
      bootstrap(
        pairs
          .filter(({ row }) => row.kind === kind)
          .map(({ row: { owner, outcome }, before }) => {
            return { cluster: owner, value: Number(outcome.exact) - Number(before.exact), weight: 1 };
          }),
      );
    const cells = [nats, ...KINDS.map(exact)].map((found) => signed(found, 100, 1));
    return `| ${name} | ${cells.join(' | ')} |`;
  });
  return [
    `| against ${base} | NLL, % | ${KINDS.map((kind) => `${TITLES[kind]}, points`).join(' | ')} |`,
    `| --- | --- | --- | --- | --- |`,
    ...lines,
  ].join('\n');
}
