import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { DEFAULTS, type CompletionRequest, type Engine } from '../completion/engine';
import { MODEL_OPTIONS, MODEL_USAGE, switchOption, parse, wholeNumber } from './arguments';
import { UsageError, type Command } from './command';
import { openEngine, shippedBundle } from './model';
import { readText } from './place';
import { ProgressBar } from './progress';
import { quantile, type Duration } from './quantile';
import { typeInto, type Typing } from './typing';

const USAGE = `thoughtline bench [options]
  Measures loading, reading, writing and thinking, then types a file into the language server as a person would, with
  thinking and without. Everything starts cold.

  --json            print the figures as JSON
  --seconds N       length of each of the two replays, 5 to 600 (default: 45)
  --seed N          of the typing (default: 1)
  --memory on|off   whether the lookup memory has its say while typing (default: on)
  --file FILE       what is typed (default: a source file of Thoughtline)
  --beside FILE     another file that is open; may be given more than once
${MODEL_USAGE}`;

/** Sources of this repository: one to type, and its neighbours in the editor. */
const OWN = ['src/inference/client.ts', 'src/thought/refine.ts', 'src/completion/trim.ts'];

interface Text {
  readonly path: string;
  readonly text: string;
}

export const bench: Command = {
  summary: 'measure speed and memory, and type a file through the language server',
  usage: USAGE,
  async run(args) {
    const { values, positionals } = parse(args, {
      ...MODEL_OPTIONS,
      json: { type: 'boolean' },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      memory: { type: 'string' },
      file: { type: 'string' },
      beside: { type: 'string', multiple: true },
    } as const);
    if (positionals.length > 0) throw new UsageError(`${positionals[0]}: not an argument of bench`);
    const seconds = wholeNumber('--seconds', values.seconds ?? '45', 5, 600);
    const seed = wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 31);
    const memory = switchOption('--memory', values.memory, DEFAULTS.memory);
    const [file, ...beside] = await texts(values.file, values.beside);

    const start = performance.now();
    const engine = await openEngine(values);
    const load = performance.now() - start;
    const speed = await measure(engine, file!, beside);
    const { device } = engine.device;
    const { name, version } = engine.bundle.manifest;
    await engine.close();

    const bundle = values.model === undefined ? shippedBundle() : resolve(values.model);
    const typeIt = async (label: string, inferenceSteps: number) => {
      const bar = new ProgressBar(label, seconds);
      try {
        return await typeInto({
          bundle,
          settings: { inferenceSteps, memory, ...(values.device !== undefined && { device: engine.device.device }) },
          file: file!,
          beside,
          seconds,
          seed,
          onProgress: (done) => bar.update(Math.round(done)),
        });
      } finally {
        bar.clear();
      }
    };
    const thinking = await typeIt('typing, thinking', DEFAULTS.steps);
    const plain = await typeIt('typing, without', 0);

    const report = {
      model: { name, version },
      device,
      load: { ms: round(load) },
      ...speed,
      replay: figures(file!, seconds, thinking, plain),
      memory: { rss_mb: thinking.memory, inference_mb: thinking.statistics.memory.inference },
    };
    console.log(values.json ? JSON.stringify(report, null, 2) : text(report));
    return 0;
  },
};

type Report = Awaited<ReturnType<typeof measure>> & {
  model: { name: string; version: string };
  device: string;
  load: { ms: number };
  replay: ReturnType<typeof figures>;
  memory: { rss_mb: number; inference_mb: number };
};

/** Speed of the engine by itself: reading a full window, writing at places of the file, and a cold refinement. */
async function measure(engine: Engine, file: Text, beside: readonly Text[]) {
  const requestAt = (share: number): CompletionRequest => {
    const at = file.text.indexOf('\n', Math.floor(file.text.length * share)) + 1;
    return { path: file.path, prefix: file.text.slice(0, at), suffix: file.text.slice(at), related: beside };
  };
  const prefill: number[] = [];
  const writing = { drafts: { tokens: 0, ms: 0 }, plain: { tokens: 0, ms: 0 } };
  for (let round = 0; round < 9; round++) {
    // Another path is another window: nothing of it is cached.
    const fresh = { ...requestAt((round + 1) / 10), path: `round${round}/${basename(file.path)}` };
    const { prefixTokens, suffixTokens } = engine.window(fresh);
    const start = performance.now();
    const filling = engine.prepare(fresh, engine.prior);
    while (!(await filling.next()).done);
    prefill.push((1000 * (prefixTokens + suffixTokens)) / (performance.now() - start));
    // With drafts and without, each first in turn.
    for (const way of round % 2 === 0 ? (['drafts', 'plain'] as const) : (['plain', 'drafts'] as const)) {
      const { tokens, ms } = await writingTime(engine, fresh, way === 'drafts');
      writing[way].tokens += tokens;
      writing[way].ms += ms;
    }
  }
  const { drafts, plain } = writing;

  const request = requestAt(0.5);
  const refinement = engine.refinement(request, { steps: DEFAULTS.steps });
  const runs: number[] = [];
  for (let more = true; more;) {
    const start = performance.now();
    more = await refinement.advance();
    runs.push(performance.now() - start);
  }
  const { trace } = engine.thought(refinement);
  const total = runs.reduce((sum, run) => sum + run, 0);
  return {
    prefill: { tokens_per_s: round(median(prefill)) },
    decode: {
      tokens_per_s: round((1000 * drafts.tokens) / drafts.ms),
      ms_per_token: round(drafts.ms / drafts.tokens),
      tokens_per_s_without_drafts: round((1000 * plain.tokens) / plain.ms),
    },
    refine: {
      ms_per_step: round(total / Math.max(1, trace.steps)),
      chunks: trace.chunks.length,
      longest_run_ms: round(Math.max(...runs)),
    },
  };
}

/** Tokens written after the first, and milliseconds for them: decoding asks after each whether it is still wanted. */
async function writingTime(engine: Engine, request: CompletionRequest, drafts: boolean) {
  const asked: number[] = [];
  const signal = {
    get aborted() {
      asked.push(performance.now());
      return false;
    },
  };
  await engine.complete(request, { steps: 0, maxLines: DEFAULTS.maxLines, candidates: 1, drafts, signal });
  // The first question comes before the window is read, the second with the first token.
  const [, first = 0] = asked;
  return { tokens: Math.max(0, asked.length - 2), ms: (asked.at(-1) ?? first) - first };
}

function figures(file: Text, seconds: number, thinking: Typing, plain: Typing) {
  // Where too many were superseded to tell, the longest that was seen is the least it can be.
  const ms = (durations: readonly Duration[], share: number) =>
    round(quantile(durations, share) ?? Math.max(0, ...durations.map((duration) => duration.ms)));
  return {
    file: file.path,
    seconds,
    keystrokes: thinking.answers.length,
    suggestions: thinking.suggestions,
    superseded: thinking.answers.filter(({ cut }) => cut).length,
    p50_ms: ms(thinking.answers, 0.5),
    p90_ms: ms(thinking.answers, 0.9),
    p50_no_refine_ms: ms(plain.answers, 0.5),
    p90_no_refine_ms: ms(plain.answers, 0.9),
    typed_along: thinking.typedAlong.length,
    typed_along_p90_ms: ms([...thinking.typedAlong, ...plain.typedAlong], 0.9),
    thinking_steps: thinking.thinking,
    paths: thinking.statistics.paths,
    refinement_runs_waited: thinking.statistics.refinementRunsWaited,
  };
}

function text({ model, device, load, prefill, decode, refine, replay: typed, memory }: Report): string {
  const lines: [string, string][] = [
    ['model', `${model.name} ${model.version} on ${device}, loaded in ${load.ms} ms`],
    ['reading', `${prefill.tokens_per_s} tokens/s`],
    ['writing', `${decode.tokens_per_s} tokens/s, ${decode.tokens_per_s_without_drafts} without drafts`],
    ['thinking', `${refine.ms_per_step} ms a step on ${refine.chunks} chunks, longest run ${refine.longest_run_ms} ms`],
    [
      'typing',
      `${typed.keystrokes} keystrokes in ${typed.seconds} s (${typed.file}), ${typed.suggestions} suggestions`,
    ],
    ['', `median ${typed.p50_ms} ms, 90th percentile ${typed.p90_ms} ms`],
    ['', `without thinking ${typed.p50_no_refine_ms} ms and ${typed.p90_no_refine_ms} ms`],
    ['', `typed along: 90th percentile ${typed.typed_along_p90_ms} ms (${typed.typed_along} times)`],
    ['memory', `${memory.rss_mb} MB`],
  ];
  return lines.map(([name, value]) => `${name.padEnd(9)} ${value}`).join('\n');
}

async function texts(file: string | undefined, beside: readonly string[] = []): Promise<Text[]> {
  if (file !== undefined) {
    return Promise.all(
      [file, ...beside].map(async (path) => ({ path: relative('', path), text: await readText(path) })),
    );
  }
  const root = dirname(__dirname);
  if (!OWN.every((path) => existsSync(join(root, path)))) {
    throw new UsageError('the sources of Thoughtline are not here; say with --file FILE what to type');
  }
  return OWN.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function median(values: readonly number[]): number {
  return (
    quantile(
      values.map((ms) => ({ ms })),
      0.5,
    ) ?? NaN
  );
}

/** Three significant digits are more than a measurement is worth. */
function round(value: number): number {
  return Number(value.toPrecision(3));
}
