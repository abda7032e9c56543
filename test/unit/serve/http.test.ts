import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { isLoopbackHost } from '../../../src/api/address';
import { authorize } from '../../../src/serve/http';
import { ApiError } from '../../../src/serve/apiError';

const token = 'a-token-of-some-length';
const status = (headers: IncomingHttpHeaders, wanted?: string): number => {
  try {
    authorize({ headers }, wanted);
    return 200;
  } catch (error) {
    assert.ok(error instanceof ApiError);
    return error.status;
  }
};

const cases: [name: string, headers: IncomingHttpHeaders, token: string | undefined, status: number][] = [
  ['this machine, without a token', { host: '127.0.0.1:8790' }, undefined, 200],
  ['by its name', { host: 'localhost' }, undefined, 200],
  ['IPv6', { host: '[::1]:8790' }, undefined, 200],
  ['another name for the same address', { host: 'evil.example:8790' }, undefined, 403],
  ['no name', {}, undefined, 403],
  ['a page in a browser', { host: '127.0.0.1:8790', origin: 'https://evil.example' }, undefined, 403],
  ['the token', { host: 'gpu.example', authorization: `Bearer ${token}` }, token, 200],
  ['in small letters', { authorization: `bearer ${token}` }, token, 200],
  ['another token', { authorization: `Bearer ${token}x` }, token, 401],
  ['a shorter one', { authorization: 'Bearer a' }, token, 401],
  ['another scheme', { authorization: `Basic ${token}` }, token, 401],
  ['none', { host: '127.0.0.1' }, token, 401],
];
for (const [name, headers, wanted, expected] of cases) {
  test(`who may ask: ${name}`, () => assert.equal(status(headers, wanted), expected));
}

test('addresses of this machine', () => {
  for (const host of ['127.0.0.1', '127.8.0.1', 'localhost', '::1', '[::1]']) assert.ok(isLoopbackHost(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', 'localhost.evil.example', '']) {
    assert.ok(!isLoopbackHost(host), host);
  }
});
