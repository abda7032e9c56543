import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytesOf, header, tensorsOf, writeRandomModel } from '../../../lab/peer/gguf';
import { hiddenWidth } from '../../../lab/peer/llama';
import { hasNano, NANO, TINY } from '../../fixtures';

const shape = { vocabulary: 64, width: 32, hidden: 96, layers: 2, heads: 2, kvHeads: 1, headWidth: 16, context: 128 };

test('a model file says what lies where, and that is where it lies', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'thoughtline-gguf-'));
  context.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'random.gguf');
  await writeRandomModel(path, shape);
  const bytes = await readFile(path);
  const tensors = tensorsOf(shape);
  assert.equal(bytes.toString('latin1', 0, 4), 'GGUF');
  assert.equal(bytes.readUInt32LE(4), 3);
  assert.equal(Number(bytes.readBigUInt64LE(8)), tensors.length);

  const start = header(shape, tensors).length;
  assert.equal(start % 32, 0);
  let offset = 0;
  for (const tensor of tensors) {
    // Behind its name: number of dimensions, dimensions, type, offset.
    let at = bytes.indexOf(tensor.name) + tensor.name.length;
    assert.equal(bytes.readUInt32LE(at), tensor.dimensions.length);
    at += 4;
    for (const dimension of tensor.dimensions) {
      assert.equal(Number(bytes.readBigUInt64LE(at)), dimension);
      at += 8;
    }
    assert.deepEqual([bytes.readUInt32LE(at), Number(bytes.readBigUInt64LE(at + 4))], [tensor.type, offset]);
    const first = start + offset;
    if (tensor.dimensions.length === 1) assert.equal(bytes.readFloatLE(first), 1);
    // Each block begins with its scale: 2⁻¹¹ as a float16.
    else
      for (let block = 0; block < bytesOf(tensor); block += 34) assert.equal(bytes.readUInt16LE(first + block), 4096);
    offset += Math.ceil(bytesOf(tensor) / 32) * 32;
  }
  assert.equal((await stat(path)).size, start + offset);
});

test('as many weights as a decoder of that shape has without its thought', () => {
  const count = tensorsOf(shape).reduce((sum, { dimensions }) => sum + dimensions.reduce((a, b) => a * b), 0);
  const layer = 32 * 32 + 2 * 32 * 16 + 32 * 32 + 3 * 32 * 96 + 2 * 32;
  assert.equal(count, 64 * 32 + 2 * layer + 32);
});

test('the hidden width is read from a graph', async () => {
  const manifest = async (folder: string) =>
    JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as { architecture: { width: number } };
  for (const folder of hasNano ? [TINY, NANO] : [TINY]) {
    const { width } = (await manifest(folder)).architecture;
    const found = hiddenWidth(await readFile(join(folder, 'trunk.onnx')), width);
    assert.ok(found !== undefined && Number.isInteger(found) && found > width, `${folder}: ${found}`);
  }
  assert.equal(hiddenWidth(new Uint8Array(0), 32), undefined);
});
