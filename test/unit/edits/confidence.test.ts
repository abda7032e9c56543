import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EDIT_FEATURES, editConfidence, editFeatures, rated } from '../../../src/edits/confidence';
import type { EditCandidate, Facts } from '../../../src/edits/candidate';
import { RefusedEdits } from '../../../src/edits/refused';

const facts: Facts = {
  kind: 'repeat',
  left: 3,
  right: 2,
  sameLine: false,
  made: 1,
  oldLength: 5,
  newLength: 4,
  places: 2,
  skipped: 0,
  inserts: false,
  deletes: false,
  wordless: false,
  lines: 7,
  otherFile: false,
  names: true,
  orphaned: false,
  declared: false,
};

describe('how sure an edit is', () => {
  const weights = Object.fromEntries(EDIT_FEATURES.map((name) => [name, name === 'left' ? 2 : 0]));
  const model = { bias: -1, weights: weights as Record<(typeof EDIT_FEATURES)[number], number>, threshold: 0.5 };
  const candidate = (left: number): EditCandidate => ({
    uri: 'a',
    start: left,
    oldText: 'x',
    newText: 'y',
    kind: 'repeat',
    source: { uri: 'a', start: 0, oldText: 'x', newText: 'y' },
    facts: { ...facts, left },
  });

  it('features are of the size of one, whatever the facts', () => {
    const wild = { ...facts, oldLength: 2_000, newLength: 2_000, places: 400, lines: 100_000, skipped: 400 };
    const features = editFeatures(wild);
    for (const name of EDIT_FEATURES) assert.ok(Math.abs(features[name]) <= 3, `${name}: ${features[name]}`);
  });

  it('the confidence is a probability that follows the weights', () => {
    assert.equal(editConfidence(editFeatures({ ...facts, left: 3 }), model), 0.5);
    assert.ok(editConfidence(editFeatures({ ...facts, left: 6 }), model) > 0.7);
  });

  it('the surest comes first', () => {
    const [one, other] = [candidate(2), candidate(4)];
    assert.deepEqual(
      rated([one, other], { rename: model, repeat: model }).map((found) => found.candidate),
      [other, one],
    );
  });
});

describe('what was refused does not come back', () => {
  const text = 'f(old);\ng(old);\n';
  const [one, other] = [2, 10].map((start) => ({ start, oldText: 'old', newText: 'new' }));

  it('a dismissed edit comes back nowhere', () => {
    const refused = new RefusedEdits();
    refused.dismissed(one!);
    assert.equal(refused.refuses('a', other!, text), true);
    assert.equal(refused.refuses('a', { ...other!, newText: 'another' }, text), false);
  });

  it('one that was ignored does not come back in its line', () => {
    const refused = new RefusedEdits();
    refused.ignored('a', one!, text);
    assert.equal(refused.refuses('a', one!, text), true);
    assert.equal(refused.refuses('a', other!, text), false);
    assert.equal(refused.refuses('b', one!, text), false);
    // However many lines stand before it by now.
    assert.equal(refused.refuses('a', { ...one!, start: 7 }, `more\n${text}`), true);
  });

  it('the oldest refusals are forgotten', () => {
    const refused = new RefusedEdits();
    refused.dismissed(one!);
    for (let i = 0; i < 64; i++) refused.dismissed({ oldText: 'a', newText: String(i) });
    assert.equal(refused.refuses('a', one!, text), false);
  });
});
