import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode } from '../../../src/completion/decode';
import type { DecodeOptions } from '../../../src/completion/decodeOptions';
import type { Ensemble } from '../../../src/completion/samples';
import { firstLine, plan, rethink } from '../../../src/completion/secondThoughts';
import type { Conditioning, Decoder } from '../../../src/model/decoder';
import { SPECIAL, tinyTokenizer } from '../../fixtures';

const tokenizer = tinyTokenizer();
const [before, after]: Conditioning[] = [0, 1].map((version) => ({ version, mu: new Float32Array(0) }));
const healed = { tokens: [], need: new Uint8Array(0) };
const options: DecodeOptions = {
  place: { indentation: 0, finishedLine: false, maxLines: 4 },
  width: 1,
  maxTokens: 64,
  endToken: SPECIAL.end,
};

/** A decoder that says one text under each thought, after a window of one token, and is so sure of it (a logit). */
function reciting(texts: readonly [text: string, sure: number][]): Decoder {
  const said = texts.map(([text, sure]) => ({ tokens: tokenizer.encode(text), sure }));
  const row = (position: number, { version }: Conditioning) => {
    const logits = new Float32Array(tokenizer.size);
    const { tokens, sure } = said[version]!;
    logits[tokens[position] ?? SPECIAL.end] = sure;
    // The other text is the second choice, so that its probability says whose thought was asked.
    for (const other of said) logits[other.tokens[position] ?? SPECIAL.end]! += 1;
    return logits;
  };
  return {
    logits: (window: readonly number[], thought: Conditioning, count = 1) =>
      Promise.resolve(
        Float32Array.from(Array.from({ length: count }, (_, i) => [...row(window.length - count + i, thought)]).flat()),
      ),
  } as unknown as Decoder;
}

async function setting(texts: readonly [string, number][]) {
  const decoder = reciting(texts);
  const ensemble: Ensemble = { decoder, tokenizer, thoughts: [before!], head: [SPECIAL.prefix], healed };
  const found = await decode(decoder, tokenizer, before!, ensemble.head, healed, options);
  return { ensemble, candidates: found!.map((candidate) => ({ ...candidate, agreement: 1 })) };
}

const to =
  (thought: Conditioning, asked: string[] = []) =>
  (written: string) => {
    asked.push(written);
    return Promise.resolve(thought);
  };

describe('rethinking', () => {
  test('writes again under the thought of context and draft; the context’s thought judges', async () => {
    const { ensemble, candidates } = await setting([['one();\n', 6], ['other();\n', 6]]); // prettier-ignore
    const asked: string[] = [];
    const rethought = (await rethink(ensemble, candidates, options, to(after!, asked)))!;
    assert.deepEqual(asked, [candidates[0]?.text]);
    assert.deepEqual(rethought.map(({ text }) => text.trim()), ['one();', 'other();']); // prettier-ignore
    assert.equal(rethought[0]?.logprob, candidates[0]?.logprob);
    assert.ok(rethought[1]!.logprob < rethought[0]!.logprob - 5);
  });

  test('what is more probable on the whole comes first, though its first token was not', async () => {
    const { ensemble, candidates } = await setting([['one();\n', 6], ['other();\n', 6]]); // prettier-ignore
    // As a draft that greedy decoding should not have written.
    const worse = candidates.map((candidate) => ({ ...candidate, logprob: -1000 }));
    const rethought = await rethink(ensemble, worse, options, to(after!));
    assert.equal(rethought?.[0]?.text.trim(), 'other();');
  });

  test('nothing changes where the thought does not, where the same is written, or where nothing was', async () => {
    const { ensemble, candidates } = await setting([['one();\n', 6], ['one();\n', 9]]); // prettier-ignore
    for (const thought of [before!, after!]) {
      assert.deepEqual(await rethink(ensemble, candidates, options, to(thought)), candidates);
    }
    assert.deepEqual(await rethink(ensemble, [], options, to(after!)), []);
  });
});

describe('a plan', () => {
  const first = 'if (a) {\n  b();\n  c();\n}\n';

  test('keeps the first line and writes the others under the thought that knows it', async () => {
    const { ensemble, candidates } = await setting([[first, 20], ['if (a) {\n  d();\n}\n', 20]]); // prettier-ignore
    const asked: string[] = [];
    const [planned] = (await plan(ensemble, candidates, options, to(after!, asked)))!;
    assert.deepEqual(asked, ['if (a) {\n']);
    assert.equal(candidates[0]?.text, 'if (a) {\n  b();\n  c();\n}');
    assert.ok(planned);
    assert.equal(planned.text, 'if (a) {\n  d();\n}');
    assert.ok(planned.logprob < 0 && planned.logprob > -5, String(planned.logprob));
  });

  test('the thought as it was writes what it wrote, with the same probability', async () => {
    const { ensemble, candidates } = await setting([[first, 6], [first, 6]]); // prettier-ignore
    const [planned] = (await plan(ensemble, candidates, options, to(after!)))!;
    assert.ok(planned);
    assert.deepEqual(planned.tokens, candidates[0]?.tokens);
    assert.ok(Math.abs(planned.logprob - candidates[0]!.logprob) < 1e-4);
  });

  test('of one line there is nothing to plan', async () => {
    const { ensemble, candidates } = await setting([['one();\n', 6], ['other();\n', 6]]); // prettier-ignore
    assert.deepEqual(await plan(ensemble, candidates, options, () => assert.fail('asked')), candidates);
  });

  test('the first line ends with its newline, after what healing took back', () => {
    const line = (text: string, need = '') => {
      const found = firstLine(tokenizer.encode(text), { tokens: [], need: Buffer.from(need) }, tokenizer);
      return found && Buffer.from(found.bytes).toString();
    };
    assert.equal(line('a();\nb();\n'), 'a();\n');
    assert.equal(line('a();\nb();\n', 'a('), ');\n');
    // A suggestion that begins on the next line.
    assert.equal(line('\n  a();\n  b();\n'), '\n  a();\n');
    assert.equal(line('a'), undefined);
  });
});
