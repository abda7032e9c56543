import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { READABLE } from '../../../src/adopt/ggmlTypes';
import { openGguf, rowsOf } from '../../../src/adopt/gguf';
import type { Entry } from '../../../lab/peer/ggufWriter';
import { UserError } from '../../../src/model/errors';
import { randomFrom } from '../../../src/model/random';
import { ggufBytes, randomTensor, typeOf, writeGguf } from '../../tinyGguf';
import { processorTime } from '../../../lab/processorTime';

const folder = mkdtempSync(join(tmpdir(), 'thoughtline-gguf-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'model.gguf');

const entries: readonly Entry[] = [
  ['general.architecture', 'STRING', 'qwen2'],
  ['qwen2.block_count', 'UINT32', 2],
  ['qwen2.rope.freq_base', 'FLOAT32', 1e6],
  ['tokenizer.ggml.add_bos_token', 'BOOL', false],
  ['tokenizer.ggml.tokens', 'STRING', ['a', 'Ġb', '']],
  ['tokenizer.ggml.token_type', 'INT32', [1, 3, -1]],
];

function tinyTensors() {
  const random = randomFrom(7);
  return [
    randomTensor('output_norm.weight', [5], 'F32', random),
    ...READABLE.map((type) => randomTensor(`${type}.weight`, [3, 512], type, random)),
    randomTensor('experts.weight', [2, 3, 32], 'Q8_0', random),
  ];
}

test('a file of every type says what it holds, and its rows are those that were written', async () => {
  const tensors = tinyTensors();
  await writeGguf(path, entries, tensors);
  const file = await openGguf(path);
  try {
    assert.equal(file.version, 3);
    assert.deepEqual(
      [...file.metadata],
      entries.map(([name, , value]) => [name, value]),
    );
    assert.deepEqual(
      [...file.tensors.keys()],
      tensors.map(({ name }) => name),
    );
    for (const { name, shape, type, bytes } of tensors) {
      const tensor = file.tensors.get(name)!;
      assert.deepEqual([tensor.shape, tensor.type, tensor.bytes], [shape, typeOf(type), bytes.length]);
      assert.deepEqual(await file.read(tensor), bytes);
      const rows = rowsOf(tensor);
      assert.equal(
        rows,
        shape.slice(0, -1).reduce((a, b) => a * b, 1),
      );
      const row = bytes.length / rows;
      assert.deepEqual(await file.read(tensor, rows - 1, rows), bytes.subarray(row * (rows - 1)));
      assert.deepEqual(await file.read(tensor, rows, rows), Buffer.alloc(0));
      assert.throws(() => file.read(tensor, 0, rows + 1), RangeError);
    }
  } finally {
    await file.close();
  }
});

test('a header longer than what is read at first', async () => {
  const tokens = Array.from({ length: 150_000 }, (_, i) => `token number ${i}`);
  await writeGguf(path, [['tokenizer.ggml.tokens', 'STRING', tokens]], tinyTensors());
  const file = await openGguf(path);
  assert.deepEqual(file.metadata.get('tokenizer.ggml.tokens'), tokens);
  const tensor = file.tensors.get('experts.weight')!;
  assert.deepEqual(await file.read(tensor), tinyTensors().at(-1)!.bytes);
  await file.close();
});

test('a file that becomes shorter while it is open is named', async () => {
  await writeGguf(path, entries, tinyTensors());
  const file = await openGguf(path);
  const last = file.tensors.get('experts.weight')!;
  await truncate(path, last.offset + 1);
  await assert.rejects(file.read(last), (error) => isUserError(error, /it ends at byte/));
  await file.close();
});

function isUserError(error: unknown, message: RegExp): true {
  assert.ok(error instanceof UserError, String(error));
  assert.match(error.message, message);
  // One line that names the file and ends in what to do.
  assert.ok(error.message.startsWith(`${path}: `) && !error.message.includes('\n'));
  assert.match(error.message, /; (get|give|join) /);
  return true;
}

describe('a bad file is refused in one line', () => {
  const good = ggufBytes(entries, tinyTensors());
  const tensor = randomTensor('a.weight', [2, 32], 'Q4_0', randomFrom(1));
  const small = ggufBytes([], [tensor]);
  // Magic, version, counts; then length of the name, name, number of dimensions, dimensions, type, offset.
  const name = 24 + 8;
  const dimensions = name + 'a.weight'.length;
  const changed = (bytes: Buffer, change: (bytes: Buffer) => void) => {
    const copy = Buffer.from(bytes);
    change(copy);
    return copy;
  };
  const table: [name: string, bytes: Uint8Array, message: RegExp][] = [
    ['an empty file', new Uint8Array(0), /not a GGUF file/],
    ['a web page', Buffer.from('<!doctype html><title>Sign in</title>'), /not a GGUF file/],
    ['version 1', changed(good, (b) => b.writeUInt32LE(1, 4)), /version 1 of GGUF/],
    ['a later version', changed(good, (b) => b.writeUInt32LE(4, 4)), /version 4 of GGUF/],
    ['big endian', changed(good, (b) => b.writeUInt32BE(3, 4)), /big endian/],
    ['too many tensors', changed(good, (b) => b.writeBigUInt64LE(2n ** 40n, 8)), /number of tensors says/],
    ['too many entries', changed(good, (b) => b.writeBigUInt64LE(2n ** 63n, 16)), /number of metadata entries says/],
    ['a name without end', changed(good, (b) => b.writeBigUInt64LE(2n ** 31n, 24)), /name of metadata entry 0 says/],
    [
      'a value of no type',
      changed(good, (b) => b.writeUInt32LE(99, 24 + 8 + 20)),
      /architecture has a value of the unk/,
    ],
    ['a header cut off', good.subarray(0, 200), /name of metadata entry 4 says 21, but the file ends/],
    ['data cut off', good.subarray(0, good.length - 100), /tensor experts.weight ends at byte \d+, but the file has/],
    ['no dimensions', changed(small, (b) => b.writeUInt32LE(0, dimensions)), /tensor a.weight has 0 dimensions/],
    ['a row of no size', changed(small, (b) => b.writeBigUInt64LE(0n, dimensions + 4)), /shape 2 x 0 in Q4_0/],
    ['part of a block', changed(small, (b) => b.writeBigUInt64LE(48n, dimensions + 4)), /shape 2 x 48 in Q4_0/],
    ['a huge tensor', changed(small, (b) => b.writeBigUInt64LE(2n ** 50n, dimensions + 12)), /cannot have the shape/],
    [
      'quantisation Q2_K',
      changed(small, (b) => b.writeUInt32LE(10, dimensions + 20)),
      /a.weight: quantisation Q2_K is/,
    ],
    ['quantisation 77', changed(small, (b) => b.writeUInt32LE(77, dimensions + 20)), /quantisation number 77 is not/],
    ['a crooked offset', changed(small, (b) => b.writeBigUInt64LE(1n, dimensions + 24)), /no multiple of 32/],
    ['a tensor twice', ggufBytes([], [tensor, tensor]), /tensor a.weight is there twice/],
    ['an entry twice', ggufBytes([entries[0]!, entries[0]!], []), /general.architecture is there twice/],
    ['a part', ggufBytes([['split.count', 'UINT32', 3]], [tensor]), /one of 3 parts/],
    [
      'a crooked alignment',
      ggufBytes([['general.alignment', 'UINT32', 48]], [tensor]),
      /general.alignment is no power/,
    ],
    [
      'an unprintable name',
      ggufBytes(
        [
          ['a\nb', 'UINT32', 1],
          ['a\nb', 'UINT32', 1],
        ],
        [],
      ),
      /"a\\nb" is there twice/,
    ],
  ];
  for (const [what, bytes, message] of table) {
    test(what, async () => {
      await writeFile(path, bytes);
      await assert.rejects(openGguf(path), (error) => isUserError(error, message));
    });
  }

  test('no file, or a folder', async () => {
    for (const [at, message] of [
      [join(folder, 'none.gguf'), /none\.gguf: cannot be opened .*; give the path/],
      [folder, /: not a file; give the path/],
    ] as const) {
      await assert.rejects(openGguf(at), (error) => error instanceof UserError && message.test(error.message));
    }
  });
});

test('whatever is changed in a file, it is read or refused in one line, at once', async () => {
  const good = ggufBytes(entries, tinyTensors());
  const header = good.indexOf('experts.weight') + 64;
  const edit = fc.tuple(
    fc.integer({ min: 0, max: header }),
    fc.oneof(fc.constantFrom(0, 1, 127, 128, 255), fc.nat(255)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.nat(good.length), async (edits, cut) => {
      const bytes = Buffer.from(cut % 3 === 0 ? good.subarray(0, cut) : good);
      for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
      await writeFile(path, bytes);
      const spent = processorTime();
      const before = process.memoryUsage();
      try {
        const file = await openGguf(path);
        for (const tensor of file.tensors.values()) await file.read(tensor, 0, 1);
        await file.close();
      } catch (error) {
        assert.ok(error instanceof UserError && !error.message.includes('\n'), String(error));
      }
      const used = process.memoryUsage();
      assert.ok(used.arrayBuffers - before.arrayBuffers < 8e6 && used.heapUsed - before.heapUsed < 64e6);
      assert.ok(spent() < 1000);
    }),
    { numRuns: 400 },
  );
});
