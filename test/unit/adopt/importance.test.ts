import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openGguf } from '../../../src/adopt/gguf';
import { readImportance } from '../../../src/adopt/importance';
import { randomFrom } from '../../../src/model/random';
import { randomTensor, writeGguf, type TinyTensor } from '../../tinyGguf';

const folder = mkdtempSync(join(tmpdir(), 'thoughtline-importance-'));
after(() => rmSync(folder, { recursive: true }));

const norm = (seed: number) => randomTensor('output_norm.weight', [4], 'F32', randomFrom(seed));
/** A bfloat16 is the upper half of a float32. */
const vector = (name: string, bits: readonly number[]): TinyTensor => ({
  name,
  shape: [bits.length],
  type: 'BF16',
  bytes: new Uint8Array(Uint16Array.from(bits).buffer),
});

async function read(own: readonly TinyTensor[], model: readonly TinyTensor[]) {
  const [importance, weights] = [join(folder, 'importance.gguf'), join(folder, 'model.gguf')];
  await writeGguf(importance, [], own);
  await writeGguf(weights, [], model);
  const gguf = await openGguf(weights);
  try {
    return await readImportance(importance, gguf);
  } finally {
    await gguf.close();
  }
}

test('matrices that read the same have the same importance', async () => {
  const importance = await read(
    [
      norm(1),
      vector('blk.3.attn_qkv', [0x3f80, 0x4000]),
      vector('blk.3.ffn_gate_up', [0x4040, 0x3f80]),
      vector('output', [0x3f00, 0x0000]),
    ],
    [norm(1)],
  );
  for (const [name, values] of [
    ['blk.3.attn_q', [1, 2]],
    ['blk.3.attn_k', [1, 2]],
    ['blk.3.attn_v', [1, 2]],
    ['blk.3.ffn_gate', [3, 1]],
    ['blk.3.ffn_up', [3, 1]],
    ['output', [0.5, 0]],
    ['token_embd', [0.5, 0]],
    ['blk.3.ffn_down', undefined],
    ['blk.4.attn_q', undefined],
  ] as const) {
    const found = importance?.of(`${name}.weight`);
    assert.deepEqual(found && [...found], values, name);
  }
});

test('what was measured on another model is not used', async () => {
  const own = [norm(1), vector('output', [0x3f80])];
  assert.equal(await read(own, [norm(2)]), undefined);
  assert.equal(await read(own, []), undefined);
  assert.equal(await read([vector('output', [0x3f80])], [norm(1)]), undefined);
  assert.notEqual(await read(own, [norm(1)]), undefined);
});
