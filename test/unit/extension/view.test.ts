import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { escapeHtml } from '../../../src/plot/html';
import { languageEnabled } from '../../../src/settings';
import { plot, ticks } from '../../../src/plot/plot';
import { restartDelay, restartLimit, restartWindow } from '../../../src/extension/restarts';
import { statusView, type Standstill } from '../../../src/extension/statusView';
import { thoughtHtml } from '../../../src/extension/thoughtView';
import type { Status, ThoughtReport } from '../../../src/protocol';

describe('the status item', () => {
  const cases: [Status, Standstill | undefined, RegExp, RegExp][] = [
    [{ state: 'loading' }, undefined, /loading/, /is loading its model/],
    [{ state: 'ready', device: 'cpu' }, undefined, /sparkle/, /is ready on cpu$/],
    [{ state: 'ready', device: 'cpu', model: 'coder 1.0' }, undefined, /sparkle/, /is ready: coder 1\.0 on cpu$/],
    [
      { state: 'ready', device: 'cpu', model: 'nano 0.7.1', problem: 'no such folder' },
      undefined,
      /sparkle/,
      /is ready: nano 0\.7\.1 on cpu\. The model that was chosen cannot be used: no such folder$/,
    ],
    [
      { state: 'ready', device: 'cpu', endpoint: { host: 'gpu.example' } },
      undefined,
      /cloud/,
      /is ready on cpu\. Text around the cursor is sent to gpu\.example, which writes$/,
    ],
    [
      { state: 'ready', device: 'cpu', endpoint: { host: 'gpu.example', model: 'qwen' } },
      undefined,
      /cloud/,
      /sent to qwen at gpu\.example, which writes$/,
    ],
    [
      { state: 'ready', device: 'cpu', endpoint: { host: 'gpu.example', problem: 'gpu.example: it is busy' } },
      undefined,
      /cloud/,
      /is ready on cpu\. It writes, since the endpoint does not: gpu\.example: it is busy$/,
    ],
    [{ state: 'ready', device: 'wasm' }, undefined, /sparkle/, /is ready on the CPU in WebAssembly, which is slower$/],
    [{ state: 'ready', device: 'cpu' }, { languageOff: 'markdown' }, /circle-slash/, /off in markdown files/],
    [{ state: 'thinking', device: 'cpu', step: 2, steps: 4 }, undefined, /2\/4/, /step 2 of 4 on cpu/],
    [
      { state: 'thinking', device: 'cpu', model: 'nano 0.7.1', step: 2, steps: 4 },
      undefined,
      /2\/4/,
      /step 2 of 4: nano 0\.7\.1 on cpu$/,
    ],
    [
      { state: 'ready', device: 'cpu' },
      { snoozed: 'snoozed until restart' },
      /bell-slash/,
      /is snoozed until restart$/,
    ],
    [
      { state: 'ready', device: 'cpu' },
      { languageOff: 'markdown', snoozed: 'snoozed for 5 more minutes' },
      /bell-slash/,
      /5 more minutes$/,
    ],
    [
      { state: 'ready', device: 'cpu' },
      { beside: { language: 'go', news: true } },
      /info.* Thoughtline beside Copilot$/,
      /is ready on cpu\. GitHub Copilot suggests in go files, too$/,
    ],
    [
      { state: 'ready', device: 'cpu' },
      { beside: { language: 'go', news: false } },
      /sparkle/,
      /GitHub Copilot suggests in go files, too$/,
    ],
    [
      { state: 'ready', device: 'cpu' },
      { beside: { language: 'go', news: true }, languageOff: 'go' },
      /circle-slash/,
      /off in go files$/,
    ],
    [{ state: 'failed', reason: 'gone' }, { snoozed: 'snoozed until restart' }, /warning/, /failed: gone$/],
    [{ state: 'off' }, { snoozed: 'snoozed until restart' }, /circle-slash/, /is off$/],
    [{ state: 'off' }, undefined, /circle-slash/, /is off$/],
    [{ state: 'failed', reason: 'no such folder' }, undefined, /warning/, /failed: no such folder$/],
    [{ state: 'failed' }, undefined, /warning/, /failed: the log says why$/],
  ];
  for (const [status, standstill, text, label] of cases) {
    test(`${status.state} ${JSON.stringify(standstill ?? {})}`, () => {
      const view = statusView(status, standstill);
      assert.match(view.text, text);
      assert.match(view.label, label);
      const problem = status.problem ?? status.endpoint?.problem;
      const warns = status.state === 'failed' || problem !== undefined;
      assert.equal(view.severity, warns ? 'warning' : 'normal');
    });
  }
});

describe('restarts of the server', () => {
  test('the first comes at once, later ones ever later, then none', () => {
    const times = Array.from({ length: restartLimit }, (_, index) => index * 1000);
    const delays = times.map((_, index) => restartDelay(times.slice(0, index + 1)));
    assert.deepEqual(delays, [100, 1000, 2000, 4000, null]);
  });

  test('ends of long ago do not count', () => {
    const old = Array.from({ length: 20 }, (_, index) => index);
    assert.equal(restartDelay([...old, restartWindow + 100]), 100);
  });
});

describe('languages', () => {
  const cases: [unknown, string, boolean][] = [
    [{ '*': true, markdown: false }, 'typescript', true],
    [{ '*': true, markdown: false }, 'markdown', false],
    [{ '*': false, rust: true }, 'rust', true],
    [{ '*': false, rust: true }, 'go', false],
    [{}, 'go', true],
    [undefined, 'go', true],
    [null, 'go', true],
    ['nonsense', 'go', true],
  ];
  for (const [languages, language, on] of cases) {
    test(`${JSON.stringify(languages)}: ${language} is ${on ? 'on' : 'off'}`, () => {
      assert.equal(languageEnabled(languages as Record<string, unknown>, language), on);
    });
  }
});

describe('the plot', () => {
  test('ticks are round, cover the range, and are about as many as asked for', () => {
    assert.deepEqual(ticks(2.07, 2.6, 4), [2, 2.2, 2.4, 2.6]);
    assert.deepEqual(ticks(0, 4, 8), [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]);
    assert.deepEqual(ticks(8.96, 9.01, 4), [8.96, 8.98, 9, 9.02]);
    assert.deepEqual(ticks(1, 1, 4), [1]);
    assert.deepEqual(ticks(0, Infinity, 4), [0]);
  });

  test('every value is a point, gaps are left out, and nothing is drawn outside of the picture', () => {
    const svg = plot({
      series: [
        { name: 'evidence', style: 'evidence', values: [3, 2.5, 2.2] },
        { name: 'held-out', style: 'held-out', values: [3.1, Number.NaN, 2.4] },
      ],
      marked: 2,
      xTitle: 'step',
      yTitle: 'nats',
      width: 400,
      height: 200,
    });
    assert.equal(svg.match(/<circle/g)?.length, 5);
    assert.equal(svg.match(/<polyline/g)?.length, 2);
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
    for (const [, x, y] of svg.matchAll(/cx="([^"]+)" cy="([^"]+)"/g)) {
      assert.ok(Number(x) >= 0 && Number(x) <= 400 && Number(y) >= 0 && Number(y) <= 200);
    }
    assert.match(svg, /role="img" aria-label="evidence: 3.000 at step 0, 2.200 at step 2; held-out: /);
  });

  test('one value, equal values and no values are drawn without nonsense', () => {
    const options = { marked: 0, xTitle: '', yTitle: '', width: 300, height: 200 };
    const of = (values: number[]) => plot({ ...options, series: [{ name: 'a', style: 'a', values }] });
    for (const svg of [of([2]), of([2, 2, 2]), of([0])]) assert.doesNotMatch(svg, /NaN|Infinity/);
    assert.equal(of([]), '');
    assert.equal(of([Number.NaN]), '');
  });
});

describe('the thought panel', () => {
  const report: ThoughtReport = {
    uri: 'file:///project/src/a.ts',
    steps: 4,
    kind: 'cold',
    device: 'cpu',
    window: { prefixTokens: 300, suffixTokens: 128 },
    model: { name: 'nano', version: '0.1.0' },
    lastSuggestion: {
      text: '<b>bold</b> & "quoted"',
      milliseconds: 41.6,
      logprob: -1.25,
      stop: 'newline',
      under: 'this',
    },
    startedFrom: 'prior',
    changes: [
      { text: ' Chunk', before: 0.031, after: 0.124 },
      { text: '</script>\n', before: 0.2, after: 0.15 },
    ],
    latencies: [],
    trace: {
      steps: 4,
      nll: [2.5, 2.4, 2.3, 2.2, 2.1],
      heldOut: [2.6, 2.5, 2.4, 2.45, 2.5],
      kl: [0, 0.15, 0.2, 0.25, 0.3],
      best: 2,
      coverage: 0.825,
      chunks: [
        { path: 'src/<script>.ts', line: 12, tokens: 100, heldOut: false },
        { path: 'src/a.ts', line: 40, tokens: 90, heldOut: true },
      ],
      runs: 6,
      milliseconds: 300,
    },
  };
  const input = { file: 'src/a.ts', report, status: { state: 'ready', device: 'cpu' } as Status, inferenceSteps: 4 };

  test('it shows the kept step, its gain, coverage and the last suggestion', () => {
    const html = thoughtHtml(input);
    assert.match(html, /4 done, step 2 kept/);
    assert.match(html, /2\.300<\/dd><dd class="note">nats per token, −8\.0 % since step 0/);
    assert.match(html, /0\.200<\/dd><dd class="note">nats per token: what it costs/);
    assert.match(html, /8[23] %/);
    assert.match(html, /42 ms/);
    assert.match(html, /2 chunks, 190 tokens/);
  });

  test('it shows what the thought changes at the cursor, and says nothing where it changes nothing', () => {
    const html = thoughtHtml(input);
    assert.match(html, /<code>␣Chunk<\/code><\/td><td>3\.1 %<\/td><td>12\.4 %<\/td><td>more likely/);
    assert.match(html, /<code>&lt;\/script&gt;⏎<\/code><\/td><td>20\.0 %<\/td><td>15\.0 %<\/td><td>less likely/);
    assert.doesNotMatch(thoughtHtml({ ...input, report: { ...report, changes: [] } }), /more likely/);
  });

  test('it shows what the last suggestion was conditioned on', () => {
    const under = (under: 'this' | 'earlier' | 'start') =>
      thoughtHtml({ ...input, report: { ...report, lastSuggestion: { ...report.lastSuggestion!, under } } });
    assert.match(under('this'), /Conditioned on this thought and on a window of 300 tokens before the cursor and 128/);
    assert.match(under('earlier'), /Conditioned on an earlier thought/);
    assert.match(under('start'), /before any thinking about this file/);
    assert.match(
      thoughtHtml({ ...input, report: { ...report, startedFrom: 'workspace' } }),
      /other files of this workspace/,
    );
  });

  test('it plots NLL and KL, each with its numbers for screen readers', () => {
    const html = thoughtHtml(input);
    assert.equal(html.match(/<svg[^>]* role="img" aria-label="[^"]+"/g)?.length, 2);
    assert.match(html, /aria-label="KL from the prior: 0\.000 at step 0/);
  });

  test('it shows the texts of several samples, how they differ, and latencies', () => {
    const choice = [
      { text: 'a();\nb();', logprob: -1, logprobs: [-1.1, -0.9] },
      { text: '<i>', logprob: -4, logprobs: [-4.5, -3.75] },
    ];
    const latencies = [100, 20, 30, 40, 50, 60, 70, 80, 90, 10];
    const html = thoughtHtml({ ...input, report: { ...report, choice, latencies } });
    assert.match(html, /2 samples of the thought/);
    assert.match(html, /<code>a\(\);<\/code><\/td><td>−1\.00<\/td><td>−1\.10 … −0\.90/);
    assert.match(html, /&lt;i&gt;<\/code><\/td><td>−4\.00<\/td><td>−4\.50 … −3\.75/);
    assert.match(
      html,
      /The last 10 that the model wrote took 60 ms \(median\), 100 ms \(90th percentile\); this thought 300 ms/,
    );
    assert.doesNotMatch(thoughtHtml(input), /samples of the thought/);
  });

  test('text of files and suggestions cannot become markup', () => {
    const html = thoughtHtml({ ...input, file: 'src/<img onerror=x>.ts' });
    assert.doesNotMatch(html, /<script|<img|<b>/);
    assert.match(html, /&lt;b&gt;bold&lt;\/b&gt; &amp; &quot;quoted&quot;/);
    assert.doesNotMatch(html, / style=| on\w+="/);
    assert.equal(escapeHtml(`&<>"'`), '&amp;&lt;&gt;&quot;&#39;');
  });

  test('a thought of an older setting says so; no thinking says so', () => {
    assert.match(thoughtHtml({ ...input, inferenceSteps: 8 }), /<dd>8<\/dd><dd class="note">thought made with 4/);
    assert.match(thoughtHtml({ ...input, inferenceSteps: 0 }), /no thinking/);
  });

  test('a thought that followed an edit says so', () => {
    const html = thoughtHtml({ ...input, report: { ...report, kind: 'warm' } });
    assert.match(html, /4 more after an edit, step 2 kept/);
    assert.match(html, /since the edit/);
  });

  test('a file that fits into the window has no curve', () => {
    const trace = {
      ...report.trace,
      steps: 0,
      nll: [],
      heldOut: [],
      kl: [],
      best: 0,
      chunks: [],
      coverage: Number.NaN,
    };
    const html = thoughtHtml({ ...input, report: { ...report, trace } });
    assert.doesNotMatch(html, /<svg|NaN|undefined/);
    assert.match(html, /fits into the window/);
  });

  test('without a report it says why', () => {
    const say = (status: Status) => thoughtHtml({ ...input, report: null, status });
    assert.match(say({ state: 'off' }), /Suggestions are off/);
    assert.match(say({ state: 'failed', reason: 'bad <file>' }), /bad &lt;file&gt;/);
    assert.match(say({ state: 'ready' }), /No thought on this file yet/);
    const off = { ...input, report: null, languageOff: 'markdown' };
    assert.match(thoughtHtml(off), /off in markdown files.*Nothing is thought about files of this language/s);
    assert.match(thoughtHtml({ ...input, file: undefined, report: null }), /Open a file/);
  });
});
