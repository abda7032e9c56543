import { MODEL_OPTIONS, MODEL_USAGE, parse, wholeNumber } from '../src/cli/arguments';
import { UsageError, type Command } from '../src/cli/command';
import { openEngine } from '../src/cli/model';
import { ProgressBar } from '../src/cli/progress';
import type { CompletionRequest, Engine, Thought } from '../src/completion/engine';
import { EditedLines } from '../src/server/edits';
import { median, milliseconds } from '../src/numbers';
import { countNewlines } from '../src/text';
import { scoreUnderThought } from './engineMeasures';
import { bitsPerByte, relativeNll } from './evaluation/bootstrap';
import { signed } from './evaluation/table';
import { readFileHistories, type FileHistory } from './nextEdits/histories';
import { stepsOf, Way } from './nextEdits/steps';
import { processorTime } from './processorTime';
import { finished, thoughtAfter } from './thoughts';

const USAGE = `npm run lab -- edits --histories DIR [options]
  What a thought is worth while a file is edited as its git history did: after 0, 10, 50 and 200 edits the texts that come
  next are scored under no thought (z_0), under one that was refined before the first edit (frozen), under that one as it
  follows the edits (warm), and under one that is refined anew (cold). DIR holds OWNER+NAME/repo, bare git directories.

  --steps N         of a cold thought (default: 4)
  --files N         of so many repositories at most (default: all)
  --minutes N       begin no further file after so many minutes
${MODEL_USAGE}`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  histories: { type: 'string' },
  steps: { type: 'string' },
  files: { type: 'string' },
  minutes: { type: 'string' },
} as const;

/** Edits after which the next texts are scored, and how many texts. */
const AFTER = [0, 10, 50, 200] as const;
const SCORED = 4;

/** Versions of a file that are gone through at most. */
const VERSIONS = 150;

/** A commit of more edits was a formatter's. */
const MAX_EDITS = 60;

/** A shorter text says nothing; of a longer one the beginning is scored. */
const LEAST_CHARACTERS = 4;
const MAX_CHARACTERS = 160;

const THOUGHTS = ['z_0', 'frozen', 'warm', 'cold'] as const;
type Which = (typeof THOUGHTS)[number];

/** What counts beside the thought's steps: nothing, or memory and kNN cache as in the product. */
const WAYS = {
  'steps alone': { memory: false, knn: false },
  'beside the memory': { memory: true, knn: true },
} as const;
type WayName = keyof typeof WAYS;

/** One text. */
interface Scored {
  readonly owner: string;
  readonly after: number;
  readonly bytes: number;
  readonly nats: Readonly<Record<WayName, Record<Which, number>>>;
}

/** Processor time of thoughts, in ms. */
interface Times {
  readonly warm: number[];
  readonly cold: number[];
}

export const edits: Command = {
  summary: 'what a thought is worth while a file is edited: frozen, warm and cold',
  usage: USAGE,
  async run(args) {
    const { values } = parse(args, OPTIONS);
    if (values.histories === undefined) throw new UsageError('give --histories DIR');
    const steps = wholeNumber('--steps', values.steps ?? '4', 1, 32);
    const files = wholeNumber('--files', values.files ?? '10000', 1, 10_000);
    const minutes = values.minutes === undefined ? Infinity : wholeNumber('--minutes', values.minutes, 1, 10_000);
    const histories = readFileHistories(values.histories, VERSIONS).slice(0, files);
    const engine = await openEngine(values, { trainedChunks: true });
    const scored: Scored[] = [];
    const times: Times = { warm: [], cold: [] };
    const until = performance.now() + minutes * 60_000;
    const bar = new ProgressBar('editing', histories.length);
    for (const [index, history] of histories.entries()) {
      if (performance.now() > until) break;
      scored.push(...(await edited(engine, history, steps, times)));
      bar.update(index + 1);
    }
    bar.clear();
    await engine.close();
    console.log(table(scored, times));
    return 0;
  },
};

/** Makes the edits of a history one after the other. */
async function edited(engine: Engine, history: FileHistory, steps: number, times: Times): Promise<Scored[]> {
  const { owner } = history;
  const lines = new EditedLines();
  const scored: Scored[] = [];
  let made = 0;
  let frozen: Thought | undefined;
  let warm = engine.prior;
  /** Those of the last of `AFTER`, and how many texts are yet to be scored under them. */
  let serving: Record<Which, Thought> | undefined;
  let left = 0;
  for (const way of waysThrough(history)) {
    for (let index = 0; index < way.length; index++) {
      const { inserted, ...span } = way.planned(index);
      const place = requestAt(way, span, lines);
      const after = AFTER.findLast((count) => count <= made) ?? 0;
      if (after === made) {
        const cold = await timed(times.cold, () => thoughtAfter(engine, place, steps));
        if (!frozen) warm = frozen = cold;
        serving = { z_0: engine.prior, frozen, warm, cold };
        left = SCORED;
      }
      if (serving && left > 0 && inserted.trim().length >= LEAST_CHARACTERS) {
        scored.push({ owner, after, ...(await scoreOf(engine, place, inserted.slice(0, MAX_CHARACTERS), serving)) });
        left--;
      }
      const line = countNewlines(way.text, 0, way.startOf(index));
      const { offset, removed } = way.make(index);
      lines.changed(
        line,
        line + countNewlines(removed, 0, removed.length),
        countNewlines(inserted, 0, inserted.length),
      );
      made++;
      // Whoever goes on elsewhere looks for the place first: time for the thought to follow.
      const end = offset + inserted.length;
      const now = requestAt(way, { start: end, end }, lines);
      warm = await timed(times.warm, () => followed(engine, now, warm, steps));
      if (made > AFTER.at(-1)! && left === 0) return scored;
    }
  }
  return scored;
}

/** From version to version, as far back as was edited by hand and is needed. */
function waysThrough({ path, versions }: FileHistory): Way[] {
  const ways: Way[] = [];
  let edits = 0;
  for (let at = versions.length - 1; at > 0 && edits < AFTER.at(-1)! + 3 * SCORED; at--) {
    const [before = '', after = ''] = versions.slice(at - 1, at + 1);
    const steps = stepsOf({ before, after });
    if (!steps || steps.length > MAX_EDITS) break;
    ways.unshift(new Way(path, before, steps));
    edits += steps.length;
  }
  return ways;
}

/** The file as it is on its way, without the text from `start` to `end`, where the cursor is. */
function requestAt(way: Way, { start, end }: { start: number; end: number }, lines: EditedLines): CompletionRequest {
  const { path, text } = way;
  return { path, prefix: text.slice(0, start), suffix: text.slice(end), related: [], edited: lines.lines };
}

/** The thought as it follows what has been edited since. */
async function followed(engine: Engine, now: CompletionRequest, before: Thought, steps: number): Promise<Thought> {
  const update = engine.follow(now, before, steps);
  return update ? finished(engine, update.refinement) : before;
}

async function scoreOf(engine: Engine, place: CompletionRequest, target: string, thoughts: Record<Which, Thought>) {
  const nats = { 'steps alone': {}, 'beside the memory': {} } as Record<WayName, Record<Which, number>>;
  for (const name of Object.keys(WAYS) as WayName[]) {
    for (const which of THOUGHTS) {
      nats[name][which] = (await scoreUnderThought(engine, place, target, thoughts[which], WAYS[name])).nats;
    }
  }
  return { bytes: Buffer.byteLength(target), nats };
}

async function timed<Result>(times: number[], run: () => Promise<Result>): Promise<Result> {
  const spent = processorTime();
  const result = await run();
  times.push(spent());
  return result;
}

function table(scored: readonly Scored[], { warm, cold }: Times): string {
  const owners = new Set(scored.map(({ owner }) => owner)).size;
  const rows = (Object.keys(WAYS) as WayName[]).flatMap((name) =>
    AFTER.map((after) => {
      const texts = scored.filter((one) => one.after === after);
      const bits = bitsPerByte(texts.map((text) => ({ ...text, nats: text.nats[name].z_0 })));
      const against = (which: Which, base: Which) => {
        const both = texts.map(({ owner, nats: { [name]: of } }) => ({ owner, nats: of[which], before: of[base] }));
        return signed(relativeNll(both), 100, 1);
      };
      const of = new Set(texts.map(({ owner }) => owner)).size;
      const cells = [name, after, `${texts.length} of ${of}`, bits?.mean.toFixed(3) ?? '–'];
      const changes = (['frozen', 'warm', 'cold'] as const).map((which) => against(which, 'z_0'));
      return `| ${[...cells, ...changes, against('warm', 'cold')].join(' | ')} |`;
    }),
  );
  return [
    `${scored.length} texts of ${owners} owners; NLL in per cent, in brackets 95 % intervals by owner.`,
    '',
    '| what counts | edits before | texts of owners | z_0, bits a byte | frozen | warm | cold | warm against cold |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `Processor time of a thought, median: ${milliseconds(median(cold))} cold (${cold.length}), ${milliseconds(median(warm))} to follow an edit (${warm.length}).`,
  ].join('\n');
}
