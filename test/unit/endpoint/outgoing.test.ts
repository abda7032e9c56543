import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outgoingContext, SENT } from '../../../src/server/outgoing';

test('the text around the cursor is sent, whole lines of it, and no more than is said', () => {
  const lines = (count: number) =>
    Array.from({ length: count }, (_, i) => `const value${i} = compute(${i});\n`).join('');
  const sent = outgoingContext({ prefix: `${lines(1000)}return `, suffix: `;\n${lines(1000)}` })!;
  assert.ok(sent.prefix.length <= SENT.prefix && sent.prefix.length > SENT.prefix - 50);
  assert.ok(sent.suffix.length <= SENT.suffix && sent.suffix.length > SENT.suffix - 50);
  assert.match(sent.prefix, /^const value\d+ = [\s\S]*\nreturn $/);
  assert.match(sent.suffix, /^;\nconst value0 = [\s\S]*\);$/);
  assert.deepEqual(outgoingContext({ prefix: 'a = ', suffix: '' }), { prefix: 'a = ', suffix: '' });
});

const key = ['-----BEGIN PRIVATE KEY-----', ...Array.from({ length: 40 }, () => 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC'), '-----END PRIVATE KEY-----'].join('\n'); // prettier-ignore

test('lines with credentials, and private keys, stay here', () => {
  const prefix = `const a = 1;\nconst token = "ghp_${'a1B2'.repeat(9)}";\n${key}\nconst b = `;
  const suffix = `;\npassword: "hV7-kQ2z-X9mB-4pLs"\nconst c = 2;\n`;
  assert.deepEqual(outgoingContext({ prefix, suffix }), {
    prefix: 'const a = 1;\nconst b = ',
    suffix: ';\nconst c = 2;\n',
  });
});

test('a key whose first line is farther than what is sent is known all the same', () => {
  const padding = 'const x = 1;\n'.repeat(300);
  const sent = outgoingContext({ prefix: `${key}\n${padding}`, suffix: '' })!;
  assert.ok(!sent.prefix.includes('MIIE'));
  const within = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n'.repeat(190)}`;
  assert.ok(
    !outgoingContext({ prefix: `${within}-----END PRIVATE KEY-----\nlet y = `, suffix: '' })!.prefix.includes('MIIE'),
  );
});

test('where the cursor’s own line holds a credential, nothing is sent', () => {
  const line = `const token = "ghp_${'a1B2'.repeat(9)}"`;
  assert.equal(outgoingContext({ prefix: line, suffix: ';\n' }), undefined);
  assert.equal(outgoingContext({ prefix: line.slice(0, 15), suffix: `${line.slice(15)};\n` }), undefined);
  assert.equal(outgoingContext({ prefix: 'apiVersion: v1\nkind: Secret\ndata:\n  a: ', suffix: '\n' }), undefined);
});
