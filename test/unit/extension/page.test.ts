import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pageHtml } from '../../../src/extension/page';
import { noStatistics } from '../../../src/extension/statistics';
import { statisticsPage } from '../../../src/extension/statisticsView';
import { thoughtFrame, thoughtHtml, type ThoughtViewInput } from '../../../src/extension/thoughtView';

const address = 'https://file+.vscode-resource.example/media';
const source = 'https://*.vscode-resource.example';

const pages = {
  thought: pageHtml({
    title: 'Thought',
    source,
    style: `${address}/thought.css`,
    script: { address: `${address}/thought.js`, nonce: 'Kq3-_x' },
    body: thoughtFrame,
  }),
  statistics: pageHtml({
    title: 'Statistics',
    source,
    style: `${address}/thought.css`,
    body: statisticsPage(noStatistics),
  }),
};

/** The opening tags of a text, with their attributes. */
function tags(html: string): { name: string; attributes: Record<string, string> }[] {
  return [...html.matchAll(/<([a-z][a-z0-9]*)\b((?:[^>"]|"[^"]*")*)>/gi)].map(([, name, rest]) => ({
    name: name!.toLowerCase(),
    attributes: Object.fromEntries(
      [...rest!.matchAll(/([\w-]+)(?:="([^"]*)")?/g)].map(([, key, value]): [string, string] => [key!, value ?? '']),
    ),
  }));
}

function policy(html: string): string[] {
  const meta = tags(html).filter(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy');
  assert.equal(meta.length, 1, 'one policy');
  return meta[0]!.attributes['content']!.replaceAll('&#39;', "'").split('; ');
}

describe('a webview’s page', () => {
  for (const [name, html] of Object.entries(pages)) {
    test(`${name}: nothing written in the page itself runs or styles it`, () => {
      for (const { name: tag, attributes } of tags(html)) {
        for (const attribute of Object.keys(attributes)) assert.doesNotMatch(attribute, /^on|^style$|^srcdoc$/i);
        assert.ok(!['style', 'iframe', 'object', 'embed', 'form', 'base'].includes(tag), tag);
        assert.doesNotMatch(attributes['href'] ?? '', /^(javascript|data):/i);
      }
      assert.doesNotMatch(html, /<script[^>]*>[^<]/, 'no script within the page');
      assert.doesNotMatch(html, /unsafe-inline|unsafe-eval|\*;/);
    });
  }

  test('the thought’s page runs its one script, by nonce', () => {
    assert.deepEqual(policy(pages.thought), [
      "default-src 'none'",
      `style-src ${source}`,
      "script-src 'nonce-Kq3-_x'",
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    const scripts = tags(pages.thought).filter(({ name }) => name === 'script');
    assert.deepEqual(
      scripts.map(({ attributes }) => attributes),
      [{ nonce: 'Kq3-_x', src: `${address}/thought.js` }],
    );
  });

  test('the statistics’ page runs none', () => {
    assert.deepEqual(policy(pages.statistics), [
      "default-src 'none'",
      `style-src ${source}`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    assert.deepEqual(
      tags(pages.statistics).filter(({ name }) => name === 'script'),
      [],
    );
  });

  test('an address or a title cannot end its attribute or its tag', () => {
    const evil = '"><img src=x onerror=alert(1)>';
    const html = pageHtml({ title: evil, source, style: evil, script: { address: evil, nonce: 'n' }, body: '' });
    assert.deepEqual(
      tags(html).map(({ name }) => name),
      tags(pages.thought)
        .map(({ name }) => name)
        .filter((name) => ['html', 'head', 'meta', 'link', 'title', 'body', 'script'].includes(name)),
    );
  });
});

describe('hostile content on the thought’s page', () => {
  /** What the page shows, every text of a file, a path, a model or a server being `text`. */
  const input = (text: string): ThoughtViewInput => ({
    file: text,
    report: {
      uri: text,
      steps: 2,
      kind: 'cold',
      device: text,
      window: { prefixTokens: 1, suffixTokens: 1 },
      model: { name: text, version: text },
      startedFrom: 'prior',
      changes: [{ text, before: 0.1, after: 0.2 }],
      lastSuggestion: { text, milliseconds: 1, logprob: -1, stop: text, under: 'this' },
      choice: [{ text, logprob: -1, logprobs: [-1, -2] }],
      latencies: [1, 2, 3],
      trace: {
        steps: 2,
        nll: [3, 2, 1],
        heldOut: [3, 2, 1],
        kl: [0, 1, 2],
        best: 2,
        coverage: 0.5,
        chunks: [
          { path: text, line: 1, tokens: 1, heldOut: false },
          { path: text, line: 2, tokens: 1, heldOut: true },
        ],
        runs: 1,
        milliseconds: 1,
      },
    },
    status: { state: 'ready', device: text },
    languageOff: text,
    inferenceSteps: 2,
  });
  const payloads = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '"><svg onload="alert(1)">',
    `' onmouseover='alert(1)`,
    '</main></body><iframe src="https://evil.example">',
    '<!--',
    '&lt;b&gt;',
    '${alert(1)}',
    '<a href="command:workbench.action.terminal.new">x</a>',
    '\u2028<b>\u202e',
  ];
  const structure = (html: string) =>
    tags(html).map(({ name, attributes }) => `${name} ${Object.keys(attributes).join(' ')}`);

  for (const payload of payloads) {
    test(`${JSON.stringify(payload)} stays text`, () => {
      const html = thoughtHtml(input(payload));
      assert.deepEqual(structure(html), structure(thoughtHtml(input('harmless'))));
      if (payload.includes('<')) assert.ok(!html.includes(payload));
    });
  }

  test('a report without a thought, the same', () => {
    for (const payload of payloads) {
      const failed = (text: string) =>
        structure(
          thoughtHtml({
            file: text,
            report: null,
            status: { state: 'failed', reason: text },
            inferenceSteps: 2,
          }),
        );
      assert.deepEqual(failed(payload), failed('harmless'));
    }
  });
});
