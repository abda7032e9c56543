import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutCovered, stableLength, cutAtStop, wholeLines } from '../../../src/serve/chunks';

const sending: [text: string, stops: string[], sent: string][] = [
  ['a = 1', [], 'a = 1'],
  ['a = 1', ['\n\n'], 'a = 1'],
  ['a = 1\n', ['\n\n'], 'a = 1'],
  ['a = 1;\n}', ['}\n\nfunction'], 'a = 1;\n'],
  ['<|endof', ['<|endoftext|>', 'of'], ''],
  ['aab', ['ab!', 'b!!'], 'a'],
  ['', ['x'], ''],
];
for (const [text, stops, sent] of sending) {
  test(`of ${JSON.stringify(text)} ${JSON.stringify(sent)} can be sent before ${JSON.stringify(stops)} has come`, () => {
    assert.equal(text.slice(0, stableLength(text, stops)), sent);
  });
}

test('a text ends before the first stop text in it, whichever that is', () => {
  assert.equal(cutAtStop('one two three', ['three', 'two']), 'one ');
  assert.equal(cutAtStop('one', ['two']), undefined);
  assert.equal(cutAtStop('one', []), undefined);
  assert.equal(cutAtStop('stop', ['stop']), '');
});

test('whole lines are those that are followed by another', () => {
  assert.equal(wholeLines('a'), '');
  assert.equal(wholeLines('a\n'), 'a');
  assert.equal(wholeLines('a\n\n  b'), 'a');
  assert.equal(wholeLines('a\nb\n'), 'a\nb');
});

const covering: [text: string, covered: string, beside: string][] = [
  ['value)', ')', 'value'],
  ['a) + g(b)', ')', 'a) + g(b'],
  ['"y"])', '"])', '"y'],
  ['a, b): void {', ') {', 'a, b'],
  ['a, b', '', 'a, b'],
  // What does not hold it all the same is left as it is.
  ['a, b', ')', 'a, b'],
];
for (const [text, covered, beside] of covering) {
  test(`${JSON.stringify(text)} beside ${JSON.stringify(covered)} is ${JSON.stringify(beside)}`, () => {
    assert.equal(withoutCovered(text, covered), beside);
  });
}
