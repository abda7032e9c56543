/** `thoughtline serve` as others use it: a real process, asked by the API's own client library and by what is none. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import type { ErrorObject } from '../../src/api/objects';
import { startServing, type Started } from './serving';

const TOKEN = 'a-token-for-the-tests';

const openai = ({ address }: Started, token = 'none') =>
  new OpenAI({ baseURL: `${address}/v1`, apiKey: token, maxRetries: 0 });

const prompt = 'export function add(first: number, second: number): number {\n  return ';
const suffix = '\n}\n';

/** Asks directly: status and object. */
async function ask(server: Started, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.address}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, object: (await response.json()) as ErrorObject & Record<string, unknown> };
}

describe('serve', () => {
  let server: Started;
  before(async () => (server = await startServing(['--users', '4'])));
  after(() => server.stop());

  test('it tells which model there is, and how it fares', async () => {
    const models = await openai(server).models.list();
    assert.deepEqual(models.data.map(({ id }) => id), ['tiny']); // prettier-ignore
    const { status, object } = await ask(server, '/health');
    assert.deepEqual([status, object['status'], object['model']], [200, 'ok', 'tiny']);
  });

  test('a completion, whole and streamed: the same text, its tokens counted', async () => {
    const asked = { model: 'tiny', prompt, suffix, max_tokens: 24 };
    const whole = await openai(server).completions.create(asked);
    assert.equal(whole.object, 'text_completion');
    assert.ok(['stop', 'length'].includes(whole.choices[0]!.finish_reason));
    const { prompt_tokens, completion_tokens, total_tokens } = whole.usage!;
    assert.ok(prompt_tokens > 10 && completion_tokens > 0 && completion_tokens <= 24);
    assert.equal(total_tokens, prompt_tokens + completion_tokens);
    const parts = await openai(server).completions.create({
      ...asked,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let finish: string | null = null;
    let usage = 0;
    for await (const part of parts) {
      text += part.choices[0]?.text ?? '';
      finish = part.choices[0]?.finish_reason ?? finish;
      usage = part.usage?.completion_tokens ?? usage;
    }
    assert.deepEqual(
      [text, finish, usage],
      [whole.choices[0]!.text, whole.choices[0]!.finish_reason, completion_tokens],
    );
  });

  test('log-probabilities of the tokens that make up the text', async () => {
    const { choices } = await openai(server).completions.create({
      model: 'tiny',
      prompt,
      suffix,
      max_tokens: 8,
      logprobs: 3,
    });
    const { tokens, token_logprobs, top_logprobs, text_offset } = choices[0]!.logprobs!;
    // The last one may reach beyond the text, which ends without blanks.
    assert.ok(tokens!.join('').startsWith(choices[0]!.text));
    assert.ok(tokens!.length > 0 && text_offset![0] === 0 && text_offset!.at(-1)! < choices[0]!.text.length);
    for (const [i, logprob] of token_logprobs!.entries()) {
      assert.ok(logprob < 0);
      // Greedily written: nothing was more probable.
      assert.ok(Math.max(...Object.values(top_logprobs![i]!)) <= logprob + 1e-6);
    }
  });

  test('a temperature draws, and the same seed draws the same', async () => {
    const draw = async (seed: number) => {
      const asked = { model: 'tiny', prompt, max_tokens: 12, temperature: 1.5, seed };
      return (await openai(server).completions.create(asked)).choices[0]!.text;
    };
    assert.equal(await draw(1), await draw(1));
    const texts = new Set(await Promise.all([1, 2, 3, 4].map(draw)));
    assert.ok(texts.size > 1, [...texts].join(' | '));
  });

  test('a thought each by user: what one has sent changes nothing for another', async () => {
    const filler = Array.from({ length: 400 }, (_, i) => `export const value${i} = compute(${i});\n`).join('');
    const asked = { model: 'tiny', prompt: filler + prompt, suffix, max_tokens: 16 };
    const alone = (await openai(server).completions.create({ ...asked, user: 'ada' })).choices[0]!.text;
    for (let i = 0; i < 3; i++)
      await openai(server).completions.create({ ...asked, prompt: `${filler}// ${i}\nlet secret${i} = `, user: 'ben' });
    // The header stands for the field where a balancer needs it.
    const before = (await ask(server, '/health')).object['thoughts'];
    await ask(server, '/v1/completions', { prompt }, { 'x-user': 'another' });
    assert.equal((await ask(server, '/health')).object['thoughts'], (before as number) + 1);
    // Whoever has no thought yet is answered as ada was.
    assert.equal((await openai(server).completions.create({ ...asked, user: 'eve' })).choices[0]!.text, alone);
  });

  test('errors are the API’s own', async () => {
    await assert.rejects(
      openai(server).completions.create({ model: 'gpt', prompt }),
      (error) => error instanceof OpenAI.NotFoundError && error.code === 'model_not_found' && error.param === 'model',
    );
    await assert.rejects(
      openai(server).completions.create({ model: 'tiny', prompt, n: 2 }),
      (error) => error instanceof OpenAI.BadRequestError && error.param === 'n',
    );
    const cases: [path: string, body: unknown, headers: Record<string, string>, status: number][] = [
      ['/v1/completions', '{', {}, 400],
      ['/v1/completions', { prompt }, { 'content-type': 'text/plain' }, 415],
      ['/v1/completions', { prompt }, { origin: 'https://evil.example' }, 403],
      ['/v1/completions', undefined, {}, 405],
      ['/v1/models', {}, {}, 405],
      ['/v1/chat/completions', {}, {}, 404],
      ['/__proto__', undefined, {}, 404],
    ];
    for (const [path, body, headers, expected] of cases) {
      const { status, object } = await ask(server, path, body, headers);
      assert.equal(status, expected, path);
      assert.equal(typeof object.error.message, 'string');
      assert.deepEqual(Object.keys(object.error), ['message', 'type', 'param', 'code']);
    }
  });

  test('a body that is too large is refused before it has come', async () => {
    const large = { prompt: 'x'.repeat(5 << 20) };
    const answered = await ask(server, '/v1/completions', large).catch(() => undefined);
    // The connection may break while the rest is still being sent.
    if (answered) assert.equal(answered.status, 413);
    assert.equal((await ask(server, '/health')).status, 200);
  });

  test('neither texts nor users are in its log', async () => {
    await openai(server).completions.create({ model: 'tiny', prompt: 'const hunter2 = ', user: 'the-user-ada' });
    await sleep(50);
    assert.match(server.log(), /POST \/v1\/completions: 200, \d+ tokens, \d+ ms/);
    assert.doesNotMatch(server.log(), /hunter2|the-user-ada|export function/);
  });

  test('who hangs up is written for no longer', async () => {
    const body = JSON.stringify({ prompt: 'const list = [', max_tokens: 256, temperature: 1, stream: true });
    const { hostname, port } = new URL(server.address);
    for (let i = 0; i < 8; i++) {
      await new Promise<void>((done) => {
        const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
        const asked = httpRequest({ hostname, port, path: '/v1/completions', method: 'POST', headers });
        asked.on('error', () => undefined);
        asked.on('close', () => done());
        asked.end(body);
        setTimeout(() => asked.destroy(), 5);
      });
    }
    // Of what was given up nothing is left in the queue.
    await openai(server).completions.create({ model: 'tiny', prompt });
    assert.equal((await ask(server, '/health')).object['waiting'], 0);
  });

  test('1,000 requests of 16 clients: every one gets its own answer', { timeout: 300_000 }, async () => {
    const many = Array.from({ length: 1000 }, (_, i) => i);
    const expected = new Map<number, string>();
    const body = (i: number) => ({ model: 'tiny', prompt: `const value${i % 10} = [${i % 10}, `, max_tokens: 4 });
    for (let i = 0; i < 10; i++) expected.set(i, (await openai(server).completions.create(body(i))).choices[0]!.text);
    let answered = 0;
    await Promise.all(
      Array.from({ length: 16 }, async (_, client) => {
        const api = openai(server);
        for (;;) {
          const next = many.pop();
          if (next === undefined) return;
          const { choices } = await api.completions.create({ ...body(next), stream: false });
          assert.equal(choices[0]!.text, expected.get(next % 10), `client ${client}, request ${next}`);
          answered++;
        }
      }),
    );
    assert.equal(answered, 1000);
  });
});

describe('serve, to others', () => {
  test('without a token only this machine is served', async () => {
    await assert.rejects(startServing(['--host', '0.0.0.0']), /give a token \(THOUGHTLINE_TOKEN or --token-file\)/);
    await assert.rejects(startServing([], { THOUGHTLINE_TOKEN: 'short' }), /at least 16 characters/);
  });

  test('with one it is asked for, by health alone it is not', async (context) => {
    const server = await startServing(['--host', '0.0.0.0'], { THOUGHTLINE_TOKEN: TOKEN });
    context.after(() => server.stop());
    const here = { ...server, address: server.address.replace('0.0.0.0', '127.0.0.1') };
    assert.equal((await openai(here, TOKEN).completions.create({ model: 'tiny', prompt })).object, 'text_completion');
    await assert.rejects(
      openai(here, 'another-token-of-some').completions.create({ model: 'tiny', prompt }),
      (error) => error instanceof OpenAI.AuthenticationError && error.code === 'invalid_api_key',
    );
    assert.equal((await ask(here, '/v1/models')).status, 401);
    assert.equal((await ask(here, '/health')).status, 200);
    assert.ok(!server.log().includes(TOKEN));
  });
});

describe('serve, under load', () => {
  test('what does not fit in the queue is told so at once; what waits too long as well', async (context) => {
    const server = await startServing(['--queue', '2', '--seconds', '20']);
    context.after(() => server.stop());
    const body = { prompt: 'const list = [', max_tokens: 64, temperature: 1 };
    const all = await Promise.all(Array.from({ length: 24 }, () => ask(server, '/v1/completions', body)));
    const refused = all.filter(({ status }) => status === 503);
    assert.ok(refused.length > 0 && refused.length < 24, `${refused.length} of 24`);
    for (const { object } of refused) assert.equal(object.error.code, 'overloaded');
    for (const { status } of all) assert.ok([200, 503].includes(status), String(status));
  });

  test('a connection that says nothing keeps nobody from being served, and the end is orderly', async () => {
    const server = await startServing();
    const { hostname, port } = new URL(server.address);
    const silent = connect(Number(port), hostname);
    silent.on('error', () => undefined);
    const owed = openai(server).completions.create({ model: 'tiny', prompt, max_tokens: 64 });
    await sleep(20);
    const code = server.stop();
    assert.equal((await owed).object, 'text_completion');
    silent.destroy();
    assert.equal(await code, 0);
  });
});
