import type { Bundle } from '../model/bundle';
import type { Graphs } from '../model/graphs';

/**
 * The longest that one gradient may take, in milliseconds: decoding waits for it if it comes in between. About 50 is
 * meant; the margin keeps a machine that is busy for a moment from choosing otherwise than the next time.
 */
const LIMIT_MS = 75;

/** The shortest chunk worth a run of its own. */
const MIN_TOKENS = 32;

const ROUNDS = 5;

/** Tokens of an evidence chunk on this machine: what the bundle was trained with, halved until a gradient is short enough. */
export async function measureChunkTokens(graphs: Graphs, bundle: Bundle): Promise<number> {
  return chunkTokens(bundle.manifest.chunk.tokens, (tokens) => gradientTime(graphs, bundle, tokens));
}

/** @param measure milliseconds of a gradient over so many tokens */
export async function chunkTokens(trained: number, measure: (tokens: number) => Promise<number>): Promise<number> {
  let tokens = trained;
  while (tokens / 2 >= MIN_TOKENS && (await measure(tokens)) > LIMIT_MS) tokens = Math.floor(tokens / 2);
  return tokens;
}

/** The fastest of some rounds: what else the machine does should not make chunks shorter. */
async function gradientTime(graphs: Graphs, bundle: Bundle, length: number): Promise<number> {
  const tokens = Array.from({ length }, (_, i) => (i * 7919 + 11) % bundle.manifest.architecture.vocabulary);
  const weights = new Float32Array(length).fill(1);
  const read = { states: await graphs.trunk(tokens), targets: tokens };
  let fastest = Infinity;
  for (let round = 0; round <= ROUNDS && fastest > LIMIT_MS; round++) {
    const start = performance.now();
    await graphs.evidence(read, weights, bundle.prior);
    fastest = Math.min(fastest, performance.now() - start);
  }
  return fastest;
}
