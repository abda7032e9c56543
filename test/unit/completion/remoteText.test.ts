import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOfRemote } from '../../../src/completion/remoteText';

const cursor = { indentation: 0, finishedLine: false, maxLines: 8 };
const tokens = (...texts: string[]) => texts.map((text) => ({ text, logprob: -0.5 }));

test('a text ends where one of our own would', () => {
  const text = 'if (a) {\n  b();\n}\nc();\nd();\n';
  const { text: kept, stop } = candidateOfRemote({ text, ended: true }, cursor);
  assert.deepEqual([kept, stop], ['if (a) {\n  b();\n}', 'block']);
  assert.equal(candidateOfRemote({ text: 'a;\nb;', ended: true }, { ...cursor, maxLines: 1 }).text, 'a;');
});

test('how probable it is goes by the tokens that are kept', () => {
  const given = { text: 'a;\nb', tokens: tokens('a', ';', '\n', 'b'), ended: true };
  const { logprob, marks, tokens: ids } = candidateOfRemote(given, { ...cursor, maxLines: 1 });
  assert.deepEqual([logprob, ids.length], [-1.5, 3]);
  assert.deepEqual(marks, [{ bytes: 1, logprob: -0.5 }, { bytes: 2, logprob: -1 }, { bytes: 3, logprob: -1.5 }]); // prettier-ignore
});

test('without probabilities it is taken for certain, and nothing is cut for low confidence', () => {
  const { logprob, marks } = candidateOfRemote({ text: 'a', ended: true }, cursor);
  assert.deepEqual([logprob, marks], [0, undefined]);
});

test('what was cut for its length loses what may be half of something', () => {
  assert.deepEqual(candidateOfRemote({ text: 'first(\n  second', ended: false }, cursor).text, 'first(');
  assert.equal(candidateOfRemote({ text: 'first(\n  second', ended: false }, cursor).stop, 'length');
  assert.equal(candidateOfRemote({ text: '', ended: true }, cursor).text, '');
});
