import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { draftTokens } from '../../../src/completion/lookupMemory';
import { decode } from '../../../src/completion/decode';
import type { DecodeOptions } from '../../../src/completion/decodeOptions';
import { DRAFT_TOKENS, speculate, type Draft } from '../../../src/completion/draft';
import type { Decoder } from '../../../src/model/decoder';
import { SPECIAL, tinyTokenizer } from '../../fixtures';

const tokenizer = tinyTokenizer();
const thought = { version: 0, mu: new Float32Array(0) };

/** A decoder that says one text after a window of one token, whatever else it is told, and notes what it is asked. */
function reciting(text: string) {
  const tokens = tokenizer.encode(text);
  const runs: number[] = [];
  const logits = (window: readonly number[], _: unknown, count = 1) => {
    runs.push(count);
    const rows = new Float32Array(count * tokenizer.size);
    for (let i = 0; i < count; i++) {
      rows[i * tokenizer.size + (tokens[window.length - count + i] ?? SPECIAL.end)] = 20;
    }
    return Promise.resolve(rows);
  };
  return { tokens, runs, decoder: { logits } as unknown as Decoder };
}

const TEXT = 'const someValue = computeSomething(other, another, third);\nmore();\n';

/** What is written, and the tokens whose logits each run gave. */
async function write(draft?: Draft, options: Partial<DecodeOptions> = {}, text = TEXT) {
  const { decoder, runs } = reciting(text);
  const cursor = { indentation: 0, finishedLine: false, maxLines: 1 };
  const all = { cursor, width: 1, maxTokens: 64, endTokens: [SPECIAL.end], draft, ...options };
  const healed = { tokens: [], pendingBytes: new Uint8Array(0) };
  const window = { decoder, tokenizer, thought, head: [SPECIAL.prefix], healed };
  return { written: await decode(window, all), runs };
}

const tokens = tokenizer.encode(TEXT);
const right: Draft = ({ tokens: before }, count) => tokens.slice(before.length, before.length + count);
const wrong: Draft = (context, count) => right(context, count).map((token) => token + 1);
/** Right for so many tokens. */
const halfRight =
  (held: number): Draft =>
  (context, count) =>
    [...right(context, held), ...wrong(context, count).slice(held)].slice(0, count);

test('a large decoder tries the more tokens the longer the match is', () => {
  assert.deepEqual([2, 4, 5, 7, 8, 32].map(draftTokens), [1, 1, 3, 3, 7, 7]);
});

describe('a draft', () => {
  test('that holds saves runs, and one that does not changes nothing', async () => {
    const plain = await write();
    assert.ok(plain.runs.length > 2 * DRAFT_TOKENS, `${plain.runs.length}`);
    assert.deepEqual(new Set(plain.runs), new Set([1]));
    for (const [draft, perRun] of [
      [right, 8],
      [wrong, 1],
      [halfRight(1), 2],
      [halfRight(3), 4],
    ] as const) {
      // prettier-ignore
      const { written, runs } = await write(draft);
      assert.deepEqual(written, plain.written);
      assert.equal(runs.length, Math.ceil(plain.runs.length / perRun));
      assert.ok(runs.every((count) => count >= 1 && count <= 1 + DRAFT_TOKENS));
    }
  });

  test('does not reach beyond the tokens that may be written', async () => {
    for (const maxTokens of [1, 2, 5, 9, 10]) {
      const { written, runs } = await write(right, { maxTokens });
      assert.deepEqual(written, (await write(undefined, { maxTokens })).written);
      assert.equal(runs.reduce((sum, count) => sum + count, 0), maxTokens); // prettier-ignore
    }
  });

  test('that goes on beyond the end of the line or of the text is not followed there', async () => {
    const beyond: Draft = (context, count) => [...right(context, count), ...tokens].slice(0, count);
    for (const text of [TEXT, 'const someValue']) {
      assert.deepEqual((await write(beyond, {}, text)).written, (await write(undefined, {}, text)).written);
    }
  });

  test('is not tried by a beam', async () => {
    let asked = 0;
    const counting: Draft = () => [(asked++, 5)];
    await write(counting, { width: 2, maxTokens: 1 });
    assert.equal(asked, 0);
    await write(counting, { maxTokens: 2 });
    assert.ok(asked > 0);
  });

  test('is asked for with the text so far, and given up when the writing is', async () => {
    const contexts: number[] = [];
    const draft: Draft = (context, count) => (contexts.push(context.tokens.length), wrong(context, count));
    let looks = 0;
    const { written } = await write(draft, { signal: { get aborted() { return ++looks > 4; } } }); // prettier-ignore
    assert.equal(written, undefined);
    assert.deepEqual(contexts, [0, 1, 2, 3, 4]);
  });

  test('whose tokens happen to be the same elsewhere in the window is not taken for another place', async () => {
    const { decoder, runs } = reciting(TEXT);
    const ask = speculate(decoder, thought, () => [7, 7, 7]);
    await ask([SPECIAL.prefix], { tokens: [] }, 9);
    await ask([SPECIAL.prefix, 7], { tokens: [7] }, 9);
    assert.deepEqual(runs, [4]);
    await ask([SPECIAL.prefix, 7, 8], { tokens: [7, 8] }, 9);
    await ask([SPECIAL.prefix, 7, 8, 7], { tokens: [7, 8, 7] }, 0);
    assert.deepEqual(runs, [4, 4]);
    await ask([SPECIAL.prefix, 7, 8, 7, 9], { tokens: [7, 8, 7, 9] }, 0);
    assert.deepEqual(runs, [4, 4, 1]);
  });
});
