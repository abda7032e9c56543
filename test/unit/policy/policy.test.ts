import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomFrom } from '../../../src/model/random';
import { FEATURES, featuresOf, type Circumstances } from '../../../src/policy/features';
import { decide, learn, noExperience, RULES, type PolicyState } from '../../../src/policy/policy';
import { priorOf, probability, updated } from '../../../src/policy/posterior';
import { readState, writeState } from '../../../src/policy/state';

const suggestion: Circumstances = {
  characters: 20,
  lines: 1,
  logprob: -4,
  place: 'end',
  language: 'typescript',
  sinceKeystroke: 300,
};
const good = { ...suggestion, logprob: -1 };
const bad = { ...suggestion, logprob: -25 };

/** A user who takes what the model was sure of, and nothing else. */
const taste = ({ logprob }: Circumstances) => ((logprob ?? 0) > -10 ? 1 : 0);

function lived(decisions: number, from: PolicyState, seed = 1): PolicyState {
  const random = randomFrom(seed);
  let state = from;
  for (let i = 0; i < decisions; i++) {
    const now = random() < 0.5 ? good : bad;
    const { decision, state: next } = decide(state, now, [], random);
    state = decision.size ? learn(next, decision, taste(now)) : next;
  }
  return state;
}

/** Of a hundred suggestions that are not to its taste, those that are shown, and by exploration. */
function shownOf(state: PolicyState, now: Circumstances, count = 100, seed = 7) {
  const random = randomFrom(seed);
  let all = state;
  let shown = 0;
  let most = 0;
  for (let i = 0; i < count; i++) {
    const { decision, state: next } = decide(all, now, [], random);
    all = next;
    if (decision.size) shown++;
    most = Math.max(most, all.explored / Math.max(1, all.reduced));
  }
  return { shown, explored: all.explored - state.explored, most };
}

describe('posterior', () => {
  test('the mode of one example is the minimum of the regularised loss', () => {
    const before = { mean: [0.3, -0.2], precision: [1, 4] };
    const x = [1, 2];
    const loss = (w: readonly number[]) => {
      const p = 1 / (1 + Math.exp(-(w[0]! * x[0]! + w[1]! * x[1]!)));
      const distance = w.reduce((sum, value, i) => sum + before.precision[i]! * (value - before.mean[i]!) ** 2, 0);
      return distance / 2 - 0.7 * Math.log(p) - 0.3 * Math.log(1 - p);
    };
    const { mean } = updated(before, x, 0.7, Infinity);
    for (const step of [1e-3, -1e-3]) {
      for (const i of [0, 1]) assert.ok(loss(mean.map((w, j) => (i === j ? w + step : w))) > loss(mean));
    }
  });

  test('finds the weights of a logistic user', () => {
    const random = randomFrom(3);
    const truth = [-1, 2, 0];
    let posterior = priorOf(3);
    for (let i = 0; i < 4000; i++) {
      const x = [1, 2 * random() - 1, 2 * random() - 1];
      const p = 1 / (1 + Math.exp(-x.reduce((sum, value, j) => sum + value * truth[j]!, 0)));
      posterior = updated(posterior, x, random() < p ? 1 : 0, Infinity);
    }
    posterior.mean.forEach((w, j) => assert.ok(Math.abs(w - truth[j]!) < 0.25, `${j}: ${w}`));
  });

  test('what is uncertain is moderate, and what is old weighs less', () => {
    const sure = { mean: [2], precision: [1000] };
    assert.ok(probability({ mean: [2], precision: [0.1] }, [1]) < probability(sure, [1]));
    const later = updated(sure, [0], 1, 100);
    assert.ok(later.precision[0]! < 1000 && later.precision[0]! > 900);
    assert.deepEqual(later.mean, sure.mean);
  });
});

test('features are as many as their names, finite, and of the size of one, whatever is known', () => {
  const table: Circumstances[] = [
    suggestion,
    { characters: 0, lines: 0, place: 'empty', language: '', sinceKeystroke: Infinity },
    { ...suggestion, characters: 100_000, lines: 64, logprob: -Infinity, confidence: 1 },
    { ...suggestion, logprob: 1, confidence: 0, place: 'inside', sinceKeystroke: -1 },
  ];
  for (const now of table) {
    const values = featuresOf(now, { recent: [0, 1, 0.5], languages: ['typescript'] });
    assert.equal(values.length, FEATURES.length);
    for (const [i, value] of values.entries()) assert.ok(Math.abs(value) <= 4, `${FEATURES[i]}: ${value}`);
  }
});

describe('policy', () => {
  test('changes nothing before 200 decisions are known, whatever their outcome', () => {
    let state = noExperience;
    for (let i = 0; i < RULES.warmup; i++) {
      const { decision, state: next } = decide(state, bad, [{ characters: 5, lines: 1 }], () => 0.99);
      assert.deepEqual(decision.size, { characters: 20, lines: 1 }, `decision ${i}`);
      assert.equal(decision.explored, false);
      assert.equal(next.reduced, 0);
      state = learn(next, decision, 0);
    }
    assert.equal(decide(state, bad, [], () => 0.99).decision.size, undefined);
  });

  test('learns a taste that can be told apart within 200 decisions', () => {
    const state = lived(RULES.warmup, noExperience);
    assert.equal(state.decisions, RULES.warmup);
    assert.equal(shownOf(state, good).shown, 100);
    const { shown, explored } = shownOf(state, bad);
    assert.equal(shown, explored);
    assert.ok(shown <= 5, `${shown} of 100 shown`);
  });

  test('of what it would withhold at most one in twenty is shown at any time, and some are', () => {
    const state = lived(RULES.warmup, noExperience);
    for (const seed of [1, 2, 3]) {
      const { shown, explored, most } = shownOf(state, bad, 2000, seed);
      assert.equal(shown, explored);
      assert.ok(explored > 50, `${explored} of 2000`);
      assert.ok(most <= RULES.exploration, `${most}`);
    }
  });

  test('a taste that changes is learned again', () => {
    let state = lived(400, noExperience);
    const random = randomFrom(5);
    assert.equal(decide(state, bad, [], () => 0.99).decision.size, undefined);
    for (let i = 0; i < 4000; i++) {
      const { decision, state: next } = decide(state, bad, [], random);
      state = decision.size ? learn(next, decision, 1) : next;
    }
    assert.deepEqual(decide(state, bad, [], () => 0.99).decision.size, { characters: 20, lines: 1 });
  });

  test('what saves less than reading it costs is not shown, however sure', () => {
    const state = lived(400, noExperience);
    const gain = (now: Circumstances) => decide(state, now, [], () => 0.99).decision;
    assert.equal(gain({ ...good, characters: 2 }).size, undefined);
    assert.ok(gain(good).gain > 0);
  });

  test('of a block only the lines are shown that pay', () => {
    const random = randomFrom(9);
    const block = { ...good, characters: 120, lines: 5 };
    const first = { characters: 24, lines: 1 };
    let state = noExperience;
    // Single lines are taken, blocks never.
    for (let i = 0; i < 400; i++) {
      const now = random() < 0.5 ? { ...good, ...first } : block;
      const { decision } = decide(noExperience, now, [], random);
      state = learn(state, decision, now === block ? 0 : 1);
    }
    const { decision } = decide(state, block, [first, { characters: 80, lines: 3 }], () => 0.99);
    assert.deepEqual(decision.size, first);
    const alone = decide(state, { ...good, ...first }, [], () => 0.99).decision;
    assert.deepEqual(alone.size, first);
  });

  test('the same seed gives the same decisions', () => {
    assert.deepEqual(lived(600, noExperience, 4), lived(600, noExperience, 4));
    assert.notDeepEqual(lived(600, noExperience, 4), lived(600, noExperience, 5));
  });

  test('what it remembers is bounded', () => {
    let state = noExperience;
    for (let i = 0; i < 500; i++) {
      const { decision } = decide(state, { ...suggestion, language: `language-${i}` }, [], () => 0.99);
      state = learn(state, decision, 1);
    }
    assert.equal(state.recent.length, 10);
    assert.equal(state.languages.length, 32);
    assert.equal(state.languages.at(-1), 'language-499');
  });
});

describe('what is stored', () => {
  test('comes back as it was, and is small', () => {
    const state = lived(300, noExperience);
    const text = writeState(state);
    assert.deepEqual(readState(text), { state });
    assert.ok(text.length < 4096, `${text.length} characters`);
    const many = { ...state, languages: Array.from({ length: 32 }, (_, i) => `${i}`.repeat(500)) };
    assert.deepEqual(readState(writeState(many)).state.languages, []);
  });

  test('what is damaged or of another version is dropped with one line', () => {
    const stored = JSON.parse(writeState(lived(300, noExperience))) as Record<string, unknown>;
    const posterior = stored['posterior'] as { mean: number[]; precision: number[] };
    const table: [text: string, line: RegExp][] = [
      ['', /no JSON/],
      [writeState(noExperience).slice(0, 40), /no JSON/],
      ['[]', /no object/],
      ['{}', /format is undefined/],
      [JSON.stringify({ ...stored, format: 2 }), /format is 2, and this version reads 1/],
      [JSON.stringify({ ...stored, decisions: -1 }), /damaged/],
      [JSON.stringify({ ...stored, recent: [2] }), /damaged/],
      [JSON.stringify({ ...stored, posterior: { ...posterior, mean: [1] } }), /damaged/],
      [JSON.stringify({ ...stored, posterior: { ...posterior, precision: posterior.mean.map(() => 0) } }), /damaged/],
      [JSON.stringify({ ...stored, posterior: { ...posterior, mean: posterior.mean.map(() => null) } }), /damaged/],
      [JSON.stringify({ ...stored, more: 'x'.repeat(20_000) }), /\d{5} characters/],
    ];
    for (const [text, line] of table) {
      const { state, dropped } = readState(text);
      assert.deepEqual(state, noExperience);
      assert.match(dropped ?? '', line);
      assert.doesNotMatch(dropped ?? '', /\n/);
    }
  });
});
