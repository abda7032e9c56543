import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBoundary } from '../../../src/completion/boundary';

test('a text may be cut between words, characters and escapes', () => {
  const table: [text: string, expected: boolean][] = [
    ['foo|(a)', true],
    ['fo|o', false],
    ['foo |bar', true],
    ['größ|e', false],
    ['a1|2', false],
    ['$|a', false],
    ['e|\u0301', false],
    ['👍|🏽', false],
    ['👩|\u200D👧', false],
    ['👩\u200D|👧', false],
    ['👍|👍', true],
    ['🇩|🇪', false],
    ['🇩🇪|🇫🇷', true],
    ['x🇩🇪🇫|🇷', false],
    ['漢|字', true],
    ['\\|n', false],
    ['\\n|ext', true],
    ['\\\\|n', true],
    ['\\u00|e9', false],
    ['\\u00e9|;', true],
    ['\\u{1F|600}', false],
    ['\\x4|1', false],
    ['"|"', true],
  ];
  for (const [text, expected] of table) {
    const at = text.indexOf('|');
    assert.equal(isBoundary(text.replace('|', ''), at), expected, text);
  }
  assert.equal(isBoundary('🏽', 1), false, 'half a pair');
});
