import type { Bundle } from './bundle';
import { NumericalError, UserError } from './errors';
import type { Graphs } from './graphs';
import { readChunk } from './readChunk';

/** The outputs of one probe by name, and how long it took. */
export interface Probe {
  readonly outputs: Readonly<Record<string, Float32Array>>;
  /** Fastest of the rounds. */
  readonly milliseconds: number;
}

const TOKENS = 64;
const ROUNDS = 3;

/** Tokens of a run that only has to show that numbers come out, and whether the kernel computes the same: it takes no long runs. */
const CHECK_TOKENS = 16;

/** With a limit, a device is given up as soon as a run takes this many times as long as the whole probe on the CPU. */
const TOO_SLOW = 5;

/**
 * Runs every graph in the way completion does: a short prefill, one token on its caches, one gradient.
 * @param limit milliseconds that the CPU needs, if a device that is far slower is not wanted
 * @throws UserError as soon as it proves so
 */
export async function probe(graphs: Graphs, bundle: Bundle, limit = Infinity): Promise<Probe> {
  const tokens = probeTokens(bundle);

  // A device prepares its kernels when a graph is first run: for minutes, where software plays a GPU. One small graph
  // shows whether that is worth waiting for.
  await graphs.trunk(tokens);
  const small = await timed(() => graphs.trunk(tokens));
  if (small.milliseconds > TOO_SLOW * limit) throw tooSlow(small.milliseconds, limit);

  let outputs = await round(graphs, bundle, tokens);
  let milliseconds = Infinity;
  for (let i = 0; i < ROUNDS; i++) {
    const again = await timed(() => round(graphs, bundle, tokens));
    outputs = again.result;
    milliseconds = Math.min(milliseconds, again.milliseconds);
    if (again.milliseconds > TOO_SLOW * limit) throw tooSlow(again.milliseconds, limit);
  }
  return { outputs, milliseconds };
}

/**
 * The same computation once, for comparing a device with what it, or another, computed before.
 * @throws NumericalError if an output is not finite
 */
export function probeOnce(graphs: Graphs, bundle: Bundle): Promise<Probe['outputs']> {
  return round(graphs, bundle, probeTokens(bundle));
}

/**
 * The same over a few tokens, which a large decoder reads in a fraction of the time; a gradient only where steps are taken
 * by default.
 * @throws NumericalError if an output is not finite
 */
export function check(graphs: Graphs, bundle: Bundle): Promise<Probe['outputs']> {
  return round(graphs, bundle, probeTokens(bundle, CHECK_TOKENS), (bundle.manifest.thought?.defaultSteps ?? 0) > 0);
}

function probeTokens({ manifest }: Bundle, wanted = TOKENS): number[] {
  const count = Math.min(wanted, manifest.chunk.tokens);
  return Array.from({ length: count + 1 }, (_, i) => (i * 7919 + 11) % manifest.architecture.vocabulary);
}

async function timed<Result>(run: () => Promise<Result>): Promise<{ result: Result; milliseconds: number }> {
  const start = performance.now();
  const result = await run();
  return { result, milliseconds: performance.now() - start };
}

function tooSlow(milliseconds: number, limit: number): UserError {
  return new UserError(
    `too slow: a run takes ${milliseconds.toFixed(0)} ms, the CPU’s whole probe ${limit.toFixed(1)} ms`,
  );
}

async function round(
  graphs: Graphs,
  bundle: Bundle,
  tokens: readonly number[],
  gradient = true,
): Promise<Record<string, Float32Array>> {
  const z = bundle.prior;
  const inputs = tokens.slice(0, -1);
  const length = inputs.length;
  const [trunk, top] = [graphs.trunkCache(1, length + 1), graphs.topCache(1, length + 1)];
  const states = await graphs.trunk(inputs, trunk);
  const prefill = await graphs.top(states, z, 1, top);
  const decoded = await graphs.top(await graphs.trunk(tokens.slice(-1), trunk), z, 1, top);
  const decoder = { states, prefill, decoded };
  if (bundle.graphs.evidence === undefined || !gradient) return decoder;
  const reading = readChunk(graphs, inputs, tokens.slice(1), z);
  let step = await reading.next();
  while (!step.done) step = await reading.next();
  const evidence = await graphs.evidence(step.value, new Float32Array(length).fill(1), z);
  return {
    ...decoder,
    nll: NumericalError.check(Float32Array.of(evidence.nll), 'nll'),
    gradient: NumericalError.check(evidence.gradient.slice(), 'gradient'),
  };
}

/** Largest deviation between two probes' outputs: RMS of the difference relative to the RMS of the output. */
export function agreement(outputs: Probe['outputs'], reference: Probe['outputs']): number {
  let worst = 0;
  for (const [name, expected] of Object.entries(reference)) {
    const actual = outputs[name];
    if (actual?.length !== expected.length) return Infinity;
    let difference = 0;
    let size = 0;
    expected.forEach((value, i) => {
      difference += (value - (actual[i] ?? NaN)) ** 2;
      size += value ** 2;
    });
    const relative = Math.sqrt(difference / Math.max(size, 1e-12));
    if (!(relative <= worst)) worst = Number.isNaN(relative) ? Infinity : relative;
  }
  return worst;
}
