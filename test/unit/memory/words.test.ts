import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Identifiers } from '../../../src/memory/identifiers';

const TOKENS = ['', '\n', ' ', '.', 'this', 'Name', ' is', 'x.', '(x', 'é', '_$9', '\xc3'];
const bytes = (id: number) => Buffer.from(TOKENS[id] ?? '', id === 11 ? 'latin1' : 'utf8');
const words = new Identifiers({ size: TOKENS.length, bytes });
const idsOf = (...texts: string[]) => texts.map((text) => TOKENS.indexOf(text));

describe('the word that a text ends in', () => {
  const cases: [context: string[], tokens: number][] = [
    [[], 0],
    [[''], 0],
    [['this', '.'], 0],
    [['this'], 1],
    [['.', 'this'], 1],
    [['.', 'this', 'Name'], 2],
    [['this', 'Name', '_$9'], 3],
    [['this', ' is'], 1],
    [['Name', '(x'], 1],
    [['Name', '(x', 'Name'], 2],
    [['Name', 'x.', 'Name'], 1],
    [['this', '\n', 'Name'], 1],
    [['é', 'Name'], 2],
  ];
  for (const [context, tokens] of cases) {
    test(`${JSON.stringify(context)} has ${tokens} tokens`, () =>
      assert.equal(words.at(idsOf(...context)).tokens, tokens));
  }

  test('goes on with what begins as a word', () => {
    const word = words.at(idsOf('this'));
    for (const text of ['this', 'x.', 'é', '_$9', '\xc3']) assert.ok(word.continuesWord(TOKENS.indexOf(text)), text);
    for (const text of ['', '\n', ' ', '.', ' is', '(x']) assert.ok(!word.continuesWord(TOKENS.indexOf(text)), text);
    assert.ok(!word.continuesWord(99));
  });
});
