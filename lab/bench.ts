import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { DEFAULTS } from '../src/completion/engine';
import { openBundle } from '../src/model/bundle';
import { UserError } from '../src/model/errors';
import {
  deviceOption,
  MODEL_OPTIONS,
  MODEL_USAGE,
  oneOf,
  parse,
  stepsOption,
  switchOption,
  wholeNumber,
} from '../src/cli/arguments';
import { measureLookup } from './benchLookup';
import { comparePeer } from './benchPeer';
import { replayFigures, round } from './benchReplay';
import { measureSpeed } from './benchSpeed';
import { UsageError, type Command } from '../src/cli/command';
import { readRepository } from './evaluation/repository';
import { bundleFolder, openEngine } from '../src/cli/model';
import { readText } from '../src/cli/location';
import { ProgressBar } from '../src/cli/progress';
import { typeInto, type Typing } from './serverTyping';
import type { SourceFile } from './typing';

const USAGE = `npm run lab -- bench [options]
  Measures loading, reading, writing and thinking, then types files into the language server as a person would, with
  thinking and without. Everything starts cold.

  --json            print the figures as JSON
  --seconds N       for how long each file is typed, 5 to 600, twice (default: 30)
  --seed N          of the typing (default: 1)
  --steps T         of thinking (default: as many as pay with the model)
  --memory on|off   whether the lookup memory is used while typing (default: on)
  --file FILE       what is typed; may be given more than once (default: three source files of Thoughtline)
--related FILE    another file that is open; may be given more than once
  --workspace DIR   instead of all that: memory and time that the lookup memory of the sources in DIR takes, 20 MB at most
--peer llama.cpp  compare with node-llama-cpp, on a model of the same shape with random weights
  --gguf FILE       … on these weights instead
${MODEL_USAGE}`;

/** Sources of this repository of 300 to 600 lines: each is typed while the others are open. */
const OWN = ['src/inference/client.ts', 'src/completion/engine.ts', 'test/reliability/properties.ts'];

export const bench: Command = {
  summary: 'measure speed and memory, and type files through the language server',
  usage: USAGE,
  async run(args) {
    const { values, positionals } = parse(args, {
      ...MODEL_OPTIONS,
      json: { type: 'boolean' },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      steps: { type: 'string' },
      memory: { type: 'string' },
      file: { type: 'string', multiple: true },
      related: { type: 'string', multiple: true },
      peer: { type: 'string' },
      gguf: { type: 'string' },
      workspace: { type: 'string' },
    } as const);
    if (positionals.length > 0) throw new UsageError(`${positionals[0]}: not an argument of bench`);
    const seconds = wholeNumber('--seconds', values.seconds ?? '30', 5, 600);
    const seed = wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 31);
    const steps = stepsOption(values.steps);
    const memory = switchOption('--memory', values.memory, DEFAULTS.memory);
    if (values.peer !== undefined) oneOf('--peer', values.peer, ['llama.cpp']);
    if (values.workspace !== undefined) return benchWorkspace(values.workspace, values.model, seed, values.json);
    const files = await filesToType(values.file);
    const open = [...files, ...(await texts(values.related ?? []))];
    const others = (file: SourceFile) => open.filter(({ path }) => path !== file.path);

    const start = performance.now();
    const engine = await openEngine(values);
    const load = performance.now() - start;
    const speed = await measureSpeed(engine, files[0]!, others(files[0]!));
    const { device, threads } = engine.device;
    const { name, version } = engine.bundle.manifest;
    const thinks = steps ?? engine.defaultSteps;
    const versus = values.peer && (await comparePeer(engine, files, { seconds, seed, gguf: values.gguf }));
    await engine.close();

    const bundle = bundleFolder(values.model);
    const typeIt = async (file: SourceFile, inferenceSteps: number) => {
      const bar = new ProgressBar(`typing ${file.path}, ${inferenceSteps} steps`, seconds);
      const settings = {
        inferenceSteps,
        memory: memory ? 'workspace' : 'off',
        ...(values.device !== undefined && { device: deviceOption(values.device) }),
      } as const;
      const given = { settings, ...(values.threads !== undefined && { threads }) };
      const onKeystroke = (done: number) => bar.update(Math.round(done));
      try {
        return await typeInto({ bundle, ...given, file, related: others(file), seconds, seed, onKeystroke });
      } finally {
        bar.clear();
      }
    };
    const [thinking, plain]: [Typing[], Typing[]] = [[], []];
    for (const file of files) {
      thinking.push(await typeIt(file, thinks));
      plain.push(await typeIt(file, 0));
    }

    const max = (part: 'both' | 'inference') => Math.max(...thinking.map((typing) => typing.memory[part]));
    const paths = files.map(({ path }) => path);
    const replay = replayFigures(paths, seconds, thinking, plain);
    const report = {
      model: { name, version },
      device,
      threads,
      steps: thinks,
      load: { ms: round(load) },
      ...speed,
      replay,
      memory: { rss_mb: max('both'), inference_mb: max('inference') },
      ...(versus && { peer: versus(thinking) }),
    };
    console.log(values.json ? JSON.stringify(report, null, 2) : text(report));
    return 0;
  },
};

/** What the lookup memory of a folder takes, by itself. */
async function benchWorkspace(
  folder: string,
  model: string | undefined,
  seed: number,
  json?: boolean,
): Promise<number> {
  const directory = bundleFolder(model);
  const bundle = await openBundle(directory);
  const { files } = await readRepository(folder);
  const lookup = measureLookup(bundle, files, seed);
  if (!lookup) {
    throw new UserError(`${directory}/manifest.json: "memory" is missing; \`npm run lab -- fit-memory\` puts it in`);
  }
  const { ms_per_token: ms } = lookup;
  const text =
    `lookup memory of ${lookup.source_mb} MB of source (${lookup.files} files, ${lookup.tokens} tokens): ${lookup.mb} MB, ` +
    `read in ${lookup.read_s} s; a token ${ms.mean} ms, median ${ms.p50} ms, 99th percentile ${ms.p99} ms`;
  console.log(json ? JSON.stringify({ lookup }, null, 2) : text);
  return 0;
}

interface Report extends Awaited<ReturnType<typeof measureSpeed>> {
  model: { name: string; version: string };
  device: string;
  threads: number;
  steps: number;
  load: { ms: number };
  replay: ReturnType<typeof replayFigures>;
  memory: { rss_mb: number; inference_mb: number };
  peer?: ReturnType<Awaited<ReturnType<typeof comparePeer>>>;
}

function text({ model, device, load, prefill, decode, refine, replay: typed, memory, peer }: Report): string {
  const pathLines = Object.entries(typed.paths).map(([path, { share, p50_ms, p90_ms }]): [string, string] => [
    '',
    `${path.padEnd(11)} ${`${Math.round(100 * share)} %`.padStart(5)}  median ${p50_ms} ms, 90th percentile ${p90_ms} ms`,
  ]);
  const lines: [string, string][] = [
    ['model', `${model.name} ${model.version} on ${device}, loaded in ${load.ms} ms`],
    ['reading', `${prefill.tokens_per_s} tokens/s`],
    ['writing', `${decode.tokens_per_s} tokens/s, ${decode.tokens_per_s_without_drafts} without drafts`],
    ['thinking', `${refine.ms_per_step} ms a step on ${refine.chunks} chunks, longest run ${refine.longest_run_ms} ms`],
    [
      'typing',
      `${typed.keystrokes} keystrokes in ${typed.files.length} × ${typed.seconds} s, ${typed.suggestions} suggestions`,
    ],
    ['', `median ${typed.p50_ms} ms, 90th percentile ${typed.p90_ms} ms, 99th ${typed.p99_ms} ms`],
    [
      '',
      `once loaded, after ${typed.loaded_after_s} s: ${typed.loaded.p50_ms}, ${typed.loaded.p90_ms} and ${typed.loaded.p99_ms} ms`,
    ],
    ['', `without thinking ${typed.p50_no_refine_ms} ms and ${typed.p90_no_refine_ms} ms`],
    ['', `typed along: 90th percentile ${typed.typed_along_p90_ms} ms (${typed.typed_along} times)`],
    ...pathLines,
    ['', `${typed.refinement.thoughts} thoughts, median ${typed.refinement.p50_ms} ms`],
    ['processor', `${typed.cpu_s_per_min} s a minute of typing, ${typed.idle_cpu_percent} % at rest`],
    ['memory', `${memory.rss_mb} MB`],
  ];
  if (peer) {
    const { prefill_ratio: read, decode_ratio: write, suggestion_ratio: suggest, replay_ratio: typing } = peer;
    lines.push(
      ['compared with', peer.name],
      [
        '',
        `reading ${read} times as fast, writing ${write} times, whole suggestions ${suggest} times; typing ${typing} times`,
      ],
    );
  }
  return lines.map(([name, value]) => `${name.padEnd(9)} ${value}`).join('\n');
}

async function filesToType(given: readonly string[] | undefined): Promise<SourceFile[]> {
  if (given !== undefined) return texts(given);
  const root = dirname(__dirname);
  if (!OWN.every((path) => existsSync(join(root, path)))) {
    throw new UsageError('the sources of Thoughtline are not here; say with --file FILE what to type');
  }
  return OWN.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function texts(paths: readonly string[]): Promise<SourceFile[]> {
  return Promise.all(paths.map(async (path) => ({ path: relative('', path), text: await readText(path) })));
}
