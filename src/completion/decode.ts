import type { Conditioning, Decoder } from '../model/decoder';
import type { Tokenizer } from '../model/tokenizer';
import { plainAround } from './around';
import type { DecodeOptions } from './decodeOptions';
import { speculate } from './draft';
import type { HealedPrompt } from './heal';
import { beginning, end, expand, textOf, unfinished, type Candidate, type Hypothesis, type Step } from './hypothesis';
import { cutUnfinished } from './stop';

/** For so long something is written, so that a window that was long to read is not followed by nothing. */
const MIN_WRITING_MS = 60;

/**
 * Continues a window greedily, or with a beam.
 * @param head tokens of the window before the healed prefix
 * @returns candidates, the most probable first; undefined if it was aborted between two runs
 */
export async function decode(
  decoder: Decoder,
  tokenizer: Tokenizer,
  thought: Conditioning,
  head: readonly number[],
  healed: HealedPrompt,
  options: DecodeOptions,
): Promise<Candidate[] | undefined> {
  const { around = plainAround(head) } = options;
  const window = [...head, ...healed.tokens];
  const {
    width,
    cursor,
    signal,
    minLogprob = -Infinity,
    timeBudget = Infinity,
    now = () => performance.now(),
  } = options;
  const begun = now();
  const candidates: Candidate[] = [];
  let live: Hypothesis[] = [beginning(healed)];
  // Branches go on from the caches of the window, so these must hold nothing else.
  const ask = speculate(decoder, thought, width === 1 ? options.draft : undefined, signal);
  let next = await ask(window, around.context(healed.tokens), options.maxTokens - 1);
  if (!next) return undefined;
  let logits = [next];
  const deadline = Math.max(begun + timeBudget, now() + Math.min(timeBudget, MIN_WRITING_MS));
  let branches: ReturnType<Decoder['branch']> | undefined;

  for (let length = 0; length < options.maxTokens; length++) {
    if (signal?.aborted) return undefined;
    const rows = logits.map((row, i) => {
      const written = [...healed.tokens, ...(live[i]?.tokens ?? [])];
      const { rows } = around;
      const state = { thought, rows, row: head.length + written.length - 1, hiddenKey: branches?.hiddenKey(i) };
      return options.mix?.(row, around.context(written), state) ?? row;
    });
    const steps = expand(live, rows, tokenizer, options);
    const going: Step[] = [];
    for (const step of steps) {
      const ended = end(step, options);
      if (ended) candidates.push(ended);
      else going.push(step);
    }
    live = going;
    if (live.length === 0 || settled(candidates, live, width)) return ranked(candidates, width);
    if (length + 1 === options.maxTokens) break;
    if (width === 1 && live.every(({ logprob }) => logprob < minLogprob)) return live.map(lowConfidence);
    if (timeBudget !== Infinity && now() > deadline) return outOfTime(candidates, live, options);
    if (width === 1) {
      const tokens = live[0]?.tokens ?? [];
      const context = around.context([...healed.tokens, ...tokens]);
      next = await ask([...window, ...tokens], context, options.maxTokens - 1 - tokens.length);
      if (!next) return undefined;
      logits = [next];
    } else {
      branches ??= decoder.branch(thought, width, options.maxTokens);
      logits = await advance(branches, going);
    }
  }
  return ranked([...candidates, ...live.map((hypothesis) => unfinished(hypothesis, cursor))], width);
}

/** What has been finished; if nothing has, the beginnings without the word that is being written. */
function outOfTime(candidates: readonly Candidate[], live: readonly Hypothesis[], { cursor, width }: DecodeOptions) {
  if (candidates.length > 0) return ranked(candidates, width);
  const cut = live.map(({ bytes, tokens, logprob, marks }) => ({
    text: cutUnfinished(textOf(bytes), cursor),
    tokens,
    logprob,
    marks,
    stop: 'time' as const,
  }));
  return ranked(cut, width);
}

function lowConfidence({ bytes, tokens, logprob, marks }: Hypothesis): Candidate {
  return { text: textOf(bytes), tokens, logprob, marks, stop: 'lowConfidence' };
}

/** Whether no live hypothesis can still overtake the candidates found: log-probabilities only fall. */
function settled(candidates: readonly Candidate[], live: readonly Hypothesis[], width: number): boolean {
  const enough = ranked(candidates, width)[width - 1];
  return enough !== undefined && live.every(({ logprob }) => logprob <= enough.logprob);
}

function ranked(candidates: readonly Candidate[], width: number): Candidate[] {
  return [...candidates].sort((a, b) => b.logprob - a.logprob).slice(0, width);
}

async function advance(branches: ReturnType<Decoder['branch']>, steps: readonly Step[]): Promise<Float32Array[]> {
  // The batch keeps its size: a place without a hypothesis repeats the first one.
  const places = Array.from({ length: branches.batch }, (_, i) => (steps[i] ?? steps[0]) as Step);
  branches.reorder(places.map((step) => step.parent));
  const logits = await branches.append(places.map((step) => step.token));
  const size = logits.length / branches.batch;
  return steps.map((_, i) => logits.subarray(i * size, (i + 1) * size));
}
