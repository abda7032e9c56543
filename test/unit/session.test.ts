import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Session } from '../../src/server/session';

const at = { prefix: 'a = ', suffix: '' };

/** Whether what was remembered under the first conditions holds under the second. */
const table: [name: string, first: [string, string?], second: [string, string?], holds: boolean][] = [
  ['the same', ['a', 'nano'], ['a', 'nano'], true],
  ['a model that has become known', ['a'], ['a', 'nano'], true],
  ['a model that is not known for a while', ['a', 'nano'], ['a'], true],
  ['other settings', ['a', 'nano'], ['b', 'nano'], false],
  ['other settings, the model not known', ['a'], ['b'], false],
  ['another model', ['a', 'nano'], ['a', 'coder'], false],
];
for (const [name, first, second, holds] of table) {
  test(`what was remembered ${holds ? 'holds' : 'does not hold'} under ${name}`, () => {
    const session = new Session();
    session.under(first[0], first[1]);
    session.suggestions.add({ ...at, text: 'b', replaceSuffix: 0, thought: 0 });
    session.under(second[0], second[1]);
    assert.equal(session.suggestions.find(at, 0) !== undefined, holds);
  });
}

test('another model that comes after a while in which none was known is another model', () => {
  const session = new Session();
  session.under('a', 'nano');
  session.under('a', undefined);
  session.suggestions.add({ ...at, text: 'b', replaceSuffix: 0, thought: 0 });
  session.under('a', 'coder');
  assert.equal(session.suggestions.find(at, 0), undefined);
});
