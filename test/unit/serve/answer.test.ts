import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../../src/completion/engine';
import type { Generation, GeneratedToken } from '../../../src/completion/generate';
import { answer, tokenText } from '../../../src/serve/answer';
import { readCompletionRequest } from '../../../src/serve/request';

/** Writes one text, a word at a time, whatever it is asked. */
function reciting(text: string, stop: Generation['stop'] = 'end') {
  let stopped = 0;
  async function* generate(): AsyncGenerator<GeneratedToken, Generation> {
    let said = '';
    try {
      for (const word of text.match(/\s+|\w+|[^\w\s]/g) ?? []) {
        said += word;
        await Promise.resolve();
        const bytes = Buffer.from(word);
        yield { bytes, logprob: -0.5, top: [{ bytes, logprob: -0.5 }], text: said };
      }
      return { text, stop };
    } finally {
      stopped++;
    }
  }
  const window = () => ({ prefixTokens: 3, suffixTokens: 2 });
  return { engine: { generate, window } as unknown as Pick<Engine, 'generate' | 'window'>, stopped: () => stopped };
}

async function ask(text: string, body: Record<string, unknown>, stop?: Generation['stop'], deadline = Infinity) {
  const { engine, stopped } = reciting(text, stop);
  const asked = readCompletionRequest({ prompt: '', path: 'a.ts', ...body }, { model: 'tiny', maxTokens: 256 });
  const { signal } = new AbortController();
  const chunks = answer(engine, asked, { thought: undefined, reader: 'a', maxLines: 8, signal, deadline });
  const sent = [];
  for (;;) {
    const { value, done } = await chunks.next();
    if (done) {
      assert.equal(stopped(), 1, 'the model is free for the next one');
      return { texts: sent.map((chunk) => chunk.text), logprobs: sent.map((chunk) => chunk.logprobs), ending: value };
    }
    sent.push(value);
  }
}

test('whole lines come as they are written, the rest at the end', async () => {
  const { texts, ending } = await ask('if (a) {\n  b();\n}', {});
  assert.deepEqual(texts, ['if (a) {', '\n  b();', '\n}']);
  assert.deepEqual([ending.finish, ending.prompt], ['stop', 5]);
});

test('what follows the cursor is neither repeated nor replaced', async () => {
  const call = { prompt: 'const a = f(', suffix: ');\n' };
  assert.deepEqual((await ask('first, second);', call)).texts, ['first, second']);
  const block = { prompt: 'function f() {\n  ', suffix: '\n}\n' };
  assert.deepEqual((await ask('return 1;\n}', block)).texts.join(''), 'return 1;');
});

test('a stop text ends it and is no part of it, also where it comes in chunks', async () => {
  const { texts, ending } = await ask('one();\n\nfunction two', { stop: ['\n\nfunction'] });
  assert.deepEqual([texts.join(''), ending.finish], ['one();', 'stop']);
  assert.ok(ending.tokens < 8, `${ending.tokens}`);
  assert.deepEqual((await ask('one', { stop: 'one' })).texts, []);
});

test('an answer that is too long, or too late, says so', async () => {
  assert.equal((await ask('const a', {}, 'length')).ending.finish, 'length');
  const late = await ask('const a = b + c', {}, 'end', 0);
  assert.deepEqual([late.texts.join(''), late.ending.finish], ['const', 'length']);
});

test('with logprobs every token of the text is told, and where it begins', async () => {
  const { texts, logprobs } = await ask('a(\n  b\n)', { logprobs: 1 });
  const tokens = logprobs.flatMap((one) => one!.tokens);
  assert.equal(tokens.join(''), texts.join(''));
  const offsets = logprobs.flatMap((one) => one!.text_offset);
  assert.deepEqual(offsets, tokens.map((_, i) => tokens.slice(0, i).join('').length)); // prettier-ignore
  assert.deepEqual(logprobs[0]!.top_logprobs[0], { a: -0.5 });
});

test('line ends are those of the file', async () => {
  const { texts } = await ask('if (a) {\n  b();\n}', { prompt: 'let a;\r\n', suffix: '\r\n' });
  assert.equal(texts.join(''), 'if (a) {\r\n  b();\r\n}');
});

test('a token that is a part of a character is told by its bytes', () => {
  assert.equal(tokenText(Buffer.from('ö')), 'ö');
  assert.equal(tokenText(Buffer.from('ö').subarray(0, 1)), 'bytes:\\xc3');
});
