/**
 * Does thinking help on text that a model never saw? The text is frozen in test/fixtures/sources. Where z is zeroed, taken
 * from another repository, or refinement does nothing, the gate is shut.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MODEL_OPTIONS, MODEL_USAGE, parse } from '../src/cli/arguments';
import { UsageError, type Command } from '../src/cli/command';
import { openEngine } from '../src/cli/model';
import { ProgressBar } from '../src/cli/progress';
import type { CompletionRequest, Engine, Thought } from '../src/completion/engine';
import { normaliseNewlines } from '../src/text';
import { scoreUnderThought } from './engineMeasures';
import { thoughtAfter } from './thoughts';

const STEPS = 4;
const TARGET_CHARACTERS = 400;
const LINES_PER_FILE = 8;

/** Share of a line that has been typed when it is completed. */
const TYPED = 0.6;

/** Where in a file its targets lie, and how many lines are completed at each of these places. */
const PLACES = [0.45, 0.2, 0.7];
const LINES_PER_PLACE = 200;

/** Completions that a thought must change at least, as a share. */
const CHANGED = 0.1;

interface Item extends CompletionRequest {
  readonly target: string;
}

interface SourceText {
  readonly path: string;
  readonly text: string;
}

interface Lines {
  count: number;
  changed: number;
  exactBefore: number;
  exactAfter: number;
}

/** One requirement: what was found, and whether it is met. */
export interface GateResult {
  readonly text: string;
  readonly met: boolean;
}

export const gate: Command = {
  summary: 'the gate of a release: does a thought help beyond two standard errors?',
  usage: `npm run lab -- gate [options]
  Thinks about frozen files and completes lines of them. Met are four requirements: a thought lowers the negative
  log-likelihood of a text that it has not seen against z_0, against a thought of zeros and against the thought of another
  repository, each beyond two standard errors; and of ${LINES_PER_PLACE * PLACES.length} lines at least a tenth change, with no fewer exact ones.

${MODEL_USAGE}`,
  async run(args) {
    const { values, positionals } = parse(args, MODEL_OPTIONS);
    if (positionals.length > 0) throw new UsageError(`${positionals[0]}: not an argument of gate`);
    const engine = await openEngine(values, { trainedChunks: true });
    const results = await measure(engine);
    await engine.close();
    for (const { text, met } of results) console.log(`${met ? 'met    ' : 'not met'} ${text}`);
    return results.every(({ met }) => met) ? 0 : 1;
  },
};

async function measure(engine: Engine): Promise<GateResult[]> {
  const { prior } = engine;
  const zero: Thought = { ...prior, version: -1, mu: new Float32Array(prior.mu.length) };
  const shuffled = await thoughtAfter(engine, foreignRequest(), STEPS);
  const nll = new Map<string, number[]>();
  const lines: Lines = { count: 0, changed: 0, exactBefore: 0, exactAfter: 0 };
  const files = sourceFiles();
  const bar = new ProgressBar('thinking', PLACES.length * files.length);
  for (const [at, place] of PLACES.entries()) {
    let left = LINES_PER_PLACE;
    for (const [i, file] of files.entries()) {
      if (left === 0) break;
      const item = itemIn(file, place);
      // The target is cut out of the file: no thought about it has seen it.
      const context = await thoughtAfter(engine, item, STEPS);
      // One target a file: those of the same file are not independent.
      if (at === 0) {
        for (const [name, thought] of Object.entries({ context, prior, zero, shuffled })) {
          const { nats, bytes } = await scoreUnderThought(engine, item, item.target, thought);
          nll.set(name, [...(nll.get(name) ?? []), nats / bytes]);
        }
      }
      const items = lineItems(file, item).slice(0, left);
      left -= items.length;
      for (const line of items) await countLine(engine, line, context, lines);
      bar.update(at * files.length + i + 1);
    }
  }
  bar.clear();
  const against = (name: string) => (nll.get('context') ?? []).map((value, i) => value - (nll.get(name)?.[i] ?? NaN));
  return [
    belowZero('thought − z_0', against('prior')),
    belowZero('thought − zeros', against('zero')),
    belowZero('thought − that of another repository', against('shuffled')),
    linesResult(lines),
  ];
}

async function countLine(engine: Engine, line: Item, context: Thought, lines: Lines): Promise<void> {
  const without = await complete(engine, line, engine.prior);
  const after = await complete(engine, line, context);
  lines.count++;
  if (without !== after) lines.changed++;
  if (without === line.target) lines.exactBefore++;
  if (after === line.target) lines.exactAfter++;
}

/** Whether the mean of paired differences is below zero by more than two standard errors. */
export function belowZero(what: string, differences: readonly number[]): GateResult {
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (differences.length - 1);
  const error = Math.sqrt(variance / differences.length);
  const text = `${what}: ${mean.toFixed(4)} ± ${error.toFixed(4)} nats a byte over ${differences.length} files`;
  return { text, met: mean + 2 * error < 0 };
}

/** Whether a thought changes enough of the lines and makes no fewer of them exact. */
export function linesResult({ count, changed, exactBefore, exactAfter }: Readonly<Lines>): GateResult {
  const text = `${changed} of ${count} lines changed, ${exactBefore} → ${exactAfter} exact`;
  return { text, met: count > 0 && changed >= CHANGED * count && exactAfter >= exactBefore };
}

/** Source files with text outside the window: this repository's own as they once were, so that the items stay the same. */
function sourceFiles(): SourceText[] {
  const folder = join(dirname(__dirname), 'test', 'fixtures', 'sources');
  return readdirSync(folder)
    .sort()
    .map((name) => ({
      path: name.replaceAll('__', '/').replace(/\.txt$/, ''),
      text: normaliseNewlines(readFileSync(join(folder, name), 'utf8')),
    }));
}

/** A target within a file, cut out of what the request shows. */
function itemIn({ path, text }: SourceText, place: number): Item {
  const from = text.indexOf('\n', text.length * place) + 1;
  const to = text.indexOf('\n', from + TARGET_CHARACTERS) + 1;
  return { path, prefix: text.slice(0, from), suffix: text.slice(to), target: text.slice(from, to), related: [] };
}

/** Cursors within the lines of an item's target, each with the rest of its line as a target of its own. */
function lineItems({ path, text }: SourceText, item: Item): Item[] {
  const items: Item[] = [];
  let from = item.prefix.length;
  for (const line of item.target.split('\n').slice(0, -1)) {
    const indent = line.length - line.trimStart().length;
    const cut = from + indent + Math.floor((line.length - indent) * TYPED);
    const end = from + line.length;
    if (line.trim().length > 8) {
      const [prefix, target, suffix] = [text.slice(0, cut), text.slice(cut, end), text.slice(end)];
      items.push({ path, prefix, suffix, target, related: [] });
    }
    from = end + 1;
  }
  return items.slice(0, LINES_PER_FILE);
}

/** By the decoder alone: the lookup memory would hide what the thought does. */
async function complete(engine: Engine, item: Item, thought: Thought): Promise<string> {
  const { text } = await engine.complete(item, { steps: 0, maxLines: 1, candidates: 1, memory: false, thought });
  return text;
}

/** A place in a file of another repository. */
function foreignRequest(): CompletionRequest {
  const path = 'node_modules/semver/classes/range.js';
  const text = normaliseNewlines(readFileSync(join(dirname(__dirname), path), 'utf8'));
  const at = text.indexOf('\n', text.length / 2) + 1;
  return { path, prefix: text.slice(0, at), suffix: text.slice(at), related: [] };
}
