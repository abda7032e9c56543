/** `thoughtline.endpoint`: servers of the completions API on this machine, as they are and as they should not be. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { TOKEN_VARIABLE } from '../../src/protocol';
import { bundle, LspClient, tiny } from './client';
import { startServing } from './serving';

interface Body {
  model: string;
  prompt: string;
  suffix?: string;
}
type Answer = (body: Body, response: ServerResponse, request: IncomingMessage) => void;

const WRITTEN = 'first + second;';

const said = (response: ServerResponse, object: unknown, status = 200) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(object));
};
const writes: Answer = (_, response) =>
  said(response, { choices: [{ text: WRITTEN, finish_reason: 'stop', logprobs: null }] });
const refuses = (message: string, status = 400): Answer => (_, response) => said(response, { error: { message, type: 'invalid_request_error', param: null, code: null } }, status); // prettier-ignore

/** A server that has been asked for what is kept in `asked`. */
async function endpoint(context: TestContext, answer: Answer, model = 'team-coder') {
  const asked: (Body & { authorization: string | undefined })[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { authorization } = request.headers;
      if (request.url === '/v1/models') return said(response, { object: 'list', data: [{ id: model }] });
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Body;
      asked.push({ ...body, authorization });
      answer(body, response, request);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}/v1`, host: `127.0.0.1:${port}`, asked };
}

const uri = 'file:///w/src/add.ts';
const text = 'export function add(first: number, second: number): number {\n  return \n}\n';
const cursor = { line: 1, character: 9 };

interface Wanted {
  readonly token?: string;
  readonly settings?: Record<string, unknown>;
  readonly model?: string;
}

async function start(context: TestContext, address: string, { token, settings, model = tiny }: Wanted = {}) {
  const client = await LspClient.start({
    bundle: model,
    settings: { endpoint: address, inferenceSteps: 0, ...settings },
    ...(token !== undefined && { environment: { [TOKEN_VARIABLE]: token } }),
  });
  context.after(() => client.stop());
  await client.ready();
  await client.open(uri, text);
  return client;
}

const suggested = async (client: LspClient, invoked = true) =>
  (await client.complete(uri, cursor, { invoked }))[0]?.insertText as string | undefined;

test('it writes instead of the local model; what is sent and where is said', async (context) => {
  const { address, host, asked } = await endpoint(context, writes);
  const client = await start(context, address, { token: 'a-token' });
  assert.equal(await suggested(client), WRITTEN);
  const [{ prompt, suffix, model, authorization }] = asked as [(typeof asked)[number]];
  const sent = [prompt, suffix, model, authorization];
  assert.deepEqual(sent, [text.slice(0, text.indexOf('return ') + 7), '\n}\n', 'team-coder', 'Bearer a-token']);
  assert.deepEqual(client.status?.endpoint, { host, model: 'team-coder' });
  const line = client.logs.find((one) => one.includes(address));
  assert.match(line!, /6000 characters before the cursor and 2000 after it are sent there/);
  const all = JSON.stringify([client.logs, client.statuses]) + client.output.stderr;
  assert.ok(!all.includes('a-token') && !all.includes('first: number'), 'neither token nor text is told');
});

test('`thoughtline serve` is such a server', async (context) => {
  const token = 'a-token-for-the-tests';
  const serving = await startServing([], { THOUGHTLINE_TOKEN: token });
  context.after(() => serving.stop());
  const client = await start(context, `${serving.address}/v1`, { token });
  assert.ok(await suggested(client));
  assert.deepEqual(client.status?.endpoint, { host: new URL(serving.address).host, model: 'tiny' });
  const told = () => /POST \/v1\/completions: 200, \d+ tokens/.test(serving.log());
  await client.until(told, 'the answer in the log');
});

test('what it writes is fitted to its place, and shown as far as it is sure', async (context) => {
  const answers = ['first + second\n}\n\nexport function sub() {', 'first'];
  const { address } = await endpoint(context, (_, response) => {
    const written = answers.shift()!;
    const logprobs = { tokens: [written], token_logprobs: [-20] };
    said(response, { choices: [{ text: written, finish_reason: 'stop', logprobs }] });
  });
  const client = await start(context, address, { settings: { confidence: 'strict' }, model: bundle });
  assert.equal(await suggested(client), 'first + second');
  // Nothing is kept back where somebody asks; unasked, what has hardly any probability is.
  await client.open('file:///w/b.ts', text);
  assert.deepEqual(await client.complete('file:///w/b.ts', cursor), []);
});

for (const [name, message] of [
  ['vLLM', 'suffix is not currently supported'],
  ['llama.cpp', 'Unsupported param: suffix'],
] as const) {
  test(`a server that knows no suffix (${name}) is asked with the markers of its model`, async (context) => {
    const knowing: Answer = (body, ...rest) =>
      body.suffix === undefined ? writes(body, ...rest) : refuses(message)(body, ...rest);
    const { address, asked } = await endpoint(context, knowing, 'Qwen/Qwen2.5-Coder-7B');
    const client = await start(context, address);
    assert.equal(await suggested(client), WRITTEN);
    assert.equal(asked.length, 2);
    assert.match(asked[1]!.prompt, /^<\|fim_prefix\|>export [\s\S]*return <\|fim_suffix\|>\n\}\n<\|fim_middle\|>$/);
    await client.open('file:///w/b.ts', text);
    await client.complete('file:///w/b.ts', cursor, { invoked: true });
    assert.equal(asked.length, 3, 'it is refused once');
  });
}

const failures: [name: string, answer: Answer, problem: RegExp][] = [
  ['wants another token', refuses('Incorrect API key provided', 401), /it wants another token: run "Thoughtline: Set Endpoint Token…"/],
  ['is busy', refuses('overloaded', 503), /it is busy/],
  ['answers nonsense', (_, response) => response.end('<html>It works!</html>'), /its answer is none of the completions API/],
  ['answers with other JSON', (_, response) => said(response, { choices: [] }), /none of the completions API/],
  ['answers without end', (_, response) => { response.writeHead(200); const more = () => { if (!response.destroyed && response.write('x'.repeat(65536))) setImmediate(more); else response.once('drain', more); }; more(); }, /its answer is too long/],
  ['breaks off', (_, response) => { response.writeHead(200, { 'content-length': 1000 }); response.write('{"choices": [{"te'); setTimeout(() => response.destroy(), 20); }, /it broke off/],
  ['hangs up', (_, response) => response.destroy(), /it broke off/],
  ['leads elsewhere', (_, response) => { response.writeHead(302, { location: 'https://elsewhere.example/' }); response.end(); }, /it leads elsewhere, which is not followed/],
]; // prettier-ignore

for (const [name, answer, problem] of failures) {
  test(`a server that ${name}: the local model writes, and the status says why`, async (context) => {
    const { address, asked } = await endpoint(context, answer);
    const client = await start(context, address);
    const local = await suggested(client);
    assert.ok(asked.length > 0);
    assert.ok(local && local !== WRITTEN);
    assert.match(client.status?.endpoint?.problem ?? '', problem);
    assert.equal(client.status?.state, 'ready');
  });
}

test('one that is not there, or too slow, keeps nobody waiting, and is left alone for a while', async (context) => {
  const { address, asked } = await endpoint(context, () => undefined);
  const client = await start(context, address, { settings: { timeBudget: 300 } });
  const began = performance.now();
  const letters = 'abcdefgh';
  for (const [i] of [...letters].entries()) {
    const other = `file:///w/slow${i}.ts`;
    await client.open(other, text);
    await client.complete(other, cursor);
  }
  // Three of 225 ms each, and local ones. A busy machine takes longer for its own.
  assert.ok(performance.now() - began < 8 * 225 + 10_000);
  assert.equal(asked.length, 3);
  assert.match(client.status?.endpoint?.problem ?? '', /no answer within 225 ms/);
  assert.ok(client.logs.some((line) => /left alone for 30 s/.test(line)));

  const nowhere = await start(context, 'http://127.0.0.1:9/v1');
  assert.ok(await suggested(nowhere));
  assert.match(nowhere.status?.endpoint?.problem ?? '', /ECONNREFUSED|EACCES/);
});

test('of a file that may hold secrets nothing is sent; nor is a line with a credential', async (context) => {
  const { address, asked } = await endpoint(context, writes);
  const client = await start(context, address);
  const secret = `ghp_${'a1B2'.repeat(9)}`;
  await client.open('file:///w/credentials.ts', 'const value = \n');
  await client.complete('file:///w/credentials.ts', { line: 0, character: 14 }, { invoked: true });
  assert.equal(asked.length, 0);
  await client.open('file:///w/c.ts', `const token = "${secret}";\nconst value = \n`);
  await client.complete('file:///w/c.ts', { line: 1, character: 14 }, { invoked: true });
  assert.equal(asked.length, 1);
  assert.ok(!JSON.stringify(asked).includes(secret));
  assert.equal(asked[0]!.prompt, 'const value = ');
});

test('switched off nothing is sent, and no process is there that could', async (context) => {
  const { address, asked } = await endpoint(context, writes);
  const client = await start(context, '');
  assert.ok(await suggested(client));
  assert.equal(client.status?.endpoint, undefined);
  const on = (given: string) => client.connection.sendNotification('workspace/didChangeConfiguration', { settings: { thoughtline: { endpoint: given, device: 'cpu', inferenceSteps: 0 } } }); // prettier-ignore
  await on(address);
  await client.until(() => client.status?.endpoint, 'the endpoint');
  assert.equal(await suggested(client), WRITTEN);
  await on('');
  await client.until(() => client.status?.endpoint === undefined, 'its end');
  const before = asked.length;
  await client.open('file:///w/b.ts', text);
  await client.complete('file:///w/b.ts', cursor, { invoked: true });
  assert.equal(asked.length, before);
  // What is no such address is refused in one line, and nothing is sent.
  await on('http://models.example/v1');
  await client.until(() => client.logs.some((line) => /thoughtline\.endpoint: .* is not accepted: use an address/.test(line)), 'the line'); // prettier-ignore
  assert.equal(client.status?.endpoint, undefined);
});
