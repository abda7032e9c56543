import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { decode } from '../../../src/completion/decode';
import type { DecodeOptions } from '../../../src/completion/decodeOptions';
import type { Mix } from '../../../src/completion/lookupMemory';
import { KeyValueCache } from '../../../src/model/cache';
import { Decoder } from '../../../src/model/decoder';
import type { Graphs } from '../../../src/model/graphs';
import type { Manifest } from '../../../src/model/manifest';
import { runOver } from '../../caches';
import { SPECIAL, TINY, tinyTokenizer } from '../../fixtures';

const tokenizer = tinyTokenizer();
const thought = { version: 0, mu: new Float32Array(0) };
const cursor = { indentation: 0, finishedLine: false, maxLines: 1 };
const NOTHING = new Uint8Array(0);

/** A decoder that says one text after a window of one token, whatever else it is told, and is so sure of it (a logit). */
function reciting(text: string, sure = 20): Decoder {
  const tokens = tokenizer.encode(text);
  return {
    logits: (window: readonly number[]) => {
      const logits = new Float32Array(tokenizer.size);
      logits[tokens[window.length - 1] ?? SPECIAL.end] = sure;
      return Promise.resolve(logits);
    },
  } as unknown as Decoder;
}

const healed = { tokens: [], pendingBytes: NOTHING };

function windowOf(decoder: Decoder, head: readonly number[] = [SPECIAL.prefix]) {
  return { decoder, tokenizer, thought, head, healed };
}

async function write(
  text: string,
  { mix, ...options }: Partial<DecodeOptions> & { mix?: Mix } = {},
  pendingBytes: Uint8Array = NOTHING,
) {
  const all = { cursor, width: 1, maxTokens: 64, endTokens: [SPECIAL.end], ...options };
  const window = { ...windowOf(reciting(text)), healed: { tokens: [], pendingBytes }, mix };
  return (await decode(window, all))?.[0];
}

test('a line ends with its newline', async () => {
  const first = await write('const value = compute(1);\nmore');
  assert.deepEqual([first?.text, first?.stop], ['const value = compute(1);', 'newline']);
});

test('a loop ends when it has gone round', async () => {
  const first = await write('return a + ' + 'call(b) + '.repeat(20));
  assert.deepEqual([first?.text, first?.stop], ['return a + call(b)', 'repetition']);
});

test('a text that has become too improbable is written no further; its marks are those of the whole', async () => {
  const text = 'const value = compute(1);\n';
  const options = { cursor, width: 1, maxTokens: 64, endTokens: [SPECIAL.end] };
  const write = (minLogprob?: number) => decode(windowOf(reciting(text, 8)), { ...options, minLogprob });
  const [whole] = (await write())!;
  const third = whole!.marks![2]!.logprob;
  const [cut] = (await write(third + 1e-6))!;
  assert.deepEqual([cut?.stop, cut?.tokens], ['lowConfidence', whole?.tokens.slice(0, 3)]);
  assert.deepEqual(cut?.marks, whole?.marks?.slice(0, 3));
  assert.ok(text.startsWith(cut!.text) && cut!.text !== '');
  assert.deepEqual((await write(whole!.logprob))?.[0], whole);
});

describe('a budget of time', () => {
  const clock = (perLook: number) => {
    let time = 0;
    return () => (time += perLook);
  };
  const text = 'const someValue = computeSomething(other, another);\n';

  test('none by default', async () => assert.equal((await write(text, { now: clock(1e6) }))?.stop, 'newline'));

  test('enough of it changes nothing', async () => {
    assert.deepEqual(await write(text, { now: clock(1), timeBudget: 1000 }), await write(text));
  });

  test('a window that took all of it to read is followed by some words all the same', async () => {
    let time = 0;
    const slow = { ...reciting(text), logits: (...all: Parameters<Decoder['logits']>) => ((time += time ? 8 : 5000), reciting(text).logits(...all)) }; // prettier-ignore
    const options = { cursor, width: 1, maxTokens: 64, endTokens: [SPECIAL.end], now: () => time, timeBudget: 200 };
    const [first] = (await decode(windowOf(slow as unknown as Decoder), options))!;
    assert.equal(first?.stop, 'time');
    assert.ok(first.tokens.length > 5 && first.text !== '' && time < 5100, `${first.text} after ${time} ms`);
  });

  test('of a block the whole lines are shown', async () => {
    const first = await write('a = {\n  b: 1,\n  c: computeSomething(other),\n', {
      now: clock(1),
      timeBudget: 14,
      cursor: { ...cursor, maxLines: 8 },
    });
    assert.deepEqual([first?.text, first?.stop], ['a = {\n  b: 1,', 'time']);
  });

  test('when it is over, what is written is cut at its last word', async () => {
    const first = await write(text, { now: clock(1), timeBudget: 5 });
    assert.equal(first?.stop, 'time');
    assert.ok(text.startsWith(first.text) && first.text.length < text.length, first.text);
    assert.ok(!/\w/.test(text[first.text.length] ?? '') || !/\w$/.test(first.text), first.text);
  });
});

describe('what is no longer wanted', () => {
  const manifest = JSON.parse(readFileSync(join(TINY, 'manifest.json'), 'utf8')) as Manifest;
  /** Graphs that compute zeros; each run is noted. */
  function zeros() {
    const runs: string[] = [];
    const { width, vocabulary } = manifest.architecture;
    const empty = (batch: number, capacity: number) =>
      new KeyValueCache({ layers: 1, kvHeads: 1, headWidth: 4 }, batch, capacity);
    const graphs = {
      trunkCache: empty,
      topCache: empty,
      trunk: (tokens: number[], cache: KeyValueCache) => {
        runs.push(`trunk ${tokens.length}`);
        runOver(cache, tokens.length, () => [0, 0, 0, 0]);
        return Promise.resolve(new Float32Array(tokens.length * width));
      },
      top: (states: Float32Array, _: unknown, count: number, cache: KeyValueCache) => {
        runs.push(`top ${states.length / width}`);
        runOver(cache, states.length / width, () => [0, 0, 0, 0]);
        return Promise.resolve(new Float32Array(count * vocabulary));
      },
    };
    return { runs, decoder: new Decoder(graphs as unknown as Graphs, manifest) };
  }
  const head = Array.from({ length: 400 }, (_, i) => 5 + (i % 7));
  const options = { cursor, width: 1, maxTokens: 3, endTokens: [SPECIAL.end] };

  test('stops between two slices of a window that is being read, and what was read stays read', async () => {
    const whole = zeros();
    await decode(windowOf(whole.decoder, head), options);
    for (let wanted = 0; wanted < whole.runs.length; wanted++) {
      const { runs, decoder } = zeros();
      const signal = { get aborted() { return runs.length >= wanted; } }; // prettier-ignore
      assert.equal(await decode(windowOf(decoder, head), { ...options, signal }), undefined);
      assert.ok(runs.length <= Math.max(1, wanted), `${runs.length} runs, ${wanted} wanted`);
      await decode(windowOf(decoder, head), options);
      const again = (list: string[]) => list.filter((run) => run === 'trunk 128').length;
      assert.equal(again(runs), again(whole.runs));
    }
  });
});

describe('another opinion on each token', () => {
  test('is asked with the text so far, and decides', async () => {
    const asked: number[] = [];
    const wanted = tokenizer.encode('other;\n');
    const mix: Mix = (_, { tokens }) => {
      asked.push(tokens.length);
      return Float32Array.from({ length: tokenizer.size }, (_, id) => (id === wanted[tokens.length] ? 0 : -20));
    };
    assert.equal((await write('const value = 1;\n', { mix }))?.text, 'other;');
    assert.deepEqual(asked, [...wanted.keys()]);
  });

  test('cannot break what stands before the cursor', async () => {
    // Whatever is preferred, the text goes on from "con".
    const mix = (logits: Float32Array) => logits.fill(0).map((_, id) => -id / 100);
    const pendingBytes = Buffer.from('con');
    const mixed = await write('const value = 1;\n', { mix, maxTokens: 3 }, pendingBytes);
    assert.ok(mixed && Number.isFinite(mixed.logprob));
    const first = tokenizer.compatible(pendingBytes).sort((a, b) => a - b)[0]!;
    assert.ok(`con${mixed.text}`.startsWith(tokenizer.decode([first])) || tokenizer.decode([first]).startsWith('c'));
  });
});
