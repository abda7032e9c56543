import type { Decoder } from '../model/decoder';
import { Deadline } from './deadline';
import type { DecodeOptions } from './decodeOptions';
import { beginning, end, expand, unfinished, type Candidate, type Hypothesis, type Step } from './hypothesis';
import { mixed, tokensOf, type ConditionedWindow } from './prepared';

type Branches = ReturnType<Decoder['branch']>;

/**
 * Continues a window with the most probable texts, `width` at a time.
 * @returns candidates, the most probable first; undefined if it was aborted between two runs
 */
export async function beam(window: ConditionedWindow, options: DecodeOptions): Promise<Candidate[] | undefined> {
  const { decoder, tokenizer, thought, healed, mix } = window;
  const { cursor, endTokens, maxTokens, signal, width } = options;
  const deadline = new Deadline(options);
  const candidates: Candidate[] = [];
  let live: readonly Hypothesis[] = [beginning(healed)];
  const first = await decoder.logits(tokensOf(window), thought, 1, signal);
  if (!first) return undefined;
  let logits: Float32Array[] = [first];
  // Branches go on from the caches of the window.
  let branches: Branches | undefined;
  deadline.start();
  for (let length = 1; ; length++) {
    if (signal?.aborted) return undefined;
    const rows = logits.map((row, i) => mixed(window, row, live[i]?.tokens ?? [], branches?.hiddenKey(i)));
    const going: Step[] = [];
    for (const step of expand(live, rows, tokenizer, { width, endTokens, mix })) {
      const ended = end(step, options);
      if (ended) candidates.push(ended);
      else going.push(step);
    }
    live = going;
    if (live.length === 0 || settled(candidates, live, width)) return ranked(candidates, width);
    if (length >= maxTokens) break;
    if (deadline.passed) {
      // What has been finished; if nothing has, the beginnings.
      return ranked(candidates.length > 0 ? candidates : live.map((one) => unfinished(one, cursor, 'time')), width);
    }
    branches ??= decoder.branch(thought, width, maxTokens);
    logits = await advance(branches, going);
  }
  return ranked([...candidates, ...live.map((hypothesis) => unfinished(hypothesis, cursor))], width);
}

/** Whether no live hypothesis can still overtake the candidates found: log-probabilities only fall. */
function settled(candidates: readonly Candidate[], live: readonly Hypothesis[], width: number): boolean {
  const enough = ranked(candidates, width)[width - 1];
  return enough !== undefined && live.every(({ logprob }) => logprob <= enough.logprob);
}

function ranked(candidates: readonly Candidate[], width: number): Candidate[] {
  return [...candidates].sort((a, b) => b.logprob - a.logprob).slice(0, width);
}

async function advance(branches: Branches, steps: readonly Step[]): Promise<Float32Array[]> {
  // The batch keeps its size: a place without a hypothesis repeats the first one.
  const places = Array.from({ length: branches.batch }, (_, i) => (steps[i] ?? steps[0]) as Step);
  branches.reorder(places.map((step) => step.parent));
  const logits = await branches.append(places.map((step) => step.token));
  const size = logits.length / branches.batch;
  return steps.map((_, i) => logits.subarray(i * size, (i + 1) * size));
}
