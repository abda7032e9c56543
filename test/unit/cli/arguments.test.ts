import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deviceOption, parse, stepsOption, wholeNumber } from '../../../src/cli/arguments';
import { UsageError } from '../../../src/cli/command';
import { cutAt, parseLocation, withoutLineRest } from '../../../src/cli/location';
import { partner } from '../../../lab/score';
import { formatTrace } from '../../../src/cli/trace';
import { UserError } from '../../../src/model/errors';

describe('place of the cursor', () => {
  test('FILE:LINE:COL', () => {
    assert.deepEqual(parseLocation('src/a.ts:3:7'), { file: 'src/a.ts', line: 3, column: 7 });
    assert.deepEqual(parseLocation('C:\\a.ts:3:7'), { file: 'C:\\a.ts', line: 3, column: 7 });
    assert.deepEqual(parseLocation('-:1:1'), { file: '-', line: 1, column: 1 });
    assert.deepEqual(parseLocation('-'), { file: '-' });
  });
  for (const bad of ['src/a.ts', 'a.ts:3', 'a.ts:x:1', ':1:1']) {
    test(`${bad} is not understood`, () => assert.throws(() => parseLocation(bad), UsageError));
  }

  const table: [text: string, line: number, column: number, prefix: string][] = [
    ['', 1, 1, ''],
    ['ab\ncd', 1, 1, ''],
    ['ab\ncd', 1, 3, 'ab'],
    ['ab\ncd', 2, 2, 'ab\nc'],
    ['ab\ncd', 2, 3, 'ab\ncd'],
    ['ab\n', 2, 1, 'ab\n'],
    ['ab\r\ncd', 1, 3, 'ab'],
    ['ab\r\ncd', 2, 1, 'ab\r\n'],
    ['é💩x', 1, 4, 'é💩'],
  ];
  for (const [text, line, column, prefix] of table) {
    test(`${JSON.stringify(text)} at ${line}:${column}`, () => {
      const cut = cutAt(text, { file: 'f', line, column }, 'f');
      assert.deepEqual(cut, { prefix, suffix: text.slice(prefix.length) });
    });
  }

  const outside: [line: number, column: number, message: RegExp][] = [
    [0, 1, /^f: line 0 is not in the file; give a line from 1 to 2$/],
    [3, 1, /^f: line 3 is not in the file; give a line from 1 to 2$/],
    [1, 0, /^f: column 0 is not in line 1; give a column from 1 to 3$/],
    [1, 4, /^f: column 4 is not in line 1; give a column from 1 to 3$/],
  ];
  for (const [line, column, message] of outside) {
    test(`${line}:${column} is out of range`, () => {
      assert.throws(
        () => cutAt('ab\ncd', { file: 'f', line, column }, 'f'),
        (error: Error) => error instanceof UserError && message.test(error.message),
      );
    });
  }
});

describe('options', () => {
  test('an unknown one is an error in one line', () => {
    assert.throws(
      () => parse(['--nonsense'], {}),
      (error: Error) =>
        error instanceof UsageError && /--nonsense/.test(error.message) && !error.message.includes('\n'),
    );
  });
  test('steps lie between 0 and 32', () => {
    assert.equal(stepsOption(undefined), undefined);
    assert.equal(stepsOption('32'), 32);
    for (const bad of ['33', '-1', '1.5', '', 'four']) assert.throws(() => stepsOption(bad), UsageError);
  });
  test('a device is one of those there are', () => {
    assert.equal(deviceOption(undefined), 'auto');
    assert.throws(() => deviceOption('tpu'), /use one of auto, cpu/);
  });
  test('a whole number names its range', () => {
    assert.throws(() => wholeNumber('--threads', '0', 1, 8), /--threads 0: use a whole number from 1 to 8/);
  });
});

test('the partner of an item has another path', () => {
  const items = ['a', 'a', 'b', 'c'].map((path) => ({ path }));
  assert.deepEqual(
    items.map((_, i) => partner(items, i)),
    [2, 2, 3, 0],
  );
  assert.equal(partner([{ path: 'a' }, { path: 'a' }], 0), undefined);
});

describe('trace', () => {
  const trace = {
    steps: 1,
    nll: [2, 1.5],
    heldOut: [],
    kl: [0, 3],
    best: 1,
    coverage: 0.5,
    chunks: [{ path: 'a.ts', line: 1, tokens: 100, heldOut: false }],
    runs: 3,
    milliseconds: 12,
  };
  test('shows the NLL of each step, and which is kept', () => {
    assert.match(formatTrace(trace, true), /0 {8}2\.0000[^\n]*\n {3}1 {8}1\.5000[^\n]*← kept$/);
  });
  test('keeps its columns apart where a thought costs much', () => {
    const text = formatTrace({ ...trace, heldOut: [1.25, 1.125], kl: [0, 1362569.4] }, true);
    const [, head = '', ...rows] = text.split('\n');
    assert.match(rows[1] ?? '', /1\.5000 +1\.1250 +1362569\.4000 /);
    assert.equal(head.indexOf('KL') + 'KL'.length, (rows[1] ?? '').indexOf('1362569.4000') + '1362569.4000'.length);
  });
  test('says so where nothing was thought about', () => {
    assert.match(formatTrace({ ...trace, chunks: [] }, true), /none \(no text/);
    assert.match(formatTrace(trace, false), /none/);
  });
});

test('the line suffix can be forgotten, whatever ends the line', () => {
  const table: [suffix: string, kept: string, rest: string][] = [
    ['', '', ''],
    ['rest', '', 'rest'],
    ['\nnext', '\nnext', ''],
    ['rest;\r\nnext', '\r\nnext', 'rest;'],
    ['a\rb', '\rb', 'a'],
  ];
  for (const [given, suffix, rest] of table) assert.deepEqual(withoutLineRest(given), { suffix, rest });
});
