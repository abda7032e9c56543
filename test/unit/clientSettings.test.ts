import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings } from '../../src/server/settings';
import { ClientSettings } from '../../src/server/clientSettings';

/** What a client says, in the order in which it says it. */
type Told = [way: 'start' | 'push' | 'pull', given: unknown];
const off = { enable: false };

const table: [name: string, told: Told[], all: Record<string, unknown>][] = [
  ['nothing', [], {}],
  ['at the start', [['start', off]], off],
  ['null for an unknown section', [['start', off], ['pull', null]], off],
  ['an empty table', [['start', off], ['push', {}], ['pull', {}]], off],
  ['an empty table as an array', [['start', off], ['push', []], ['pull', []]], off],
  ['no settings at all', [['start', off], ['push', null], ['push', undefined], ['push', false]], off],
  ['settings of others', [['start', off], ['push', { rust: { enable: true } }]], off],
  ['an empty section', [['start', off], ['push', { thoughtline: {} }]], off],
  ['an odd section', [['start', off], ['push', { thoughtline: 'on' }], ['push', { thoughtline: ['on'] }]], off],
  ['a setting without a value', [['start', off], ['push', { thoughtline: { enable: null } }]], off],
  ['another setting', [['start', off], ['push', { thoughtline: { maxLines: 2 } }]], { ...off, maxLines: 2 }],
  ['the same setting, later', [['start', off], ['push', { thoughtline: { enable: true } }]], { enable: true }],
  ['by pull alone', [['pull', { inferenceSteps: 2 }]], { inferenceSteps: 2 }],
  ['pull after push', [['push', { thoughtline: { maxLines: 2 } }], ['pull', { maxLines: 3 }]], { maxLines: 3 }],
  ['push after pull', [['pull', { maxLines: 3, timeBudget: 1 }], ['push', { thoughtline: { maxLines: 2 } }]], { maxLines: 2, timeBudget: 1 }],
  ['a setting taken back', [['start', off], ['push', { thoughtline: { enable: true, maxLines: 2 } }], ['push', { thoughtline: { maxLines: 2 } }]], { ...off, maxLines: 2 }],
]; // prettier-ignore
for (const [name, told, all] of table) {
  test(`what a client says of settings: ${name}`, () => {
    const said = new ClientSettings();
    for (const [way, given] of told) said[way](given);
    assert.deepEqual(said.all(), all);
    assert.deepEqual(readSettings(said.all()).problems, []);
  });
}

test('what a client says of one document goes before what it says of all', () => {
  const said = new ClientSettings();
  said.start({ maxLines: 5, enable: false });
  assert.deepEqual(said.all({ maxLines: 1, languages: null }), { maxLines: 1, enable: false });
  for (const nothing of [null, undefined, {}, [], 'on', 3]) assert.deepEqual(said.all(nothing), said.all());
});
