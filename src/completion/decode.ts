import type { Conditioning, Decoder } from '../model/decoder';
import type { Tokenizer } from '../model/tokenizer';
import { speculate, type Draft } from './draft';
import { consume, logSumExp, type Healed } from './heal';
import type { Mix } from './recall';
import { cutUnfinished, cutWord, stopAt, type Place, type Stop } from './stop';

export interface Candidate {
  readonly text: string;
  /** log p of its tokens, of the one that ended it included, in nats. */
  readonly logprob: number;
  readonly stop: Stop;
}

export interface DecodeOptions {
  readonly place: Place;
  /** 1 = greedy; more = width of the beam. */
  readonly width: number;
  readonly maxTokens: number;
  readonly endToken: number;
  /** What else has a say in each token; the decoder alone decides without it. */
  readonly mix?: Mix | undefined;
  /** What may come next; greedily, it is tried, which changes the time that writing takes and not what is written. */
  readonly draft?: Draft | undefined;
  readonly signal?: { readonly aborted: boolean } | undefined;
  /** Milliseconds after which no further token is begun; none by default, so that every machine writes the same. */
  readonly budget?: number | undefined;
  /** The clock of the budget, in milliseconds. */
  readonly now?: () => number;
}

/** The beginning of a suggestion. */
interface Hypothesis {
  readonly tokens: readonly number[];
  readonly bytes: Uint8Array;
  readonly need: Uint8Array;
  readonly logprob: number;
}

interface Step extends Hypothesis {
  readonly parent: number;
  readonly token: number;
}

/**
 * Continues a window greedily, or with a beam.
 * @param head tokens of the window before the healed prefix
 * @returns candidates, the most probable first; undefined if it was aborted between two tokens
 */
export async function decode(
  decoder: Decoder,
  tokenizer: Tokenizer,
  thought: Conditioning,
  head: readonly number[],
  healed: Healed,
  options: DecodeOptions,
): Promise<Candidate[] | undefined> {
  const window = [...head, ...healed.tokens];
  const { width, place, signal, budget = Infinity, now = () => performance.now() } = options;
  const deadline = now() + budget;
  const candidates: Candidate[] = [];
  let live: Hypothesis[] = [{ tokens: [], bytes: new Uint8Array(0), need: healed.need, logprob: 0 }];
  // Branches go on from the caches of the window, so these must hold nothing else.
  const ask = speculate(decoder, thought, width === 1 ? options.draft : undefined);
  let logits = [await ask(window, healed.tokens, options.maxTokens - 1)];
  let branches: ReturnType<Decoder['branch']> | undefined;

  for (let length = 0; length < options.maxTokens; length++) {
    if (signal?.aborted) return undefined;
    const rows = logits.map((row, i) => options.mix?.(row, [...healed.tokens, ...(live[i]?.tokens ?? [])]) ?? row);
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
    if (budget !== Infinity && now() > deadline) return outOfTime(candidates, live, options);
    if (width === 1) {
      const tokens = live[0]?.tokens ?? [];
      const context = [...healed.tokens, ...tokens];
      logits = [await ask([...window, ...tokens], context, options.maxTokens - 1 - tokens.length)];
    } else {
      branches ??= decoder.branch(thought, width, options.maxTokens);
      logits = await advance(branches, going);
    }
  }
  for (const { bytes, logprob } of live) {
    candidates.push({ text: cutUnfinished(textOf(bytes), place), logprob, stop: 'length' });
  }
  return ranked(candidates, width);
}

/** What has been finished; if nothing has, the beginnings without the word that is being written. */
function outOfTime(candidates: readonly Candidate[], live: readonly Hypothesis[], { place, width }: DecodeOptions) {
  if (candidates.length > 0) return ranked(candidates, width);
  const cut = live.map(({ bytes, logprob }) => ({
    text: cutWord(textOf(bytes), place),
    logprob,
    stop: 'time' as const,
  }));
  return ranked(cut, width);
}

/** The most probable continuations of the live hypotheses by one token, at most `width`. */
function expand(
  live: readonly Hypothesis[],
  logits: readonly Float32Array[],
  tokenizer: Tokenizer,
  { width, endToken }: DecodeOptions,
): Step[] {
  const steps: Step[] = [];
  live.forEach((hypothesis, parent) => {
    const row = logits[parent];
    if (!row) return;
    const { need } = hypothesis;
    const ids = need.length > 0 ? tokenizer.compatible(need) : undefined;
    const total = logSumExp(row, ids);
    for (const token of mostProbable(row, width, (id) => id === endToken || tokenizer.bytes(id).length > 0, ids)) {
      const after = consume(need, tokenizer.bytes(token));
      steps.push({
        parent,
        token,
        tokens: [...hypothesis.tokens, token],
        bytes: Buffer.concat([hypothesis.bytes, after.text]),
        need: after.need,
        logprob: hypothesis.logprob + (row[token] ?? -Infinity) - total,
      });
    }
  });
  return steps.sort((a, b) => b.logprob - a.logprob).slice(0, width);
}

/** The `count` ids with the highest logits, highest first. */
function mostProbable(
  logits: Float32Array,
  count: number,
  allowed: (id: number) => boolean,
  ids: Iterable<number> = logits.keys(),
): number[] {
  const best: number[] = [];
  for (const id of ids) {
    const logit = logits[id] ?? -Infinity;
    const last = best[count - 1];
    if ((last !== undefined && logit <= (logits[last] ?? -Infinity)) || !allowed(id)) continue;
    let at = best.length;
    while (at > 0 && logit > (logits[best[at - 1] as number] ?? -Infinity)) at--;
    best.splice(at, 0, id);
    best.length = Math.min(best.length, count);
  }
  return best;
}

function end(step: Step, { endToken, place }: DecodeOptions): Candidate | undefined {
  const text = textOf(step.bytes);
  if (step.token === endToken) return { text: text.trimEnd(), logprob: step.logprob, stop: 'end' };
  const stopped = stopAt(text, place);
  return stopped && { ...stopped, logprob: step.logprob };
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

/** Text of generated bytes, without the beginning of a character at the end. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
}
