import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatInfill, parseInfill } from '../../../src/api/infill';
import { ApiError } from '../../../src/serve/apiError';
import { readCompletionRequest } from '../../../src/serve/request';

const limits = { model: 'tiny', maxTokens: 256 };
const read = (given: unknown) => readCompletionRequest(given, limits);

test('what the API leaves open has a value', () => {
  assert.deepEqual(read({ prompt: 'const a = ' }), {
    prefix: 'const a = ',
    suffix: '',
    maxTokens: 64,
    stop: [],
    stream: false,
    includeUsage: false,
    logprobs: undefined,
    sampling: { temperature: 0, topP: 1, seed: 0 },
    user: undefined,
    path: '',
  });
});

test('what is said is taken; an answer is no longer than it can be', () => {
  const asked = read({
    model: 'tiny',
    prompt: ['f('],
    suffix: ')',
    max_tokens: 4096,
    stop: ['\n', ''],
    stream: true,
    stream_options: { include_usage: true },
    logprobs: 2,
    temperature: 0.5,
    top_p: 0.9,
    seed: 7,
    user: 'ada',
    path: 'src/a.ts',
    n: 1,
    echo: false,
    frequency_penalty: 0,
    logit_bias: {},
    something_new: 1,
  });
  assert.deepEqual(asked, {
    prefix: 'f(',
    suffix: ')',
    maxTokens: 256,
    stop: ['\n'],
    stream: true,
    includeUsage: true,
    logprobs: 2,
    sampling: { temperature: 0.5, topP: 0.9, seed: 7 },
    user: 'ada',
    path: 'src/a.ts',
  });
  assert.deepEqual(read({ prompt: '', stop: null, suffix: null, user: null, max_tokens: null }).stop, []);
});

const refused: [name: string, body: unknown, status: number, param: string][] = [
  ['nothing', undefined, 400, 'body'],
  ['a list', [], 400, 'body'],
  ['no prompt', {}, 400, 'prompt'],
  ['several prompts', { prompt: ['a', 'b'] }, 400, 'prompt'],
  ['a prompt of tokens', { prompt: [1, 2] }, 400, 'prompt'],
  ['another model', { prompt: '', model: 'gpt' }, 404, 'model'],
  ['no tokens', { prompt: '', max_tokens: 0 }, 400, 'max_tokens'],
  ['half a token', { prompt: '', max_tokens: 1.5 }, 400, 'max_tokens'],
  ['too hot', { prompt: '', temperature: 3 }, 400, 'temperature'],
  ['an empty nucleus', { prompt: '', top_p: 0 }, 400, 'top_p'],
  ['too many logprobs', { prompt: '', logprobs: 6 }, 400, 'logprobs'],
  ['several answers', { prompt: '', n: 2 }, 400, 'n'],
  ['the prompt again', { prompt: '', echo: true }, 400, 'echo'],
  ['a penalty', { prompt: '', presence_penalty: 1 }, 400, 'presence_penalty'],
  ['a bias', { prompt: '', logit_bias: { 50256: -100 } }, 400, 'logit_bias'],
  ['a stop that is none', { prompt: '', stop: 5 }, 400, 'stop'],
  ['a user that is none', { prompt: '', user: {} }, 400, 'user'],
  ['a long user', { prompt: '', user: 'x'.repeat(257) }, 400, 'user'],
];
for (const [name, body, status, param] of refused) {
  test(`refused by name: ${name}`, () => {
    assert.throws(
      () => read(body),
      (error) => {
        assert.ok(error instanceof ApiError);
        assert.deepEqual([error.status, error.object.error.param], [status, param]);
        assert.equal(error.object.error.type, 'invalid_request_error');
        assert.match(error.message, new RegExp(param === 'model' ? 'not served' : `^${param}`));
        return true;
      },
    );
  });
}

test('a prompt with the markers of a family is a text with a gap, unless there is a suffix beside it', () => {
  const gap = { prefix: 'f(', suffix: ')\n' };
  for (const model of ['Qwen2.5-Coder-7B', 'starcoder2:3b', 'deepseek-coder', 'CodeLlama-7b-hf']) {
    const prompt = formatInfill(model, gap)!;
    assert.notEqual(prompt, undefined);
    assert.deepEqual(parseInfill(prompt), gap, model);
    assert.deepEqual([read({ prompt }).prefix, read({ prompt }).suffix], ['f(', ')\n']);
    assert.equal(read({ prompt, suffix: '' }).prefix, prompt);
  }
  assert.equal(formatInfill('llama-3', gap), undefined);
  assert.equal(parseInfill('const a = '), undefined);
  assert.equal(parseInfill('<|fim_prefix|>a<|fim_middle|>'), undefined);
});
