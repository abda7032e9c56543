import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { documentOf } from '../../../src/completion/document';
import { consume, heal, logProbability, logSumExp } from '../../../src/completion/heal';
import { qwen2Tokenizer, tinyTokenizer } from '../../fixtures';

const tokenizer = tinyTokenizer();
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe('token healing', () => {
  const table: [prefix: string, pendingBytes: RegExp][] = [
    ['', /^$/],
    ['foo();\n', /^$/],
    ['const', /^const$/],
    ['const ', /^const $/],
    ['foo();\n    ', /^ {4}$/],
    ['foo();\n    re', /^re$/],
    ['return this.comple', /comple$/],
  ];
  for (const [prefix, pendingBytes] of table) {
    test(`${JSON.stringify(prefix)} takes back its last tokens`, () => {
      const tokens = tokenizer.encode(prefix);
      const healed = heal(tokens, tokenizer);
      assert.match(text(healed.pendingBytes), pendingBytes);
      assert.equal(tokenizer.decode(healed.tokens) + text(healed.pendingBytes), prefix);
    });
  }

  test('a token that ends with a newline is not taken back', () => {
    const qwen2 = qwen2Tokenizer();
    const [prefix, last] = ['foo(b);\n', qwen2.encode('foo(b);\n').at(-1)!];
    assert.equal(qwen2.decode([last]), ';\n');
    assert.deepEqual(heal(qwen2.encode(prefix), qwen2), {
      tokens: qwen2.encode(prefix),
      pendingBytes: Buffer.alloc(0),
    });
  });

  test('what is needed is used up token by token', () => {
    const bytes = (value: string) => Buffer.from(value);
    const first = consume(bytes('const'), bytes('con'));
    assert.deepEqual([text(first.pendingBytes), text(first.text)], ['st', '']);
    const second = consume(first.pendingBytes, bytes('st x'));
    assert.deepEqual([text(second.pendingBytes), text(second.text)], ['', ' x']);
    const third = consume(second.pendingBytes, bytes('y'));
    assert.deepEqual([text(third.pendingBytes), text(third.text)], ['', 'y']);
  });

  test('probabilities are those given the bytes needed', () => {
    const logits = Float32Array.from({ length: tokenizer.size }, (_, id) => Math.sin(id));
    const pendingBytes = Buffer.from('con');
    const total = tokenizer
      .compatible(pendingBytes)
      .reduce((sum, id) => sum + Math.exp(logProbability(logits, id, pendingBytes, tokenizer)), 0);
    assert.ok(Math.abs(total - 1) < 1e-6);
    const free = new Uint8Array(0);
    let all = 0;
    for (let id = 0; id < tokenizer.size; id++) all += Math.exp(logProbability(logits, id, free, tokenizer));
    assert.ok(Math.abs(all - 1) < 1e-6);
  });

  test('large logits do not overflow', () => {
    assert.ok(Math.abs(logSumExp(Float32Array.of(1000, 1000)) - (1000 + Math.log(2))) < 1e-3);
  });
});

describe('newlines of a document', () => {
  const request = (prefix: string) => ({ path: 'a', prefix, suffix: '', related: [] });
  test('are "\\n" for the model and the document’s own in the suggestion', () => {
    const document = documentOf(request('a\r\nb\r\n'));
    assert.equal(document.prefix, 'a\nb\n');
    assert.equal(document.restore('c\nd'), 'c\r\nd');
  });
  test('stay as they are where they are "\\n"', () => {
    assert.equal(documentOf(request('a\nb')).restore('c\nd'), 'c\nd');
  });
});
