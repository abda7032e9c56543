import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointBase } from '../../../src/api/address';

const cases: [given: string, base: string | undefined][] = [
  ['https://models.example/v1', 'https://models.example/v1'],
  ['https://models.example/v1/', 'https://models.example/v1'],
  ['https://models.example/v1/completions', 'https://models.example/v1'],
  ['http://127.0.0.1:11434/v1', 'http://127.0.0.1:11434/v1'],
  ['http://localhost:8080', 'http://localhost:8080'],
  ['http://[::1]:8080/v1', 'http://[::1]:8080/v1'],
  ['http://models.example/v1', undefined],
  ['http://127.0.0.1.models.example/v1', undefined],
  ['http://0.0.0.0/v1', undefined],
  ['ftp://127.0.0.1', undefined],
  ['file:///etc/passwd', undefined],
  ['javascript:alert(1)', undefined],
  ['https://user:password@models.example/v1', undefined],
  ['https://models.example/v1?key=1', undefined],
  ['https://models.example/v1#x', undefined],
  ['models.example', undefined],
  ['', undefined],
];
for (const [given, base] of cases) {
  test(`an address that text may be sent to: ${given || 'none'}`, () => assert.equal(endpointBase(given), base));
}
