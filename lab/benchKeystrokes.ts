import type { CompletionRequest, Engine } from '../src/completion/engine';
import { cutWindow } from '../src/completion/window';
import type { Bundle } from '../src/model/bundle';
import type { InfillPrompt } from '../src/model/manifest';
import { randomFrom } from '../src/model/random';
import { restMs } from '../src/server/schedule';
import { round } from './benchReplay';
import { writeTokens } from './engineMeasures';
import type { Peer } from './peer/llama';
import { quantile } from './quantile';
import { middle, type } from './typist';
import type { SourceFile } from './typing';

/** Keystrokes that are replayed. */
const KEYSTROKES = 240;

/** What a keystroke costs until the first token of a suggestion can be written. */
interface Cost {
  /** Tokens read. */
  readonly tokens: number;
  readonly ms: number;
}

/**
 * Somebody types the middle of a file, and each keystroke asks for the first token of a suggestion: the engine, and
 * llama.cpp as its editor plug-ins ask it, with what stands before the cursor, then what follows. Either keeps what it has
 * read. Where the typist rests, the engine reads again what has become stale; these tokens are counted by themselves.
 * @returns undefined for a model that does not fill in
 */
export async function replayKeystrokes(engine: Engine, peer: Peer, file: SourceFile, seed: number) {
  const { bundle, prior } = engine;
  const { prompt } = bundle.manifest;
  if (prompt?.style !== 'prefix-suffix-middle') return undefined;
  const ours: Cost[] = [];
  const theirs: Cost[] = [];
  let idle = 0;
  let before: readonly number[] = [];
  for (const { request, rested } of requestsOf(file, seed, KEYSTROKES)) {
    if (rested) idle += await rest(engine, rested);
    const tokens = Math.max(1, engine.unread(request));
    ours.push({ tokens, ms: await timed(() => writeTokens(engine, request, prior, 1, false)) });
    const asked = pluginPrompt(bundle, prompt, request);
    const ms = await timed(() => peer.write(asked, 1));
    theirs.push({ tokens: Math.max(1, asked.length - shared(before, asked)), ms });
    before = asked;
  }
  // Before the first one nothing was read.
  const [we, they] = [costs(ours.slice(1)), costs(theirs.slice(1))];
  return {
    count: ours.length - 1,
    ours: { ...we, idle_tokens_mean: round(idle / (ours.length - 1)) },
    theirs: they,
    ms_ratio: { mean: round(we.ms.mean / they.ms.mean), p50: round(we.ms.p50 / they.ms.p50) },
  };
}

/** A request for each keystroke, and where the typist rested before it the one of the text that stood there meanwhile. */
function* requestsOf({ path, text }: SourceFile, seed: number, count: number) {
  const { start, typed, cursor } = middle(text);
  let document = start;
  let last: CompletionRequest | undefined;
  for (const { edit, pause, cursor: at } of type(start, typed, cursor, randomFrom(seed))) {
    if (edit) document = document.slice(0, edit.from) + edit.text + document.slice(edit.to);
    const request = { path, prefix: document.slice(0, at), suffix: document.slice(at), related: [] };
    yield { request, rested: pause >= restMs ? last : undefined };
    last = request;
    if (--count === 0) return;
  }
}

/** Reads a window as it is. @returns how many tokens of it are read */
async function rest(engine: Engine, request: CompletionRequest): Promise<number> {
  const tokens = engine.unread(request, true);
  const runs = engine.prepare(request, engine.prior, { memory: false });
  while (!(await runs.next()).done);
  return tokens;
}

/** [prefix] text up to the cursor [suffix] text [middle]: the texts of our own window, which moves in hops. */
function pluginPrompt(bundle: Bundle, { prefix, suffix, middle }: InfillPrompt, request: CompletionRequest): number[] {
  const { context, prefix: line, head, parts } = cutWindow(request, bundle.tokenizer, bundle.manifest);
  const after = parts ? head.slice(parts.suffixStart + 1, parts.suffixEnd - 1) : [];
  return [prefix, ...context, ...line, suffix, ...after, middle];
}

function shared(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

function costs(all: readonly Cost[]) {
  const of = (values: readonly number[]) => ({
    p50: round(
      quantile(
        values.map((ms) => ({ ms })),
        0.5,
      ) ?? NaN,
    ),
    p90: round(
      quantile(
        values.map((ms) => ({ ms })),
        0.9,
      ) ?? NaN,
    ),
    mean: round(values.reduce((sum, value) => sum + value, 0) / values.length),
  });
  return { tokens: of(all.map(({ tokens }) => tokens)), ms: of(all.map(({ ms }) => ms)) };
}
