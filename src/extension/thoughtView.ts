import { milliseconds, percent } from '../numbers';
import { escapeHtml } from '../plot/html';
import { plot } from '../plot/plot';
import { deviceName } from './deviceName';
import { statusView } from './statusView';
import type { Status, ThoughtReport } from '../protocol';

/** What the panel shows about one document. */
export interface ThoughtViewInput {
  /** Path of the document, for people; undefined when no editor is open. */
  file: string | undefined;
  report: ThoughtReport | null;
  status: Status;
  /** The document's language where suggestions are off for it. */
  languageOff?: string | undefined;
  /** Steps that are wanted now; the report may still be of others. */
  inferenceSteps: number;
  /** Whether that is what pays with the model, since the user wants no other number. */
  automatic?: boolean | undefined;
}

/** The panel's changing part as HTML without scripts, event handlers or inline styles. */
export function thoughtHtml(input: ThoughtViewInput): string {
  const { file, report, status, languageOff } = input;
  const state = statusView(status, { languageOff }).label;
  const head = `<p class="state" role="status">${escapeHtml(state)}.</p>`;
  if (file === undefined) return `${head}<p>Open a file to see what is thought about it.</p>`;
  const name = `<h2>${escapeHtml(file)}</h2>`;
  if (report === null) return `${name}${head}<p>${nothingYet(status, languageOff)}</p>`;
  return [
    name,
    head,
    figures(report, input),
    curve(report),
    changes(report),
    evidence(report),
    suggestion(report),
    choice(report),
    latencies(report),
    model(report),
  ].join('\n');
}

function nothingYet(status: Status, languageOff: string | undefined): string {
  if (status.state === 'off') return 'Suggestions are off, so nothing is thought about any file.';
  if (status.state === 'failed') return 'There is no thought while the model is not running.';
  if (languageOff !== undefined) return 'Nothing is thought about files of this language.';
  if (status.readsThought === false)
    return 'This model reads no thought: it completes from the text around the cursor.';
  return 'No thought on this file yet.';
}

function figures(report: ThoughtReport, { inferenceSteps, automatic }: ThoughtViewInput): string {
  const { trace } = report;
  const start = trace.nll[0];
  const kept = trace.nll[trace.best];
  const heldStart = trace.heldOut[0];
  const heldKept = trace.heldOut[trace.best];
  return `<dl class="figures">
${figure('Inference steps', `${inferenceSteps}${automatic ? ' (automatic)' : ''}`, stepsNote(report, inferenceSteps), 'steps')}
${figure('Evidence', nats(kept), change(report, start, kept), 'evidence')}
${figure('Held-out evidence', nats(heldKept), change(report, heldStart, heldKept), 'held-out')}
${figure('KL from the prior', nats(trace.kl[trace.best]), 'nats per token: what it costs', 'kl')}
${figure('File coverage', percent(trace.coverage), 'of the text outside the window', 'coverage')}
${figure('Last suggestion', milliseconds(report.lastSuggestion?.milliseconds), report.lastSuggestion ? `stopped at: ${report.lastSuggestion.stop}` : 'none yet', 'latency')}
</dl>`;
}

function stepsNote(report: ThoughtReport, inferenceSteps: number): string {
  const { steps, best } = report.trace;
  if (inferenceSteps === 0) return 'no thinking';
  if (report.steps !== inferenceSteps) return `thought made with ${report.steps}`;
  const done = report.kind === 'warm' ? `${steps} more after an edit` : `${steps} done`;
  return steps === best ? done : `${done}, step ${best} kept`;
}

function figure(term: string, value: string, note: string, key: string): string {
  return `<div data-figure="${key}"><dt>${escapeHtml(term)}</dt><dd>${escapeHtml(value)}</dd><dd class="note">${escapeHtml(note)}</dd></div>`;
}

function curve({ trace, kind, startedFrom }: ThoughtReport): string {
  const series = [
    { name: 'evidence', style: 'evidence', values: trace.nll },
    { name: 'held-out evidence', style: 'held-out', values: trace.heldOut },
  ].filter(({ values }) => values.some(Number.isFinite));
  if (series.length === 0) return '<p>The whole file fits into the window, so there is no evidence to think about.</p>';
  const rows = trace.nll.map(
    (value, step) =>
      `<tr${step === trace.best ? ' class="kept"' : ''}><th scope="row">${step}${step === trace.best ? ' (kept)' : ''}</th><td>${number(value, 3)}</td><td>${number(trace.heldOut[step], 3)}</td><td>${number(trace.kl[step], 3)}</td></tr>`,
  );
  const since =
    kind === 'warm'
      ? '<p class="note">From the thought before the last edit; only what changed was read again.</p>'
      : startedFrom === 'workspace'
        ? '<p class="note">From what the thoughts about other files of this workspace have in common.</p>'
        : '';
  return `<h3>Refinement</h3>
${since}
<figure>
${plot({ series, marked: trace.best, xTitle: 'refinement step', yTitle: 'nats per token', width: 560, height: 260 })}
<figcaption>${series.map(({ name, style }) => `<span class="key ${style}">${name}</span>`).join(' ')} <span class="key marked">kept</span></figcaption>
</figure>
${kl(trace)}
<details data-section="steps"><summary>The numbers</summary>
<table><thead><tr><th scope="col">Step</th><th scope="col">Evidence</th><th scope="col">Held-out</th><th scope="col">KL</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>
</details>`;
}

function kl({ kl: values, best }: ThoughtReport['trace']): string {
  if (!values.some(Number.isFinite)) return '';
  const series = [{ name: 'KL from the prior', style: 'kl', values }];
  return `<figure>
${plot({ series, marked: best, xTitle: 'refinement step', yTitle: 'KL, nats per token', width: 560, height: 180 })}
<figcaption><span class="key kl">distance from the prior</span> <span class="key marked">kept</span></figcaption>
</figure>`;
}

/** What the thought does at the cursor: the probability of a token without it, and with it. */
function changes({ changes: tokens }: ThoughtReport): string {
  if (tokens.length === 0) return '';
  const rows = tokens.map(
    ({ text, before, after }) =>
      `<tr class="${after > before ? 'more' : 'less'}"><td><code>${escapeHtml(visible(text))}</code></td><td>${share(before)}</td><td>${share(after)}</td><td>${after > before ? 'more' : 'less'} likely</td></tr>`,
  );
  return `<h3>What it changes at the cursor</h3>
<table class="changes"><thead><tr><th scope="col">Next token</th><th scope="col">Without</th><th scope="col">With</th><th scope="col">Change</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>`;
}

/** Blanks and line breaks as signs. */
function visible(text: string): string {
  return text.replaceAll('\n', '⏎').replaceAll('\t', '⇥').replaceAll(' ', '␣');
}

function share(probability: number): string {
  return `${(100 * probability).toFixed(1)} %`;
}

function evidence({ trace }: ThoughtReport): string {
  if (trace.chunks.length === 0) return '';
  const rows = trace.chunks.map(
    (chunk) =>
      `<tr><td>${escapeHtml(chunk.path)}</td><td>${chunk.line}</td><td>${chunk.tokens}</td><td>${chunk.heldOut ? 'validation' : chunk.edited ? 'training ×2 (recently edited)' : 'training'}</td></tr>`,
  );
  const tokens = trace.chunks.reduce((sum, chunk) => sum + chunk.tokens, 0);
  return `<h3>Evidence</h3>
<details data-section="chunks"><summary>${trace.chunks.length} chunks, ${tokens} tokens</summary>
<table class="chunks"><thead><tr><th scope="col">File</th><th scope="col">Line</th><th scope="col">Tokens</th><th scope="col">Part</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>
</details>`;
}

function suggestion(report: ThoughtReport): string {
  const { lastSuggestion } = report;
  if (lastSuggestion === undefined) return '';
  return `<h3>Last suggestion</h3>
<pre tabindex="0" aria-label="Text of the last suggestion">${escapeHtml(lastSuggestion.text) || '(nothing)'}</pre>
<p class="note">${milliseconds(lastSuggestion.milliseconds)}, log-probability ${number(lastSuggestion.logprob, 2)}</p>
<p class="note">Conditioned on ${conditions[lastSuggestion.under]} and on ${windowText(report)}.</p>`;
}

const conditions: Record<NonNullable<ThoughtReport['lastSuggestion']>['under'], string> = {
  this: 'this thought',
  earlier: 'an earlier thought: this one has come since',
  start: 'what there was before any thinking about this file',
};

function windowText({ window }: ThoughtReport): string {
  return `a window of ${window.prefixTokens} tokens before the cursor and ${window.suffixTokens} after`;
}

/** What several thoughts wrote for one place, and how probable each of them takes each text to be. */
function choice({ choice: texts }: ThoughtReport): string {
  if (texts === undefined || texts.length === 0) return '';
  const samples = texts[0]?.logprobs.length ?? 0;
  const rows = texts.map(
    ({ text, logprob, logprobs }) =>
      `<tr><td><code>${escapeHtml(text.trim().split('\n')[0] ?? '')}</code></td><td>${number(logprob, 2)}</td><td>${number(Math.min(...logprobs), 2)} … ${number(Math.max(...logprobs), 2)}</td></tr>`,
  );
  return `<h3>Texts to choose from</h3>
<p class="note">${samples} samples of the thought each began another. Log-probability under all of them, and the lowest and the highest under one.</p>
<table class="choice"><thead><tr><th scope="col">First line</th><th scope="col">All</th><th scope="col">One</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>`;
}

function latencies({ latencies: times, trace }: ThoughtReport): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => milliseconds(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  const suggestions =
    sorted.length === 0
      ? 'The model has written no suggestion yet'
      : `The last ${sorted.length} that the model wrote took ${at(0.5)} (median), ${at(0.9)} (90th percentile)`;
  return `<h3>Latencies</h3>
<p class="note">${suggestions}; this thought ${milliseconds(trace.milliseconds)} of the model, while you did not type.</p>`;
}

function model(report: ThoughtReport): string {
  const { model: used, device } = report;
  return `<p class="note">Model ${escapeHtml(used.name)} ${escapeHtml(used.version)} on ${escapeHtml(deviceName(device))}; ${windowText(report)}.</p>`;
}

function nats(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(3);
}

function change({ kind }: ThoughtReport, from: number | undefined, to: number | undefined): string {
  if (from === undefined || to === undefined || !(from > 0) || !Number.isFinite(to)) return 'nats per token';
  const share = (100 * (to - from)) / from;
  return `nats per token, ${share <= 0 ? '−' : '+'}${Math.abs(share).toFixed(1)} % ${kind === 'warm' ? 'since the edit' : 'since step 0'}`;
}

function number(value: number | undefined, digits: number): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  // Digits after the point tell nothing about thousands.
  const shown = Math.abs(value) >= 1000 ? 0 : digits;
  return value.toLocaleString('en', { minimumFractionDigits: shown, maximumFractionDigits: shown }).replace('-', '−');
}

/** What stays on the page around it. */
export const thoughtFrame = `<header>
<h1>Thought</h1>
<div class="dial">
<label for="steps">Inference steps</label>
<input id="steps" type="range" min="0" max="32" step="1" aria-describedby="dial-note">
<output id="steps-value" for="steps"></output>
<span id="dial-note" class="note">0: no thinking; more: slower, closer to this file</span>
</div>
<div class="actions">
<button type="button" data-command="why">Why no suggestion?</button>
<button type="button" data-command="showLog">Show log</button>
</div>
</header>
<main id="thought" aria-busy="true"></main>`;
