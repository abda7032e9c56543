import { relative } from 'node:path';
import {
  CONFIDENCE_LEVELS,
  DEFAULTS,
  type CompletionOptions,
  type CompletionResult,
  type Engine,
} from '../completion/engine';
import { MODEL_OPTIONS, MODEL_USAGE, switchOption, parse, stepsOption, wholeNumber, oneOf } from './arguments';
import { UsageError, type Command } from './command';
import { completionItem, countItems, readItems, RecordWriter } from './jsonl';
import { openEngine } from './model';
import { cutAt, parseLocation, readText, withoutLineRest } from './location';
import { ProgressBar } from './progress';
import { formatInPlace, formatTrace } from './trace';

const USAGE = `thoughtline complete FILE:LINE:COL [options]
thoughtline complete - --path FILE [options]           text before the cursor on standard input
thoughtline complete -:LINE:COL --path FILE [options]  whole text on standard input
thoughtline complete --jsonl IN --out OUT [options]    {"id","path","prefix","suffix","related":[{"path","text"}]} a line

  --steps N         steps of thought, 0 to ${DEFAULTS.maxSteps} (default: as many as pay with the model)
  --max-lines N     longest suggestion in lines (default: ${DEFAULTS.maxLines})
  --candidates N    width of the beam (default: ${DEFAULTS.candidates}: greedy)
  --memory on|off   whether the lookup memory is used (default: on)
  --rank-by-confidence on|off  whether candidates are ranked by confidence, not by likelihood (default: ${DEFAULTS.rankByConfidence ? 'on' : 'off'})
  --syntax-check on|off  whether what cannot be parsed is repaired or withheld (default: ${DEFAULTS.syntaxCheck ? 'on' : 'off'})
  --confidence C    ${CONFIDENCE_LEVELS.join(', ')}: what the model is not sure of is withheld (default: ${DEFAULTS.confidence})
  --related FILE    another file to think about and look things up in; may be given more than once
  --path FILE       what standard input is called
  --forget          as if the rest of the cursor's line were not written yet
  --trace           print the thought's steps, too
  --json            print everything as JSON
${MODEL_USAGE}`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  steps: { type: 'string' },
  'max-lines': { type: 'string' },
  candidates: { type: 'string' },
  memory: { type: 'string' },
  'rank-by-confidence': { type: 'string' },
  'syntax-check': { type: 'string' },
  confidence: { type: 'string' },
  related: { type: 'string', multiple: true },
  path: { type: 'string' },
  forget: { type: 'boolean' },
  trace: { type: 'boolean' },
  json: { type: 'boolean' },
  jsonl: { type: 'string' },
  out: { type: 'string' },
} as const;

type Values = ReturnType<typeof parse<typeof OPTIONS>>['values'];

export const complete: Command = {
  summary: 'complete at a place in a file, or many requests of a JSONL file',
  usage: USAGE,
  async run(args) {
    // `-:LINE:COL` would be taken for an option.
    const input = args.filter((arg) => /^-:\d+:\d+$/.test(arg));
    const parsed = parse(
      args.filter((arg) => !input.includes(arg)),
      OPTIONS,
    );
    const { values } = parsed;
    const positionals = [...input, ...parsed.positionals];
    const options: CompletionOptions = {
      steps: stepsOption(values.steps),
      maxLines: wholeNumber('--max-lines', values['max-lines'] ?? String(DEFAULTS.maxLines), 1, 64),
      candidates: wholeNumber('--candidates', values.candidates ?? String(DEFAULTS.candidates), 1, 16),
      memory: switchOption('--memory', values.memory, DEFAULTS.memory),
      rankByConfidence: switchOption('--rank-by-confidence', values['rank-by-confidence'], DEFAULTS.rankByConfidence),
      syntaxCheck: switchOption('--syntax-check', values['syntax-check'], DEFAULTS.syntaxCheck),
      confidence: oneOf('--confidence', values.confidence ?? DEFAULTS.confidence, CONFIDENCE_LEVELS),
    };
    if (values.jsonl === undefined) return completeOne(positionals, values, options);
    if (positionals.length > 0) throw new UsageError(`${positionals[0]}: give either a place or --jsonl`);
    if (values.out === undefined) throw new UsageError('--jsonl needs --out OUT');
    return completeAll(values.jsonl, values.out, values, options);
  },
};

async function completeOne(positionals: readonly string[], values: Values, options: CompletionOptions) {
  const [argument, extra] = positionals;
  if (argument === undefined) throw new UsageError('give the cursor as FILE:LINE:COL, or --jsonl IN --out OUT');
  if (extra !== undefined) throw new UsageError(`${extra}: one place at a time`);
  if (values.out !== undefined) throw new UsageError('--out goes with --jsonl');
  const location = parseLocation(argument);
  if (location.file === '-' && values.path === undefined)
    throw new UsageError('- needs --path FILE: what the text is called');
  const path = values.path ?? relative('', location.file);
  const related = await Promise.all(
    (values.related ?? []).map(async (file) => ({ path: file, text: await readText(file) })),
  );
  const cut = cutAt(await readText(location.file), location, path);
  const { suffix, rest } = values.forget ? withoutLineRest(cut.suffix) : { suffix: cut.suffix, rest: '' };
  const request = { path, related, prefix: cut.prefix, suffix };

  const engine = await openEngine(values);
  const result = await engine.complete(request, options);
  if (values.json) {
    console.log(JSON.stringify({ path, ...report(engine, result) }, null, 2));
  } else if (values.trace) {
    console.log(`${describe(engine)}\n\n${formatTrace(result.thought, engine.readsThought)}\n`);
    console.log(
      result.text === '' ? `no suggestion: ${result.reason}` : formatInPlace(request, result, process.stdout.isTTY),
    );
    console.log(`\n${summary(result)}`);
    if (rest !== '') console.log(`in the file stands: ${rest}`);
  } else if (result.text !== '') {
    console.log(result.text);
  } else {
    console.error(`no suggestion: ${result.reason}`);
  }
  await engine.close();
  return 0;
}

async function completeAll(input: string, out: string, values: Values, options: CompletionOptions) {
  const bar = new ProgressBar('completing', await countItems(input));
  const engine = await openEngine(values);
  const writer = await RecordWriter.open(out);
  let done = 0;
  let bad = 0;
  const report = (problem: string) => {
    bad++;
    bar.clear();
    console.error(`thoughtline: ${problem}`);
  };
  for await (const { id, ...request } of readItems(input, completionItem, report)) {
    const { text, candidates, milliseconds, thought } = await engine.complete(request, options);
    await writer.add({
      id,
      completion: text,
      candidates,
      milliseconds,
      thought: { nll: thought.nll, kl: thought.kl[thought.best] ?? 0 },
    });
    bar.update(++done + bad);
  }
  await writer.close();
  await engine.close();
  bar.clear();
  if (bad > 0) console.error(`thoughtline: ${done} completed, ${bad} bad lines`);
  return bad > 0 ? 1 : 0;
}

/** The same fields as in `--jsonl`, and what else is known. */
function report(engine: Engine, { text, thought, ...result }: CompletionResult) {
  const { name, version } = engine.bundle.manifest;
  return {
    completion: text,
    ...result,
    thought: { ...thought, kl: thought.kl[thought.best] ?? 0, klOfSteps: thought.kl },
    device: engine.device.device,
    model: { name, version },
  };
}

function describe(engine: Engine): string {
  const { name, version } = engine.bundle.manifest;
  return `${name} ${version} on ${engine.device.device}, ${engine.device.threads} threads`;
}

function summary({ milliseconds, candidates, stop }: CompletionResult): string {
  const logprob = candidates[0] ? `, log p = ${candidates[0].logprob.toFixed(2)}` : '';
  return `${milliseconds.toFixed(0)} ms in all${logprob}, ended by ${stop}`;
}
