import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { download } from '../../../src/adopt/sources/download';
import { UserError } from '../../../src/model/errors';
import { withScratch } from '../../model/bundles';
import { breakOff, send, serve, sum, wanted, weights, type Answer } from './weights';

const quick = { silenceMs: 500, pause: 1 };

describe('a download', () => {
  const scratch = withScratch();
  const fresh = () => join(mkdtempSync(join(scratch(), 'd-')), 'small.gguf');
  const folderOf = (path: string) => readdirSync(join(path, '..')).sort();

  test('comes whole, with its progress, and nothing else stays', async () => {
    const { address, ranges } = await serve((response, request) => send(response, request));
    const path = fresh();
    const told: number[] = [];
    await download(address, path, wanted, { ...quick, onProgress: (share) => told.push(share) });
    assert.equal(sum(readFileSync(path)), wanted.sha256);
    assert.deepEqual(folderOf(path), ['small.gguf']);
    assert.deepEqual(ranges, [undefined]);
    assert.equal(told.at(-1), 1);
  });

  test('goes on where it broke off', async () => {
    const { address, ranges } = await serve((response, request, turn) =>
      turn < 2 ? breakOff(response, request, 100_000) : send(response, request),
    );
    const path = fresh();
    await download(address, path, wanted, quick);
    assert.equal(sum(readFileSync(path)), wanted.sha256);
    // Of what a broken connection was sent the end may be lost.
    const begun = ranges.map((range) => Number(/\d+/.exec(range ?? '0')));
    assert.equal(begun.length, 3);
    assert.ok(0 < begun[1]! && begun[1]! <= 100_000, `${begun[1]}`);
    assert.ok(begun[1]! < begun[2]! && begun[2]! <= begun[1]! + 100_000, `${begun[2]}`);
  });

  test('keeps what has come where nothing more comes, and a later one goes on from there', async () => {
    let broken = true;
    const { address, ranges } = await serve((response, request, turn) => {
      if (turn === 0) breakOff(response, request, 120_000);
      else if (broken) response.socket?.destroy();
      else send(response, request);
    });
    const path = fresh();
    await assert.rejects(download(address, path, wanted, quick), /broke off after 0 MB of 0 MB .*try again/);
    assert.deepEqual(folderOf(path), ['small.gguf.part']);
    const { size } = statSync(`${path}.part`);
    assert.ok(size > 0);
    broken = false;
    await download(address, path, wanted, quick);
    assert.equal(sum(readFileSync(path)), wanted.sha256);
    assert.deepEqual(folderOf(path), ['small.gguf']);
    assert.equal(ranges.at(-1), `bytes=${size}-`);
  });

  test('begins again where the server knows no ranges', async () => {
    const { address } = await serve((response, request, turn) => {
      delete request.headers.range;
      if (turn === 0) breakOff(response, request, 50_000);
      else send(response, request);
    });
    const path = fresh();
    await download(address, path, wanted, quick);
    assert.equal(sum(readFileSync(path)), wanted.sha256);
  });

  test('begins again, once, where what was kept is damaged', async () => {
    const { address, ranges } = await serve((response, request) => send(response, request));
    const path = fresh();
    writeFileSync(`${path}.part`, 'GGUF and something that does not belong here');
    await download(address, path, wanted, quick);
    assert.equal(sum(readFileSync(path)), wanted.sha256);
    assert.deepEqual(ranges, ['bytes=44-', undefined]);
  });

  test('of which everything was kept asks nobody', async () => {
    const { address, ranges } = await serve((response) => response.socket?.destroy());
    const path = fresh();
    writeFileSync(`${path}.part`, weights);
    await download(address, path, wanted, quick);
    assert.equal(sum(readFileSync(path)), wanted.sha256);
    assert.deepEqual(ranges, []);
  });

  test('is taken for broken where the server falls silent', async () => {
    const { address } = await serve((response, request, turn) => {
      if (turn > 0) return send(response, request);
      response.writeHead(200, { 'content-length': weights.length });
      response.write(weights.subarray(0, 70_000));
    });
    const path = fresh();
    await download(address, path, wanted, quick);
    assert.equal(sum(readFileSync(path)), wanted.sha256);
  });

  test('can be cancelled: what has come is kept', async () => {
    const { address } = await serve((response) => {
      response.writeHead(200, { 'content-length': weights.length });
      response.write(weights.subarray(0, 70_000));
    });
    const path = fresh();
    const control = new AbortController();
    const { signal } = control;
    const onProgress = () => control.abort();
    await assert.rejects(download(address, path, wanted, { signal, onProgress }), { name: 'AbortError' });
    assert.deepEqual(folderOf(path), ['small.gguf.part']);
  });

  test('follows redirects within this machine', async () => {
    const target = await serve((response, request) => send(response, request));
    const { address } = await serve((response) => response.writeHead(302, { location: target.address }).end());
    const path = fresh();
    await download(address, path, wanted, quick);
    assert.equal(sum(readFileSync(path)), wanted.sha256);
  });

  const redirect =
    (location: string): Answer =>
    (response) =>
      response.writeHead(302, { location }).end();
  const html: Answer = (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Sign in</p>');
  const chunked =
    (bytes: Buffer): Answer =>
    (response) => {
      response.writeHead(200);
      response.end(bytes);
    };
  const other = Buffer.concat([weights.subarray(0, -1), Buffer.of(weights.at(-1)! ^ 1)]);
  const refusals: [name: string, answer: Answer, message: RegExp][] = [
    ['to plain http elsewhere', redirect('http://192.0.2.1/small.gguf'), /redirects to http:\/\/192\.0\.2\.1, where/],
    ['to another protocol', redirect('file:///etc/passwd'), /redirects to .*nothing was loaded/],
    ['without end', redirect('/again'), /redirects without end/],
    ['to nowhere', redirect('http://'), /redirects to nowhere/],
    ['a web page', html, /a web page came instead of the file/],
    ['a page that does not say so', chunked(Buffer.from('<html>')), /something else than a GGUF file/],
    ['a shorter file', (...a) => send(a[0], a[1], weights.subarray(0, 1000)), /offers 1000 bytes instead of 300004/],
    ['a longer one', (...a) => send(a[0], a[1], Buffer.concat([weights, weights])), /offers 600008 bytes instead/],
    ['more than it has', chunked(Buffer.concat([weights, weights])), /sends more than the 300004 bytes/],
    ['other bytes', (...a) => send(a[0], a[1], other), /sent another file: SHA-256 [0-9a-f]{64} instead of/],
    ['nothing there', (response) => response.writeHead(404).end(), /status 404; get the file another way/],
    ['a server in trouble', (response) => response.writeHead(503).end(), /cannot be reached \(status 503\)/],
    ['compressed', (r) => r.writeHead(200, { 'content-encoding': 'gzip' }).end('x'), /compressed \(gzip\)/],
  ];
  for (const [name, answer, message] of refusals) {
    test(`refused, in one line, with nothing kept: ${name}`, async () => {
      const { address } = await serve(answer);
      const path = fresh();
      await assert.rejects(download(address, path, wanted, quick), (error: unknown) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
      assert.deepEqual(folderOf(path), []);
    });
  }

  test('says that nobody answers', async () => {
    const path = fresh();
    await assert.rejects(
      download('http://127.0.0.1:9/small.gguf', path, wanted, quick),
      /^UserError: 127\.0\.0\.1:9: cannot be reached \(ECONNREFUSED\); check the connection$/,
    );
    assert.deepEqual(folderOf(path), []);
  });

  test('is not begun where the disk has no room for it', async () => {
    const { address, ranges } = await serve((response, request) => send(response, request));
    const path = fresh();
    const huge = { ...wanted, bytes: 2 ** 52 };
    await assert.rejects(download(address, path, huge, quick), /the disk is full \(.* are needed\).*THOUGHTLINE_CACHE/);
    assert.deepEqual(ranges, []);
    assert.ok(!existsSync(`${path}.part`));
  });
});
