import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { collectEvidence, type Chunk, type Evidence, type EvidenceSource } from '../../../src/thought/evidence';
import { followEvidence } from '../../../src/thought/followEvidence';
import { planUpdate } from '../../../src/thought/store';
import { FROZEN, SPECIAL, tinyTokenizer } from '../../fixtures';
import { processorTime } from '../../../lab/processorTime';

const tokenizer = tinyTokenizer();
const PROMPT = { specialTokens: SPECIAL };
const limits = { tokens: 64, count: 8, extraChunks: 8 };
const followLimits = { ...limits, fresh: 2, freshExtra: 3 };
const PATH = 'src/a.ts';
const OTHER = 'src/b.ts';
const file = (name: string) => readFileSync(join(FROZEN, 'src', name), 'utf8').replaceAll('\r\n', '\n');
const text = file('thought/evidence.ts');
const lines = text.split('\n');

interface State {
  readonly text: string;
  /** Lines that the window shows, from one up to another, not included. */
  readonly window: readonly [number, number];
  readonly edited?: readonly number[];
  readonly other?: string;
}

/** Where a line begins, from 0. */
const lineStart = (whole: string, line: number) =>
  whole.split('\n').slice(0, line).join('\n').length + Number(line > 0);

function sourcesOf({ text: whole, window, edited = [], other }: State): EvidenceSource[] {
  const [from, to] = [lineStart(whole, window[0]), lineStart(whole, window[1])];
  const own = { path: PATH, own: true, edited: new Set(edited) } as const;
  return [
    { ...own, text: whole.slice(0, from), start: 0, line: 1, nearest: 'end' },
    { ...own, text: whole.slice(to), start: to, line: window[1] + 1, nearest: 'start' },
    ...(other === undefined
      ? []
      : [{ path: OTHER, own: false, text: other, start: 0, line: 1, nearest: 'start' } as const]),
  ];
}

const begin = (state: State) => collectEvidence(sourcesOf(state), tokenizer, PROMPT, limits);

function follow(before: Evidence, state: State): Evidence {
  const texts = new Map([
    [PATH, { text: state.text, own: true, edited: new Set(state.edited) }],
    ...(state.other === undefined ? [] : [[OTHER, { text: state.other, own: false }] as const]),
  ]);
  const evidence = [...before.chunks, ...before.extraChunks];
  const gradients = new Set(before.chunks.map(({ key }) => key));
  return followEvidence({ evidence, gradients }, texts, sourcesOf(state), tokenizer, PROMPT, followLimits);
}

const keysOf = (chunks: readonly Chunk[]) => new Set(chunks.map(({ key }) => key));
const newOf = (after: readonly Chunk[], before: readonly Chunk[]) =>
  after.filter(({ key }) => !keysOf(before).has(key)).length;
const all = ({ chunks, extraChunks }: Evidence) => [...chunks, ...extraChunks];

/** Chunks say where they stand. */
function assertStanding(evidence: Evidence, state: State): void {
  for (const chunk of all(evidence)) {
    const whole = chunk.path === PATH ? state.text : (state.other ?? '');
    const start = lineStart(whole, chunk.line - 1);
    const line = whole.slice(start, whole.indexOf('\n', start) + 1);
    assert.ok(chunk.text.startsWith(line) || line.includes(chunk.text), `line ${chunk.line}`);
  }
}

describe('evidence that follows', () => {
  const first: State = { text, window: [60, 90] };

  test('where nothing has changed everything stays', () => {
    const before = begin(first);
    const after = follow(before, first);
    assert.deepEqual(keysOf(after.chunks), keysOf(before.chunks));
    assert.equal(newOf(all(after), all(before)), 0);
    assert.equal(after.waiting, 0);
    assert.deepEqual(
      after.chunks.filter(({ heldOut }) => heldOut).map(({ key }) => key),
      before.chunks.filter(({ heldOut }) => heldOut).map(({ key }) => key),
    );
  });

  test('an edit costs the chunk that it falls into, and moves the others', () => {
    const before = begin(first);
    const edited = [...lines.slice(0, 30), '// a line that was not there before', ...lines.slice(30)].join('\n');
    const state = { text: edited, window: [61, 91], edited: [31] } as const;
    const after = follow(before, state);
    const fresh = newOf(after.chunks, before.chunks);
    assert.ok(fresh >= 1 && fresh <= followLimits.fresh, `${fresh} are new`);
    assert.ok(after.chunks.some((chunk) => chunk.edited === true));
    assert.ok(all(before).filter(({ key }) => !keysOf(all(after)).has(key)).length <= 2);
    assertStanding(after, state);
  });

  test('a cursor far away costs no more, and the nearest comes first', () => {
    const before = begin(first);
    const moved: State = { text, window: [130, 160] };
    const after = follow(before, moved);
    assert.equal(newOf(after.chunks, before.chunks), followLimits.fresh);
    assert.ok(newOf(after.extraChunks, all(before)) <= followLimits.freshExtra);
    const fresh = after.chunks.filter(({ key }) => !keysOf(before.chunks).has(key));
    assert.ok(fresh.every(({ line }) => line < 130 || line > 160));
    assertStanding(after, moved);
  });

  test('it comes to rest: in the end nothing is new', () => {
    let evidence = begin(first);
    const moved: State = { text, window: [130, 160], other: file('completion/engine.ts') };
    for (let i = 0; i < 40; i++) evidence = follow(evidence, moved);
    const again = follow(evidence, moved);
    assert.equal(newOf(all(again), all(evidence)), 0);
    assert.equal(again.chunks.length, limits.count);
    assert.equal(again.chunks.filter(({ path }) => path === OTHER).length, limits.count / 4);
    const shown = again.chunks.filter(({ path, line }) => path === PATH && line >= 131 && line < 150);
    assert.deepEqual(shown, [], 'what the window shows makes way');
  });

  test('what was changed recently comes before what is near', () => {
    const before = begin(first);
    const edited = lines.with(5, `${lines[5]} // changed`).join('\n');
    const after = follow(before, { text: edited, window: [130, 160], edited: [6] });
    assert.ok(after.chunks.some((chunk) => chunk.edited === true && !chunk.heldOut));
  });

  test('no chunk twice, and text that is gone is gone', () => {
    const before = begin(first);
    const state: State = { text: text.repeat(2), window: [60, 90] };
    const twice = follow(before, state);
    assert.equal(keysOf(all(twice)).size, all(twice).length);
    const after = follow(before, { text: 'const a = 1;\n', window: [0, 1] });
    assert.deepEqual(all(after), []);
  });

  test('in a file of 5 MB it costs little more than in another', () => {
    const parts = Array.from({ length: Math.ceil(5e6 / text.length) }, (_, i) => text.replaceAll('chunk', `chunk${i}`));
    const middle = lines.length * (parts.length >> 1);
    const before = begin({ text: parts.join('\n'), window: [middle, middle + 30] });
    const edited = parts.with(0, `${parts[0]}\n// more`).join('\n');
    const spent = processorTime();
    const after = follow(before, { text: edited, window: [middle + 61, middle + 91] });
    assert.ok(spent() < 1000, `${spent()} ms`);
    assert.ok(newOf(after.chunks, before.chunks) <= followLimits.fresh);
    assert.equal(after.chunks.length, limits.count);
  });

  test('where the window shows all of the file what is known of it stays', () => {
    const before = begin(first);
    const state: State = { text, window: [0, lines.length - 1] };
    const after = follow(before, state);
    assert.equal(newOf(all(after), all(before)), 0);
    assert.ok(after.chunks.length > 0);
  });

  test('where there is room and no time chunks wait', () => {
    const short: State = { text: lines.slice(0, 100).join('\n'), window: [10, 100] };
    const before = begin(short);
    const after = follow(before, { ...first, window: [10, 40] });
    assert.equal(after.chunks.length + (after.waiting ?? 0), limits.count);
    assert.ok(after.waiting! > 0);
  });
});

describe('how a thought follows', () => {
  const chunks = (...keys: string[]) => keys.map((key) => ({ key }) as Chunk);
  const known = (...keys: string[]) => ({ gradients: new Set(keys) });

  test('anew where most is unknown, what waits included, or most is gone', () => {
    assert.equal(planUpdate(known('a', 'b'), { chunks: chunks('a', 'b', 'c') }), 'warm');
    assert.equal(planUpdate(known('a', 'b'), { chunks: chunks('a', 'b', 'c'), waiting: 4 }), 'cold');
    assert.equal(planUpdate(known('a', 'b', 'c', 'd', 'e'), { chunks: chunks('a', 'b', 'new') }), 'cold');
    assert.equal(planUpdate(known('a', 'b', 'c', 'd'), { chunks: chunks('a', 'b', 'new') }), 'warm');
    assert.equal(planUpdate(known('a', 'b'), { chunks: chunks('a', 'b') }), 'none');
  });
});
