import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changeKind,
  hasConflict,
  blockedBecause,
  autoSuppressedBecause,
  type Blockers,
  type AutoSuppressors,
} from '../../src/server/reasons';

const free: Blockers = {
  enable: true,
  language: 'typescript',
  languageOn: true,
  excludedBy: undefined,
  failure: undefined,
};

test('what stands against any suggestion, the first of it told', () => {
  const table: [given: Partial<Blockers>, reason: RegExp | undefined][] = [
    [{}, undefined],
    [{ enable: false, languageOn: false }, /switched off \(thoughtline\.enable\)/],
    [{ languageOn: false }, /off for the language "typescript" \(thoughtline\.languages\)/],
    [{ excludedBy: '**/.env*' }, /excluded by "\*\*\/\.env\*" \(thoughtline\.exclude\)/],
    [{ failure: 'the model is broken' }, /^the model is broken$/],
  ];
  for (const [given, reason] of table) matches(blockedBecause({ ...free, ...given }), reason, JSON.stringify(given));
});

const conflict = 'a\n<<<<<<< ours\nb\n=======\nc\n>>>>>>> theirs\nd\n';
const quiet: AutoSuppressors = {
  snoozed: undefined,
  trigger: 'automatic',
  lastChange: 'typing',
  text: () => 'const a = 1;\n',
  scope: () => 'comment',
};

test('what stands against a suggestion that nobody asked for', () => {
  const table: [name: string, given: Partial<AutoSuppressors>, reason: RegExp | undefined][] = [
    ['nothing', {}, undefined],
    ['snoozed', { snoozed: '14:05' }, /snoozed until 14:05/],
    ['manual', { trigger: 'manual' }, /only when triggered manually \(thoughtline\.trigger\)/],
    ['a comment', { trigger: 'code' }, /in a comment \(thoughtline\.trigger\)/],
    ['a string', { trigger: 'code', scope: () => 'string' }, /in a string/],
    ['code', { trigger: 'code', scope: () => 'code' }, undefined],
    ['nobody knows', { trigger: 'code', scope: () => undefined }, undefined],
    ['a deletion', { lastChange: 'deletion' }, /right after a deletion/],
    ['undo', { lastChange: 'undo' }, /right after undo/],
    ['redo', { lastChange: 'redo' }, /right after redo/],
    ['conflicts', { text: () => conflict }, /merge conflicts/],
  ];
  for (const [name, given, reason] of table) matches(autoSuppressedBecause({ ...quiet, ...given }), reason, name);
});

test('a conflict has a beginning and an end, each at the beginning of a line', () => {
  const table: [text: string, has: boolean][] = [
    [conflict, true],
    [conflict.slice(2), true],
    [conflict.replaceAll('\n', '\r\n'), true],
    [conflict.replace('>>>>>>> theirs\n', ''), false],
    [`  ${conflict.slice(2).replaceAll('\n', '\n  ')}`, false],
    ['>>>>>>> theirs\n<<<<<<< ours\n', false],
    ['title\n=======\n', false],
    ['', false],
  ];
  for (const [text, has] of table) assert.equal(hasConflict(text), has, JSON.stringify(text));
});

test('kinds of changes: what the client says, else by what is inserted', () => {
  assert.equal(changeKind('undo', ['x']), 'undo');
  assert.equal(changeKind('redo', ['']), 'redo');
  assert.equal(changeKind(undefined, ['']), 'deletion');
  assert.equal(changeKind(undefined, ['', '']), 'deletion');
  assert.equal(changeKind(undefined, ['', 'x']), 'typing');
  assert.equal(changeKind(undefined, ['x']), 'typing');
  assert.equal(changeKind(undefined, [undefined]), 'typing');
  assert.equal(changeKind(undefined, []), 'typing');
});

function matches(found: string | undefined, reason: RegExp | undefined, name: string): void {
  if (reason === undefined) assert.equal(found, undefined, name);
  else assert.match(found ?? '', reason, name);
}
