import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { collectEvidence, packLines, type EvidenceSource } from '../../../src/thought/evidence';
import { FROZEN, largeTokenizer, SPECIAL, tinyTokenizer } from '../../fixtures';
import { processorTime } from '../../../lab/processorTime';

const tokenizer = tinyTokenizer();
const text = readFileSync(join(FROZEN, 'src/thought/evidence.ts'), 'utf8').replaceAll('\r\n', '\n');
const limits = { tokens: 64, count: 16 };

function source(change: Partial<EvidenceSource> = {}): EvidenceSource {
  return { path: 'src/a.ts', text, start: 0, line: 1, nearest: 'end', own: true, ...change };
}

const PROMPT = { specialTokens: SPECIAL };
const collect = (...sources: EvidenceSource[]) => collectEvidence(sources, tokenizer, PROMPT, limits);

describe('spans of a text', () => {
  const spans = [...packLines(text, tokenizer, 50)];

  test('hold the whole text, in order, within the limit', () => {
    assert.equal(spans.map((span) => text.slice(span.from, span.to)).join(''), text);
    assert.deepEqual(
      spans.flatMap((span) => span.tokens),
      tokenizer.encode(text),
    );
    assert.ok(spans.every((span) => span.tokens.length <= 50));
  });

  test('know their lines', () => {
    for (const span of spans) assert.equal(text.slice(0, span.from).split('\n').length - 1, span.line);
  });

  test('a line longer than the limit is cut between tokens', () => {
    const long = 'const a = 1; '.repeat(100);
    const parts = [...packLines(`x\n${long}\ny\n`, tokenizer, 50)];
    assert.equal(parts.map((span) => `x\n${long}\ny\n`.slice(span.from, span.to)).join(''), `x\n${long}\ny\n`);
    assert.ok(parts.every((span) => span.tokens.length <= 50));
  });

  test('an edit changes only spans near it', () => {
    const at = text.indexOf('\n', text.length / 2) + 1;
    const edited = `${text.slice(0, at)}// a line that was not there before\n${text.slice(at)}`;
    const before = new Set(spans.map((span) => text.slice(span.from, span.to)));
    const after = [...packLines(edited, tokenizer, 50)].map((span) => edited.slice(span.from, span.to));
    const fresh = after.filter((span) => !before.has(span)).length;
    assert.ok(fresh >= 1 && fresh <= after.length / 3, `${fresh} of ${after.length} are new`);
  });
});

describe('what was changed recently', () => {
  const lines = text.split('\n').length;

  test('comes first, guides, and leaves the rest as it was', () => {
    const before = collect(source());
    const { chunks } = collect(source({ edited: new Set([3, lines - 40]) }));
    assert.deepEqual(
      chunks.slice(0, 2).map(({ edited, heldOut }) => ({ edited, heldOut })),
      [
        { edited: true, heldOut: false },
        { edited: true, heldOut: false },
      ],
    );
    assert.ok(chunks.slice(2).every(({ edited }) => edited === undefined));
    assert.equal(chunks.length, before.chunks.length);
    assert.equal(
      chunks.slice(2).findIndex(({ heldOut }) => heldOut),
      1,
    );
    for (const chunk of chunks.slice(0, 2)) assert.ok(chunk.line <= (chunk === chunks[0] ? lines - 40 : 3));
  });

  test('is never held out, not even where nothing else is left', () => {
    const short = text.split('\n').slice(0, 20).join('\n');
    const all = new Set(Array.from({ length: 20 }, (_, i) => i + 1));
    assert.ok(collect(source({ text: short, edited: all })).chunks.every(({ heldOut }) => !heldOut));
  });
});

describe('evidence', () => {
  test('chunks fit, and their header is not scored', () => {
    const { chunks } = collect(source());
    assert.equal(chunks.length, 16);
    for (const chunk of chunks) {
      assert.ok(chunk.inputs.length <= limits.tokens);
      assert.equal(chunk.inputs[0], SPECIAL.file);
      assert.deepEqual(chunk.inputs.slice(1), chunk.targets.slice(0, -1));
      const header = chunk.inputs.indexOf(SPECIAL.prefix);
      assert.ok(chunk.weights.every((weight, i) => weight === (i >= header ? 1 : 0)));
      assert.equal(
        chunk.weights.reduce((sum, weight) => sum + weight, 0),
        chunk.tokens,
      );
    }
  });

  test('keys are those of the tokens, however large their ids', () => {
    // Two texts whose ids differ by what two bytes can count.
    const keysOf = (first: number) =>
      collectEvidence([source()], largeTokenizer(first), PROMPT, limits).chunks.map(({ key }) => key);
    const [low, high] = [new Set(keysOf(10)), keysOf(10 + 2 ** 16)];
    assert.ok(high.length > 0 && high.every((key) => !low.has(key)));
  });

  test('of hundreds of files no more is encoded than is taken', () => {
    let encoded = 0;
    const counting = Object.assign(Object.create(tokenizer) as typeof tokenizer, {
      encodePiece: (line: string) => {
        encoded += line.length;
        return tokenizer.encodePiece(line);
      },
      decode: (ids: readonly number[]) => tokenizer.decode(ids),
    });
    const others = Array.from({ length: 200 }, (_, i) =>
      source({ path: `src/other${i}.ts`, nearest: 'start', own: false }),
    );
    const all = collectEvidence([source(), ...others], counting, PROMPT, limits);
    assert.equal(new Set(all.chunks.map(({ path }) => path)).size, 1 + limits.count / 4);
    assert.ok(encoded < 3 * text.length, `${encoded} characters for ${text.length} of the file itself`);
    const none = collectEvidence(others, counting, PROMPT, limits);
    assert.equal(new Set(none.chunks.map(({ path }) => path)).size, limits.count);
  });

  test('what is only read comes after that, in the same order, and nothing twice', () => {
    const others = Array.from({ length: 4 }, (_, i) => source({ path: `b${i}.ts`, text: text.replaceAll('value', `v${i}`), own: false, nearest: 'start' })); // prettier-ignore
    const few = { ...limits, count: 8 };
    const { chunks, extraChunks } = collectEvidence([source(), ...others], tokenizer, PROMPT, {
      ...few,
      extraChunks: 12,
    });
    assert.deepEqual(chunks, collectEvidence([source(), ...others], tokenizer, PROMPT, few).chunks);
    assert.equal(extraChunks.length, 12);
    assert.equal(new Set([...chunks, ...extraChunks].map(({ key }) => key)).size, 20);
    assert.equal(extraChunks.filter(({ path }) => path !== source().path).length, 3);
    const own = [...chunks, ...extraChunks].filter(({ path }) => path === source().path).map(({ line }) => line);
    assert.deepEqual(
      own,
      own.toSorted((a, b) => b - a),
    );
    assert.deepEqual(collectEvidence([source()], tokenizer, PROMPT, few).extraChunks, []);
  });

  test('the nearest come first', () => {
    const lines = collect(source()).chunks.map((chunk) => chunk.line);
    assert.deepEqual(
      lines,
      [...lines].sort((a, b) => b - a),
    );
    const after = collect(source({ nearest: 'start', line: 100 })).chunks.map((chunk) => chunk.line);
    assert.equal(after[0], 100);
    assert.deepEqual(
      after,
      [...after].sort((a, b) => a - b),
    );
  });

  test('one in five is held out, and one of two', () => {
    const roles = collect(source()).chunks.map((chunk) => chunk.heldOut);
    assert.deepEqual(
      roles.flatMap((heldOut, i) => (heldOut ? [i] : [])),
      [1, 6, 11],
    );
    const two = collect(
      source({
        text: [...packLines(text, tokenizer, 50)]
          .slice(0, 2)
          .map((s) => text.slice(s.from, s.to))
          .join(''),
      }),
    );
    assert.ok(two.chunks.length >= 2 && two.chunks.some((chunk) => chunk.heldOut));
    assert.ok(collect(source({ text: text.slice(0, 120) })).chunks.every((chunk) => !chunk.heldOut));
  });

  test('other files get a share, taken in turn', () => {
    const { chunks } = collect(
      source(),
      source({ path: 'b.ts', own: false, nearest: 'start' }),
      source({ path: 'c.ts', own: false, nearest: 'start' }),
    );
    const count = (path: string) => chunks.filter((chunk) => chunk.path === path).length;
    assert.deepEqual([count('src/a.ts'), count('b.ts'), count('c.ts')], [12, 2, 2]);
    assert.equal(collect(source({ text: '' }), source({ path: 'b.ts', own: false })).chunks.length, 16);
  });

  test('equal chunks count once', () => {
    const { chunks } = collect(source({ text: 'const value = compute(1);\n'.repeat(1000) }));
    assert.equal(new Set(chunks.map((chunk) => chunk.key)).size, chunks.length);
  });

  test('coverage is the share of text in the chunks', () => {
    assert.ok(collect(source()).coverage < 0.9);
    const little = collect(source({ text: text.slice(0, 400) }));
    assert.ok(little.coverage > 0.7 && little.coverage <= 1, String(little.coverage));
    assert.equal(collect().coverage, 0);
  });

  test('equal content has an equal key, other content another', () => {
    const keys = collect(source()).chunks.map((chunk) => chunk.key);
    assert.equal(new Set(keys).size, keys.length);
    assert.deepEqual(
      keys,
      collect(source()).chunks.map((chunk) => chunk.key),
    );
  });

  test('a file of 5 MB costs little more than another', () => {
    const large = text.repeat(Math.ceil(5e6 / text.length));
    const spent = processorTime();
    const { chunks, coverage } = collect(source({ text: large }), source({ text: large, nearest: 'start' }));
    assert.equal(chunks.length, 16);
    assert.ok(coverage < 0.01);
    assert.ok(spent() < 1000);
  });
});
