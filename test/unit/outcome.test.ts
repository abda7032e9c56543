import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../../src/inference/messages';
import { isCold, outcomeOf } from '../../src/server/outcome';

const at = { prefix: 'a = ', suffix: '\n' };

function answer(result: Partial<Answer['result']>): Answer {
  const whole = { text: 'b', replaceSuffix: 0, stop: 'line', candidates: [], read: 10, milliseconds: 1, ...result };
  const window = { prefixTokens: 15, suffixTokens: 5 };
  return {
    result: whole as unknown as Answer['result'],
    thought: 7,
    window,
    refinementRunsWaited: 0,
    refinementRunsAhead: 0,
  };
}

test('what a run came to, and whether it is the last word', () => {
  const entry = { ...at, text: 'b', replaceSuffix: 0, thought: 7 };
  assert.deepEqual(outcomeOf(at, answer({})), { entry });
  // In haste, or without all that could be looked up: another run may write something else.
  assert.deepEqual(outcomeOf(at, answer({ stop: 'time' })), { entry: { ...entry, thought: -1 } });
  assert.deepEqual(outcomeOf(at, answer({ partial: true })), { entry: { ...entry, thought: -1 } });
  assert.deepEqual(outcomeOf(at, answer({ text: '', reason: 'unsure' })), { reason: 'unsure', thought: 7 });
  assert.deepEqual(outcomeOf(at, answer({ text: '' })), { reason: 'the model suggests nothing here', thought: 7 });
  assert.deepEqual(outcomeOf(at, answer({ text: '', stop: 'time' })), { reason: 'the model suggests nothing here' });
  assert.deepEqual(outcomeOf(at, answer({ text: '', partial: true })), { reason: 'the model suggests nothing here' });
  assert.match(outcomeOf(at, answer({ stop: 'aborted' })).reason ?? '', /^given up/);
  assert.deepEqual(outcomeOf(at, { reason: 'no model' }), { reason: 'no model' });
});

test('a run is cold if it read more than half of its window again', () => {
  assert.equal(isCold(answer({ read: 10 })), false);
  assert.equal(isCold(answer({ read: 11 })), true);
});
