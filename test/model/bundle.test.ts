import assert from 'node:assert/strict';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Engine } from '../../src/completion/engine';
import { UserError } from '../../src/model/errors';
import { copyOfTiny, withScratch } from './bundles';

describe('a bundle that is not as its manifest says', () => {
  const scratch = withScratch();

  async function flipByte(path: string): Promise<void> {
    const bytes = await readFile(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(path, bytes);
  }

  async function editManifest(directory: string, change: (manifest: Record<string, unknown>) => void): Promise<void> {
    const path = join(directory, 'manifest.json');
    const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    change(manifest);
    await writeFile(path, JSON.stringify(manifest));
  }

  const table: [name: string, damage: (directory: string) => Promise<void>, message: RegExp][] = [
    ['no manifest', (d) => rm(join(d, 'manifest.json')), /manifest\.json: file is missing/],
    ['a graph missing', (d) => rm(join(d, 'top.onnx')), /top\.onnx: file is missing; install the model again/],
    ['weights cut short', (d) => truncate(join(d, 'weights.bin'), 100), /weights\.bin: 100 bytes instead of \d+/],
    ['one bit of the weights wrong', (d) => flipByte(join(d, 'weights.bin')), /weights\.bin: SHA-256 differs/],
    ['one bit of the tokenizer wrong', (d) => flipByte(join(d, 'tokenizer.json')), /tokenizer\.json: SHA-256 differs/],
    [
      'a manifest of a newer version',
      (d) => editManifest(d, (manifest) => (manifest['format'] = 4)),
      /format 4 is newer .*; update Thoughtline/,
    ],
    ['a manifest cut short', (d) => truncate(join(d, 'manifest.json'), 50), /manifest\.json: not valid JSON/],
    ['nothing at all', (d) => rm(d, { recursive: true }), /no such model folder/],
  ];
  for (const [name, damage, message] of table) {
    test(`${name}: one clear line`, async () => {
      const directory = await copyOfTiny(scratch(), name.replaceAll(' ', '-'));
      await damage(directory);
      await assert.rejects(Engine.open(directory, { device: 'cpu' }), (error: Error) => {
        assert.ok(error instanceof UserError, error.stack);
        assert.match(error.message, message);
        assert.ok(!error.message.includes('\n'));
        return true;
      });
    });
  }

  test('a device that is not there falls back to the CPU and says why', async () => {
    const directory = await copyOfTiny(scratch(), 'device');
    const engine = await Engine.open(directory, { device: 'dml' });
    assert.equal(engine.device.device, 'cpu');
    assert.match(engine.device.reason, /^dml is not usable: /);
    await engine.close();
  });

  test('loading tells its progress', async () => {
    const directory = await copyOfTiny(scratch(), 'progress');
    const fractions: number[] = [];
    const engine = await Engine.open(directory, { device: 'cpu', onProgress: (fraction) => fractions.push(fraction) });
    await engine.close();
    assert.deepEqual(
      fractions,
      [...fractions].sort((a, b) => a - b),
    );
    assert.equal(fractions.at(-1), 1);
  });
});
