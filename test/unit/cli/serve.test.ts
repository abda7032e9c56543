import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readServeOptions } from '../../../src/cli/serve';

const scratch = mkdtempSync(join(tmpdir(), 'thoughtline-serve-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(scratch, name), text);
  return join(scratch, name);
};
const TOKEN = 'a-token-of-some-length';

test('this machine alone, without a token, unless something else is said', () => {
  const { host, port, queue, limitMs, users, steps, token } = readServeOptions([], {});
  assert.deepEqual(
    { host, port, queue, limitMs, users, steps, token },
    { host: '127.0.0.1', port: 8790, queue: 64, limitMs: 30_000, users: 16, steps: undefined, token: undefined },
  );
});

test('a token is read from a file, else from the environment', () => {
  const path = file('token', `${TOKEN}\n`);
  assert.equal(readServeOptions(['--token-file', path], { THOUGHTLINE_TOKEN: 'another-one-of-length' }).token, TOKEN);
  assert.equal(readServeOptions([], { THOUGHTLINE_TOKEN: TOKEN }).token, TOKEN);
  assert.equal(readServeOptions([], { THOUGHTLINE_TOKEN: '' }).token, undefined);
});

const refused: [name: string, args: string[], environment: NodeJS.ProcessEnv, message: RegExp][] = [
  ['a file that is not there', ['--token-file', join(scratch, 'nowhere')], {}, /--token-file .*nowhere: ENOENT/],
  ['an empty file', ['--token-file', file('empty', '')], {}, /--token-file .*empty: a token has at least 16/],
  ['a token with blanks', ['--token-file', file('blanks', 'two words of some length')], {}, /no blanks/],
  ['a short token', [], { THOUGHTLINE_TOKEN: 'short' }, / THOUGHTLINE_TOKEN: a token has at least 16 characters/],
  ['a port that is none', ['--port', '70000'], {}, /--port 70000: use a whole number from 0 to 65535/],
  ['no time', ['--seconds', '0'], {}, /--seconds 0: use a whole number from 1/],
  ['a token as an argument', ['--token', TOKEN], {}, /--token/],
  ['a place', ['a.ts:1:1'], {}, /a\.ts:1:1: not an argument of serve/],
];
for (const [name, args, environment, message] of refused) {
  test(`refused: ${name}`, () => assert.throws(() => readServeOptions(args, environment), message));
}
