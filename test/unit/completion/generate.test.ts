import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainAround } from '../../../src/completion/around';
import {
  sampleStep,
  generate,
  GREEDY,
  type GenerateLimits,
  type GeneratedToken,
} from '../../../src/completion/generate';
import { randomFrom } from '../../../src/model/random';
import { SPECIAL, tinyTokenizer } from '../../fixtures';

const tokenizer = tinyTokenizer();
const thought = { version: 0, mu: new Float32Array(0) };

/** Writes with a decoder that recites a text. */
async function write(text: string, options: Partial<GenerateLimits> = {}, pendingBytes = new Uint8Array(0)) {
  const tokens = tokenizer.encode(text);
  const decoder = {
    logits: (window: readonly number[]) => {
      const logits = new Float32Array(tokenizer.size);
      logits[tokens[window.length - 1] ?? SPECIAL.end] = 12;
      logits[SPECIAL.end] ||= 6;
      return Promise.resolve(logits);
    },
  } as unknown as Parameters<typeof generate>[0]['decoder'];
  const window = {
    decoder,
    tokenizer,
    thought,
    head: [SPECIAL.prefix],
    healed: { tokens: [], pendingBytes },
    around: plainAround([SPECIAL.prefix]),
    mix: undefined,
  };
  const cursor = { indentation: 0, finishedLine: false, maxLines: 8 };
  const limits = { maxTokens: 64, sampling: GREEDY, top: 0, endTokens: [SPECIAL.end], cursor, ...options };
  const written: GeneratedToken[] = [];
  const writing = generate(window, limits);
  for (;;) {
    const { value, done } = await writing.next();
    if (done) return { written, end: value };
    written.push(value);
  }
}

test('every token is told as it comes, and they make up the text', async () => {
  const text = 'const größe = 1;';
  const { written, end } = await write(text);
  assert.deepEqual(end, { text, stop: 'end' });
  assert.equal(Buffer.concat(written.map(({ bytes }) => bytes)).toString(), text);
  assert.equal(written.length, tokenizer.encode(text).length);
  for (const { logprob } of written) assert.ok(logprob < 0 && logprob > -0.1, String(logprob));
});

test('what is told of a place begins with the token that was written', async () => {
  const { written } = await write('const a = 1;', { top: 2 });
  for (const { bytes, logprob, top } of written) {
    assert.equal(top.length, 2);
    assert.deepEqual([Buffer.from(top[0]!.bytes), top[0]!.logprob], [Buffer.from(bytes), logprob]);
    assert.ok(top[1]!.logprob < logprob);
  }
});

test('it ends after so many tokens, where a suggestion would, and when nobody wants it', async () => {
  const text = 'if (a) {\n  b();\n}\nc();\n';
  assert.equal((await write(text)).end.text, 'if (a) {\n  b();\n}');
  const { written, end } = await write(text, { maxTokens: 3 });
  assert.deepEqual([written.length, end.stop], [3, 'length']);
  assert.deepEqual((await write(text, { signal: { aborted: true } })).end, { text: '', stop: 'aborted' });
});

test('what healing took back is no part of the text', async () => {
  const { end, written } = await write('const a = 1;', {}, Buffer.from('con'));
  assert.equal(end.text, 'st a = 1;');
  assert.equal(Buffer.concat(written.map(({ bytes }) => bytes)).toString(), 'st a = 1;');
});

const steps = [0.5, 0.3, 0.15, 0.05].map((p) => ({ p, logprob: Math.log(p) }));
const drawn = (temperature: number, topP: number) => {
  const random = randomFrom(1);
  const counts = new Map<number, number>();
  for (let i = 0; i < 20_000; i++) {
    const { p } = sampleStep(steps, { temperature, topP, seed: 0 }, random)!;
    counts.set(p, (counts.get(p) ?? 0) + 1);
  }
  return steps.map(({ p }) => (counts.get(p) ?? 0) / 20_000);
};

test('at a temperature of 1 tokens are drawn as probable as they are', () => {
  // Three standard deviations of a share of 20,000 draws are 0.0106 at most.
  drawn(1, 1).forEach((share, i) => assert.ok(Math.abs(share - steps[i]!.p) < 0.0107, `${share}`));
});

test('a lower temperature prefers what is probable, and a nucleus leaves out the rest', () => {
  assert.deepEqual(drawn(0, 1), [1, 0, 0, 0]);
  const [first] = drawn(0.5, 1);
  assert.ok(Math.abs(first! - 0.25 / (0.25 + 0.09 + 0.0225 + 0.0025)) < 0.0107, `${first}`);
  assert.deepEqual(drawn(1, 0.4), [1, 0, 0, 0]);
  const [one, two, ...rest] = drawn(1, 0.6);
  assert.deepEqual(rest, [0, 0]);
  assert.ok(Math.abs(one! - 0.625) < 0.0107 && Math.abs(two! - 0.375) < 0.0107);
  assert.equal(sampleStep([], GREEDY, Math.random), undefined);
});
