import { joined, toBfloat16 } from './arrays';
import type { KeyValueCache } from './cache';
import type { Graphs, ReadChunk } from './graphs';
import { mostProbable, summarise } from './softmax';

/** Tokens of a run: so few that whoever waits for a suggestion does not wait for it. */
const RUN = 32;

/** At each row the softmax tells so many of the likeliest tokens apart, those of other rows, and the chunk's own. */
const LIKELIEST = 32;

/** Of nothing: its e^logit is zero. */
const NONE = -1e9;

/**
 * Reads a chunk of evidence, a run for each `next()`.
 * @param inputs tokens, of which the last ones are the scored rows
 * @param targets the token after each scored row
 * @param prior z without a thought
 * @param alternatives how many of the likeliest tokens at each row the softmax tells apart
 */
export async function* readChunk(
  graphs: Graphs,
  inputs: readonly number[],
  targets: readonly number[],
  prior: Float32Array,
  alternatives = LIKELIEST,
): AsyncGenerator<void, ReadChunk> {
  if (!(await graphs.hasShortlist())) return { states: await graphs.trunk(inputs), targets };
  const first = inputs.length - targets.length;
  const [trunk, top] = [graphs.trunkCache(1, inputs.length), graphs.topCache(1, inputs.length)];
  const choices = new Set(targets);
  const states: Float32Array[] = [];
  const sums: number[] = [];
  for (let from = 0; from < inputs.length;) {
    // No run has rows of both kinds.
    const to = Math.min(from + RUN, from < first ? first : inputs.length);
    const read = await graphs.trunk(inputs.slice(from, to), trunk);
    const scores = from >= first;
    const logits = await graphs.top(read, prior, scores ? to - from : 1, top);
    if (scores) {
      states.push(read);
      const size = logits.length / (to - from);
      for (let at = 0; at < logits.length; at += size) {
        const row = logits.subarray(at, at + size);
        for (const token of mostProbable(row, alternatives)) choices.add(token);
        sums.push(summarise(row).total);
      }
    }
    from = to;
    yield;
  }
  const list = [...choices];
  const placeOf = new Map(list.map((token, place) => [token, place]));
  const bare = {
    states: toBfloat16(joined(states)),
    targets: targets.map((token) => placeOf.get(token) ?? 0),
    shortlist: { choices: list, rest: new Float32Array(targets.length).fill(NONE), past: pastOf(top, first) },
  };
  const { logSums = [] } = await graphs.evidence(bare, new Float32Array(targets.length), prior);
  const rest = Float32Array.from(sums, (all, row) => logDifference(all, logSums[row] ?? all));
  return { ...bare, shortlist: { ...bare.shortlist, rest } };
}

/** log(e^all − e^part); of what is not more, nothing. */
export function logDifference(all: number, part: number): number {
  return part < all ? all + Math.log1p(-Math.exp(part - all)) : NONE;
}

/** Keys and values of the first rows of a cache, table by table. */
function pastOf(cache: KeyValueCache, rows: number): Uint16Array[] {
  const { kvHeads } = cache.shape;
  return Array.from({ length: 2 * cache.shape.layers }, (_, table) => {
    const heads = Array.from({ length: kvHeads }, (_unused, head) => cache.rows(table, head, 0, rows));
    return toBfloat16(joined(heads));
  });
}
