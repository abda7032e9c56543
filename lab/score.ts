import type { Engine, Thought } from '../src/completion/engine';
import { LruMap } from '../src/model/lru';
import { DEFAULTS } from '../src/completion/engine';
import { MODEL_OPTIONS, MODEL_USAGE, switchOption, parse } from '../src/cli/arguments';
import { UsageError, type Command } from '../src/cli/command';
import { readScoreItems, RecordWriter, type ScoreItem } from '../src/cli/jsonl';
import { openEngine } from '../src/cli/model';
import { ProgressBar } from '../src/cli/progress';
import { scoreUnderThought } from './engineMeasures';
import { stepList, thoughtsAfter } from './thoughts';

const USAGE = `npm run lab -- score --jsonl IN --out OUT [options]
  NLL of each item's target after its prefix, in nats, for each number of steps, and with the thought of an item of
  another path. IN: {"id","path","prefix","suffix","related":[{"path","text"}],"target"} a line.

  --steps LIST      numbers of steps, 0 to ${DEFAULTS.maxSteps} (default: 0,1,2,4,8)
  --memory on|off   whether the lookup memory is used (default: off: the decoder alone is scored)
${MODEL_USAGE}`;

const OPTIONS = {
  ...MODEL_OPTIONS,
  jsonl: { type: 'string' },
  out: { type: 'string' },
  steps: { type: 'string' },
  memory: { type: 'string' },
} as const;

/** Items whose thoughts are kept for others to be scored with. */
const KEPT_THOUGHTS = 256;

export const score: Command = {
  summary: 'NLL of targets under z_0, the context’s thought, and a shuffled one',
  usage: USAGE,
  async run(args) {
    const { values, positionals } = parse(args, OPTIONS);
    if (positionals.length > 0) throw new UsageError(`${positionals[0]}: not an argument of score`);
    if (values.jsonl === undefined || values.out === undefined) throw new UsageError('give --jsonl IN and --out OUT');
    const memory = switchOption('--memory', values.memory, false);
    const steps = stepList(values.steps ?? '0,1,2,4,8');

    const { items, bad } = await readScoreItems(values.jsonl);
    const engine = await openEngine(values, { trainedChunks: true });
    const writer = await RecordWriter.open(values.out);
    const bar = new ProgressBar('scoring', items.length);
    const thoughts = new LruMap<number, ReadonlyMap<number, Thought>>(KEPT_THOUGHTS);
    const think = async (index: number) => {
      const known = thoughts.get(index) ?? (await thoughtsAfter(engine, items[index] as ScoreItem, steps));
      thoughts.set(index, known);
      return known;
    };
    for (const [index, item] of items.entries()) {
      const { nats, bytes } = await scoreUnder(engine, item, await think(index), memory);
      const other = partner(items, index);
      const refined = other === undefined ? new Map<number, Thought>() : new Map(await think(other));
      // The prior is the same for every item: there is nothing to shuffle.
      refined.delete(0);
      const shuffled = await scoreUnder(engine, item, refined, memory);
      await writer.add({ id: item.id, bytes, nats, shuffled: shuffled.nats });
      bar.update(index + 1);
    }
    bar.clear();
    await writer.close();
    await engine.close();
    if (bad > 0) console.error(`thoughtline: ${items.length} scored, ${bad} bad lines`);
    return bad > 0 ? 1 : 0;
  },
};

async function scoreUnder(engine: Engine, item: ScoreItem, thoughts: ReadonlyMap<number, Thought>, memory: boolean) {
  const nats: Record<string, number> = {};
  let bytes = 0;
  for (const [count, thought] of thoughts) {
    const scored = await scoreUnderThought(engine, item, item.target, thought, { memory });
    nats[count] = scored.nats;
    bytes = scored.bytes;
  }
  return { nats, bytes };
}

/** The next item of another path, from the beginning again after the last. */
export function partner(items: readonly { path: string }[], index: number): number | undefined {
  for (let step = 1; step < items.length; step++) {
    const other = (index + step) % items.length;
    if (items[other]?.path !== items[index]?.path) return other;
  }
  return undefined;
}
