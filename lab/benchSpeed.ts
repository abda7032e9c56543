import { basename } from 'node:path';
import { DEFAULTS, type CompletionOptions, type CompletionRequest, type Engine } from '../src/completion/engine';
import { round } from './benchReplay';
import { writeTokens } from './engineMeasures';
import { quantile } from './quantile';
import type { SourceFile } from './typing';

/** Steps of a thought that are timed. */
const STEPS = 4;

/** Speed of the engine by itself: reading a full window, writing at places of the file, and a cold refinement. */
export async function measureSpeed(engine: Engine, file: SourceFile, related: readonly SourceFile[]) {
  const prefill: number[] = [];
  const writing = { drafts: { tokens: 0, ms: 0 }, plain: { tokens: 0, ms: 0 } };
  for (const [round, fresh] of placesIn(file, related).entries()) {
    const { prefixTokens, suffixTokens } = engine.window(fresh);
    const start = performance.now();
    const filling = engine.prepare(fresh, engine.prior);
    while (!(await filling.next()).done);
    prefill.push((1000 * (prefixTokens + suffixTokens)) / (performance.now() - start));
    // With drafts and without, each first in turn.
    for (const way of round % 2 === 0 ? (['drafts', 'plain'] as const) : (['plain', 'drafts'] as const)) {
      await forgetWritten(engine, fresh);
      const { tokens, ms } = await writingTime(engine, fresh, { drafts: way === 'drafts' });
      writing[way].tokens += tokens;
      writing[way].ms += ms;
    }
  }
  const { drafts, plain } = writing;

  const request = requestAt(file, related, 0.5);
  const refinement = engine.refinement(request, { steps: STEPS });
  const runs: number[] = [];
  for (let more = true; more;) {
    const start = performance.now();
    more = await refinement.advance();
    runs.push(performance.now() - start);
  }
  const { trace } = engine.thought(refinement);
  const total = runs.reduce((sum, run) => sum + run, 0);
  return {
    prefill: { tokens_per_s: round(median(prefill)) },
    decode: {
      tokens_per_s: round((1000 * drafts.tokens) / drafts.ms),
      ms_per_token: round(drafts.ms / drafts.tokens),
      tokens_per_s_without_drafts: round((1000 * plain.tokens) / plain.ms),
    },
    refine: {
      ms_per_step: round(total / Math.max(1, trace.steps)),
      chunks: trace.chunks.length,
      longest_run_ms: round(Math.max(...runs)),
    },
  };
}

/** Nine places of a file, each in a window of its own: its path is another one, so that nothing of it is cached. */
export function placesIn(file: SourceFile, related: readonly SourceFile[]): CompletionRequest[] {
  return Array.from({ length: 9 }, (_, i) => ({
    ...requestAt(file, related, (i + 1) / 10),
    path: `round${i}/${basename(file.path)}`,
  }));
}

function requestAt(file: SourceFile, related: readonly SourceFile[], share: number): CompletionRequest {
  const at = file.text.indexOf('\n', Math.floor(file.text.length * share)) + 1;
  return { path: file.path, prefix: file.text.slice(0, at), suffix: file.text.slice(at), related };
}

/** Makes the decoder forget what it wrote behind a window, and keep the window: another token is read there. */
export async function forgetWritten(engine: Engine, request: CompletionRequest): Promise<void> {
  await writeTokens(engine, { ...request, prefix: `${request.prefix}~ ` }, engine.prior, 1);
}

/** Tokens written behind a window that has been read, and milliseconds for them. */
export async function writingTime(
  engine: Engine,
  request: CompletionRequest,
  how: Pick<CompletionOptions, 'memory' | 'drafts'>,
) {
  // Thinking is no part of writing.
  const options = { steps: 0, thought: engine.prior, maxLines: DEFAULTS.maxLines, candidates: 1, ...how };
  const start = performance.now();
  const { written } = await engine.complete(request, options);
  return { tokens: written, ms: performance.now() - start };
}

export function median(values: readonly number[]): number {
  return (
    quantile(
      values.map((ms) => ({ ms })),
      0.5,
    ) ?? NaN
  );
}
