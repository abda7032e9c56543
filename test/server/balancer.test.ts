/** Two replicas of `thoughtline serve` behind a real nginx, with what deploy/nginx.conf says. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { findTools, type Tools } from '../tools/tools';
import { root } from './client';
import { startServing, type Started } from './serving';

const TOKEN = 'a-token-for-the-tests';
const prompt = 'export function add(first: number, second: number): number {\n  return ';
const tools = findTools();
const skip = typeof tools === 'string' ? tools : false;

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

describe('replicas behind nginx', { skip, timeout: 240_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'thoughtline-nginx-'));
  let replicas: Started[] = [];
  let nginx: ChildProcess | undefined;
  let address = '';

  before(async () => {
    replicas = await Promise.all([0, 1].map(() => startServing(['--users', '16'], { THOUGHTLINE_TOKEN: TOKEN })));
    const port = await freePort();
    address = `http://127.0.0.1:${port}`;
    // What is only true in a container: the name of the service, which stands for all its replicas, and the port.
    const servers = replicas.map((one) => `server ${new URL(one.address).host};`).join('\n    ');
    const site = readFileSync(join(root, 'deploy', 'nginx.conf'), 'utf8')
      .replace('server thoughtline:8790;', servers)
      .replace('listen 8790;', `listen 127.0.0.1:${port};`);
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    );
    const file = join(folder, 'nginx.conf');
    writeFileSync(
      file,
      `daemon off;\npid ${folder}/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${paths.join('\n')}\n${site}}\n`,
    );
    nginx = spawn((tools as Tools).nginx, ['-p', folder, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    nginx.stderr?.on('data', (data: Buffer) => (said += data.toString()));
    for (let tries = 0; ; tries++) {
      if (await fetch(`${address}/health`).then(({ ok }) => ok, () => false)) break; // prettier-ignore
      assert.ok(tries < 100 && nginx.exitCode === null, `nginx does not answer: ${said}`);
      await sleep(100);
    }
  });
  after(async () => {
    nginx?.kill('SIGTERM');
    await Promise.all(replicas.map((one) => one.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  const api = (user: string) =>
    new OpenAI({ baseURL: `${address}/v1`, apiKey: TOKEN, maxRetries: 0, defaultHeaders: { 'X-User': user } });

  /** How many completions each replica has written. */
  const written = () => replicas.map((one) => one.log().match(/POST \/v1\/completions: 200/g)?.length ?? 0);

  async function ask(user: string): Promise<string> {
    return (await api(user).completions.create({ model: 'tiny', prompt, max_tokens: 8 })).choices[0]!.text;
  }

  test('each user stays on one of them, and both have users', async () => {
    const homes = new Set<number>();
    for (let user = 0; user < 16; user++) {
      const before = written();
      for (let i = 0; i < 3; i++) await ask(`user-${user}`);
      const since = () => written().map((count, i) => count - before[i]!);
      // The line of the log comes after the answer.
      for (let waits = 0; waits < 100 && since().reduce((sum, count) => sum + count, 0) < 3; waits++) await sleep(50);
      const more = since();
      assert.deepEqual([...more].sort(), [0, 3], `user ${user}`);
      homes.add(more.indexOf(3));
    }
    assert.equal(homes.size, 2);
  });

  test('parts of a streamed answer come as they are written, and what the replicas refuse is refused', async () => {
    const parts = await api('ada').completions.create({ model: 'tiny', prompt, max_tokens: 64, stream: true });
    let text = '';
    for await (const part of parts) text += part.choices[0]?.text ?? '';
    const whole = await api('ada').completions.create({ model: 'tiny', prompt, max_tokens: 64 });
    assert.equal(text, whole.choices[0]!.text);
    const stranger = new OpenAI({ baseURL: `${address}/v1`, apiKey: 'another-token-of-some', maxRetries: 0 });
    await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
    const large = { method: 'POST', body: 'x'.repeat(5 << 20) };
    const status = await fetch(`${address}/v1/completions`, large).then((response) => response.status, () => 413); // prettier-ignore
    assert.equal(status, 413);
  });

  test('200 requests of 8 users lose nothing while one of the replicas ends', async () => {
    const expected = await ask('ada');
    const many = Array.from({ length: 200 }, (_, i) => i);
    let ended: Promise<unknown> | undefined;
    await Promise.all(
      Array.from({ length: 8 }, async (_, client) => {
        for (let next = many.pop(); next !== undefined; next = many.pop()) {
          if (next === 100) ended = replicas[0]!.stop();
          assert.equal(await ask(`user-${client}`), expected, `request ${next}`);
        }
      }),
    );
    assert.equal(await ended, 0, 'its end was orderly');
  });
});
