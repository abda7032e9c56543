import type { CompletionResult, ThoughtTrace } from '../completion/engine';
import type { CompletionRequest } from '../completion/engine';

const BAR = 28;

/**
 * The thought as text: what it rests on, and the NLL of each step with a bar that starts at the lowest.
 * @param readsThought whether the decoder reads one
 */
export function formatTrace(trace: ThoughtTrace, readsThought: boolean): string {
  if (!readsThought) return 'thought: none (this model completes from the text around the cursor alone)';
  if (trace.chunks.length === 0) return 'thought: none (no text outside the window, or no steps wanted)';
  const heldOut = trace.chunks.filter((chunk) => chunk.heldOut).length;
  const lines = [
    `thought: ${trace.steps} steps on ${trace.chunks.length} chunks (${heldOut} held out) of ${paths(trace)}, ` +
      `${(trace.coverage * 100).toFixed(0)} % of the text outside the window, ${trace.milliseconds.toFixed(0)} ms`,
    'step  evidence NLL  held-out NLL            KL  (all in nats per token)',
  ];
  const max = Math.max(...trace.nll);
  const min = Math.min(...trace.nll);
  trace.nll.forEach((nll, step) => {
    const share = max === min ? 0 : (nll - min) / (max - min);
    lines.push(
      `${String(step).padStart(4)}${nll.toFixed(4).padStart(14)}${(trace.heldOut[step]?.toFixed(4) ?? '–').padStart(14)}` +
        `${(trace.kl[step]?.toFixed(4) ?? '').padStart(14)}  ${'▇'.repeat(1 + Math.round(share * BAR))}` +
        (step === trace.best ? ' ← kept' : ''),
    );
  });
  return lines.join('\n');
}

function paths(trace: ThoughtTrace): string {
  const distinct = [...new Set(trace.chunks.map((chunk) => chunk.path))];
  return distinct.length <= 3
    ? distinct.join(', ')
    : `${distinct.slice(0, 3).join(', ')} and ${distinct.length - 3} more`;
}

const LINES_BEFORE = 6;

/** The cursor's surroundings with the suggestion in its place. */
export function formatInPlace(request: CompletionRequest, result: CompletionResult, colour: boolean): string {
  const before = request.prefix.split('\n').slice(-LINES_BEFORE).join('\n');
  const after = request.suffix.slice(result.replaceSuffix).split('\n').slice(0, 2).join('\n');
  const [dim, mark, reset] = colour ? ['\x1b[2m', '\x1b[1;36m', '\x1b[0m'] : ['', '⟦', '⟧'];
  const suggestion = colour ? `${mark}${result.text}${reset}` : `${mark}${result.text}${reset}`;
  return `${dim}${before}${colour ? reset : ''}${suggestion}${dim}${after}${colour ? reset : ''}`;
}
