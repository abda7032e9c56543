/** The program that gets and adopts models for the extension, as the extension starts it. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { FromAdoption, ToAdoption } from '../../src/adopt/messages';
import { runAdoption } from '../../src/extension/adoption';
import { dist } from './client';

const scratch = mkdtempSync(join(tmpdir(), 'thoughtline-adoption-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const fresh = () => mkdtempSync(join(scratch, 'a-'));

interface Ended {
  last: FromAdoption;
  code: number | null;
}

/** Runs the program for one order. `hear` may answer what it says. */
function run(
  order: ToAdoption,
  environment: NodeJS.ProcessEnv = {},
  hear: (said: FromAdoption) => ToAdoption | undefined = () => undefined,
) {
  return new Promise<Ended>((done, fail) => {
    const child = fork(join(dist, 'adopt.js'), [], { env: { ...process.env, ...environment }, execArgv: [] });
    let last: FromAdoption | undefined;
    child.on('message', (said: FromAdoption) => {
      last = said;
      const answer = hear(said);
      if (answer) child.send(answer);
    });
    child.on('error', fail);
    child.on('exit', (code) =>
      last ? done({ last, code }) : fail(new Error(`it said nothing and ended with ${code}`)),
    );
    child.send(order);
  });
}

describe('the program that gets and adopts models', () => {
  test('tells in one line why a file cannot be adopted, and leaves nothing', async () => {
    const folder = fresh();
    const source = join(folder, 'page.gguf');
    writeFileSync(source, '<html>');
    const order: ToAdoption = { type: 'adopt', source, directory: join(folder, 'bundle'), name: 'page' };
    const { last, code } = await run(order);
    assert.ok(
      last.type === 'failed' && last.reason.startsWith(source) && !last.reason.includes('\n'),
      JSON.stringify(last),
    );
    assert.equal(code, 0);
    assert.deepEqual(readdirSync(folder), ['page.gguf']);
  });

  test('removes what was got', async () => {
    const cache = fresh();
    const bundle = join(cache, 'bundles', 'coder-1d9614638d18-0');
    mkdirSync(bundle, { recursive: true });
    const { last } = await run({ type: 'remove', cache });
    assert.equal(last.type, 'done');
    assert.ok(!existsSync(bundle));
  });

  test('asks for nothing but the official address, and only where no file of it is there', async () => {
    const asked: string[] = [];
    // What it would connect to is asked here instead, and refused.
    const server = createServer();
    server.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      socket.end();
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const hook = join(fresh(), 'hook.mjs');
    writeFileSync(
      hook,
      `import https from 'node:https';
       import http from 'node:http';
       import { syncBuiltinESMExports } from 'node:module';
       https.get = (url, options, answer) => http.request({ port: ${port}, method: 'CONNECT', path: String(url) }, answer)
         .on('connect', (_response, socket) => socket.destroy()).end();
       http.get = () => { throw new Error('not asked for'); };
       syncBuiltinESMExports();`,
    );
    const home = fresh();
    const environment = { NODE_OPTIONS: `--import=${pathToFileURL(hook).href}`, HOME: home, XDG_CACHE_HOME: home };
    const { last } = await run({ type: 'obtain', cache: fresh(), places: [] }, environment);
    server.close();
    assert.ok(last.type === 'failed', JSON.stringify(last));
    assert.match(last.reason, /^coder \(491 MB\) cannot be had: huggingface\.co: cannot be reached/);
    const official =
      'https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/ebb2015119c907b064c512bf053e945850b5875f/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf';
    assert.deepEqual([...new Set(asked)], [official]);
  });

  test('ends when it is told to, and when nobody listens any more', async () => {
    const home = fresh();
    const environment = { HOME: home, XDG_CACHE_HOME: home };
    const folder = join(home, '.cache', 'llama.cpp');
    mkdirSync(folder, { recursive: true });
    // A file of the right size takes a moment to be summed.
    const { truncate } = await import('node:fs/promises');
    writeFileSync(join(folder, 'large.gguf'), '');
    await truncate(join(folder, 'large.gguf'), 491_400_064);
    const order: ToAdoption = { type: 'obtain', cache: fresh(), places: [] };
    const { last } = await run(order, environment, ({ type }) =>
      type === 'progress' ? { type: 'cancel' } : undefined,
    );
    assert.equal(last.type, 'cancelled');

    const child = fork(join(dist, 'adopt.js'), [], { env: { ...process.env, ...environment }, execArgv: [] });
    child.send(order);
    await new Promise((heard) => child.once('message', heard));
    const ended = new Promise((exited) => child.once('exit', exited));
    child.disconnect();
    assert.equal(await ended, 0);
  });
});

describe('the extension’s side of it', () => {
  const script = join(dist, 'adopt.js');

  test('hears how it ended', async () => {
    const folder = fresh();
    const source = join(folder, 'page.gguf');
    writeFileSync(source, '<html>');
    const ended = await runAdoption(script, { type: 'adopt', source, directory: join(folder, 'b'), name: 'page' });
    assert.ok(ended.type === 'failed' && ended.reason.startsWith(source), JSON.stringify(ended));
  });

  test('hears that it died, or could not be started', async () => {
    const dying = join(fresh(), 'dying.cjs');
    writeFileSync(dying, "process.on('message', () => process.kill(process.pid, 'SIGKILL'));");
    const order: ToAdoption = { type: 'remove', cache: fresh() };
    const died = await runAdoption(dying, order);
    assert.deepEqual(died, { type: 'failed', reason: 'the process that gets models ended (SIGKILL)' });
    const missing = await runAdoption(join(scratch, 'nowhere.js'), order);
    assert.deepEqual(missing, { type: 'failed', reason: 'the process that gets models ended (exit code 1)' });
  });

  test('cancels', async () => {
    const slow = join(fresh(), 'slow.cjs');
    writeFileSync(
      slow,
      `process.on('message', ({ type }) => type === 'cancel'
         ? process.send({ type: 'cancelled' }, () => process.exit())
         : process.send({ type: 'progress', share: 0.5, what: 'half' }));`,
    );
    const control = new AbortController();
    const told: [number, string][] = [];
    const ended = await runAdoption(
      slow,
      { type: 'remove', cache: scratch },
      {
        signal: control.signal,
        onProgress: (...progress) => {
          told.push(progress);
          control.abort();
        },
      },
    );
    assert.deepEqual([told, ended], [[[0.5, 'half']], { type: 'cancelled' }]);
    assert.deepEqual(
      await runAdoption(slow, { type: 'remove', cache: scratch }, { signal: AbortSignal.abort() }),
      ended,
    );
  });
});
