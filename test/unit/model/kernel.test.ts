import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { initializers } from '../../../src/model/initializers';
import { loadProgram, type Operations } from '../../../src/model/kernel/program';
import { ofBytes, ofHalves, widened } from '../../../src/model/kernel/matrix';

/** Addresses in the memory, far enough from each other. */
const [A, B, C, D, E, F, G] = [1 << 10, 1 << 14, 1 << 15, 1 << 16, 1 << 17, 1 << 18, 3 << 17] as const;

describe('operations of the kernel', () => {
  let operations: Operations;
  let memory: ArrayBuffer;
  before(async () => {
    ({ operations, memory } = await loadProgram(1 << 19));
  });
  const floats = (at: number, count: number) => new Float32Array(memory, at, count);
  const wave = (at: number, count: number, size = 1) => {
    const values = floats(at, count);
    for (let i = 0; i < count; i++) values[i] = size * Math.sin(i * i + at);
    return [...values];
  };
  const close = (actual: Float32Array, expected: readonly number[], tolerance: number) => {
    assert.equal(actual.length, expected.length);
    expected.forEach((value, i) => {
      assert.ok(Math.abs((actual[i] as number) - value) <= tolerance, `${i}: ${actual[i]} in place of ${value}`);
    });
  };

  for (const bits of [8, 16] as const)
    for (const rows of [1, 2, 3])
      for (const add of [false, true])
        test(`multiply: ${rows} rows by ${bits} bits${add ? ', added' : ''}`, () => {
          const [n, outputs] = [64, 6];
          const x = wave(A, rows * n);
          const weights = new { 8: Int8Array, 16: Int16Array }[bits](memory, C, outputs * n);
          const max = { 8: 127, 16: 8191 }[bits];
          for (let i = 0; i < weights.length; i++) weights[i] = ((i * 5003) % (2 * max + 1)) - max;
          const factors = wave(D, (outputs * n) / 32, 1 / max);
          const old = wave(E, rows * outputs);
          operations.quantise(A, rows * n, 32, 32767, B, F);
          operations.multiply(B, F, rows, n, C, bits, D, outputs, E, add);
          const expected = Array.from({ length: rows * outputs }, (_, at) => {
            const [row, o] = [Math.floor(at / outputs), at % outputs];
            let sum = add ? (old[at] as number) : 0;
            for (let i = 0; i < n; i++) {
              const weight = (weights[o * n + i] as number) * (factors[Math.floor((o * n + i) / 32)] as number);
              sum += (x[row * n + i] as number) * weight;
            }
            return sum;
          });
          close(floats(E, rows * outputs), expected, 1e-3);
        });

  test('multiply: the largest weights and states do not overflow', () => {
    floats(A, 32).fill(1);
    new Int16Array(memory, C, 64).fill(8191);
    floats(D, 2).fill(1 / 8191);
    operations.quantise(A, 32, 32, 32767, B, F);
    operations.multiply(B, F, 1, 32, C, 16, D, 2, E, false);
    close(floats(E, 2), [32, 32], 1e-4);
  });

  test('quantise: a block of nothing stays nothing', () => {
    floats(A, 32).fill(0);
    operations.quantise(A, 32, 32, 32767, B, F);
    assert.deepEqual([...new Int16Array(memory, B, 32)], Array(32).fill(0));
    assert.equal(floats(F, 1)[0], 0);
  });

  test('normalise: the root mean square becomes one', () => {
    const x = wave(A, 64, 3);
    floats(B, 32).fill(2);
    operations.normalise(A, 2, 32, B, 1e-5, C);
    const expected = [x.slice(0, 32), x.slice(32)].flatMap((row) => {
      const mean = row.reduce((sum, value) => sum + value ** 2, 0) / 32;
      return row.map((value) => (2 * value) / Math.sqrt(mean + 1e-5));
    });
    close(floats(C, 64), expected, 1e-5);
  });

  test('place: halves are turned against each other, or left', () => {
    const x = wave(A, 16);
    floats(B, 8).fill(0.6);
    floats(C, 8).fill(0.8);
    operations.place(A, 64, 1, 1, 16, B, C, D, 64, 64);
    const turned = x.map((value, i) => {
      const other = x[(i + 8) % 16] as number;
      return i < 8 ? 0.6 * value - 0.8 * other : 0.6 * value + 0.8 * other;
    });
    close(floats(D, 16), turned, 1e-6);
    operations.place(A, 64, 1, 1, 16, 0, 0, D, 64, 64);
    close(floats(D, 16), x, 0);
  });

  test('interleave: rows from any token on, two tokens side by side', () => {
    const [rows, width, at] = [3, 16, 5];
    const x = wave(A, rows * width);
    operations.interleave(A, rows, width, at, 8191, B, C);
    const table = new Int16Array(memory, B, (at + rows + 1) * width);
    const scales = floats(C, at + rows);
    const read = Array.from({ length: rows * width }, (_, i) => {
      const [token, j] = [at + Math.floor(i / width), i % width];
      return (table[(token >> 1) * width * 2 + 2 * j + (token & 1)] as number) * (scales[token] as number);
    });
    close(Float32Array.from(read), x, 1e-4);
  });

  // Numbers of keys that end at each place of a vector, and on either side of a block; more than one row.
  for (const seen of [1, 2, 3, 4, 7, 15, 16, 40])
    test(`attend: four heads in two groups over ${seen} keys and one more`, () => {
      const [rows, heads, groups, width, capacity] = [2, 4, 2, 16, 48];
      // Whole numbers of what was there before lie behind the last key.
      new Uint8Array(memory, G, 1 << 16).fill(0x55);
      const q = wave(A, rows * heads * width);
      const keys = wave(B, groups * capacity * width);
      const values = wave(C, groups * capacity * width);
      const tables = { keys: G, keyScales: G + 4096, values: G + 8192, valueScales: G + 12288 };
      for (let group = 0; group < groups; group++) {
        const [from, to] = [group * capacity * width * 4, group * capacity * width * 2];
        const scales = group * capacity * 4;
        const count = (seen + 1) * width;
        operations.quantise(B + from, count, width, 8191, tables.keys + to, tables.keyScales + scales);
        const last = [8191, tables.values + to, tables.valueScales + scales] as const;
        operations.interleave(C + from, seen + 1, width, 0, ...last);
      }
      operations.quantise(A, rows * heads * width, width, 32767, F, F + 4096);
      const shape = [rows, heads, groups, width] as const;
      const { keyScales, valueScales } = tables;
      const read = [tables.keys, keyScales, tables.values, valueScales, capacity, seen] as const;
      operations.attend(F, F + 4096, ...shape, ...read, D, E);
      const expected = Array.from({ length: rows * heads }, (_, at) => {
        const [row, head] = [Math.floor(at / heads), at % heads];
        const table = Math.floor(head / 2) * capacity * width;
        const row_ = (of: readonly number[], i: number) => of.slice(table + i * width, table + (i + 1) * width);
        const dot = (i: number) =>
          row_(keys, i).reduce((sum, key, j) => sum + key * (q[at * width + j] as number), 0) / Math.sqrt(width);
        const weights = Array.from({ length: seen + row }, (_, i) => Math.exp(dot(i)));
        const total = weights.reduce((a, b) => a + b);
        return Array.from({ length: width }, (_, j) =>
          weights.reduce((sum, weight, i) => sum + (weight / total) * (row_(values, i)[j] as number), 0),
        );
      }).flat();
      close(floats(E, rows * heads * width), expected, 1e-4);
    });

  test('attend: the largest of all numbers do not overflow', () => {
    const [heads, width, capacity] = [2, 64, 16];
    for (const at of [A, B, C]) floats(at, capacity * width).fill(1);
    operations.quantise(B, capacity * width, width, 8191, G, G + 4096);
    operations.interleave(C, capacity, width, 0, 8191, G + 8192, G + 12288);
    // The largest queries whose sums over 64 products lie below 2³¹, in four parts.
    operations.quantise(A, heads * width, width, 16384, F, F + 4096);
    operations.attend(F, F + 4096, 1, heads, 1, width, G, G + 4096, G + 8192, G + 12288, capacity, capacity, D, E);
    close(floats(E, heads * width), Array<number>(heads * width).fill(1), 1e-4);
  });

  for (const rows of [1, 3])
    test(`think: ${rows} rows of features, times the thought, are added`, () => {
      const [n, count] = [32, 5];
      const x = wave(A, rows * n);
      const features = wave(B, count * n);
      const means = wave(C, count);
      const z = wave(D, count * n);
      const out = floats(E, rows * n).fill(0.5);
      operations.think(A, rows, n, B, C, count, D, E);
      const expected = Array.from({ length: rows * n }, (_, at) => {
        const [row, i] = [Math.floor(at / n), at % n];
        return means.reduce((sum, mean, j) => {
          const dot = (k: number) => (x[row * n + k] as number) * (features[j * n + k] as number);
          const feature = Array.from({ length: n }, (_, k) => dot(k)).reduce((a, b) => a + b);
          return sum + (feature - mean) * (z[j * n + i] as number);
        }, 0.5);
      });
      close(out, expected, 1e-5);
    });

  test('gate: silu of any size', () => {
    const gates = [-200, -20, -1, -0.1, 0, 0.1, 1, 20];
    floats(A, 16).set([...gates, ...Array<number>(8).fill(3)]);
    operations.gate(A, 1, 8, B);
    close(
      floats(B, 8),
      gates.map((x) => (3 * x) / (1 + Math.exp(-x))),
      1e-5,
    );
  });
});

test('numbers of 16 bits, widened', () => {
  const halves = Buffer.from(Uint16Array.of(0x0000, 0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0xfc00, 0x3555).buffer);
  assert.deepEqual([...widened(halves)], [0, 1, -2, 2 ** -24, 65504, Infinity, -Infinity, Math.fround(0.333251953125)]);
  assert.ok(Number.isNaN(widened(Buffer.from([0x01, 0x7e]))[0]));
});

describe('matrices of a weights file', () => {
  const [outputs, inputs] = [4, 64];
  const placed = (matrix: ReturnType<typeof ofHalves>) => {
    assert.ok(matrix);
    const count = matrix.outputs * matrix.inputs;
    const weights = matrix.bits === 8 ? new Int8Array(count) : new Int16Array(count);
    const scales = new Float32Array(count / 32);
    matrix.write(weights, scales);
    return Array.from(weights, (weight, i) => weight * (scales[Math.floor(i / 32)] as number));
  };
  // Powers of two, alternating in sign, so that their patterns of 16 bits are easy: 2 ** -(i % 8).
  const power = (i: number) => (i % 2 ? -1 : 1) * 2 ** -(i % 8);
  const pattern = (i: number) => ((i % 2) << 15) | ((15 - (i % 8)) << 10);
  const values = Array.from({ length: outputs * inputs }, (_, i) => power(i * 3 + (i >> 5)));
  const patterns = Uint16Array.from(values, (_, i) => pattern(i * 3 + (i >> 5)));

  for (const across of [false, true])
    test(`16 bits, ${across ? 'inputs by outputs' : 'outputs by inputs'}`, () => {
      const at = (i: number) => (across ? (i % outputs) * inputs + Math.floor(i / outputs) : i);
      const file = Buffer.concat([
        Buffer.alloc(6),
        Buffer.from(patterns.map((_, i) => patterns[at(i)] as number).buffer),
      ]);
      const read = placed(ofHalves(file, 6, outputs, inputs, across));
      // Half of what one step of the whole numbers is, where the largest of a block is 1.
      read.forEach((value, i) => assert.ok(Math.abs(value - (values[i] as number)) <= 0.5 / 8191 + 1e-7, `${i}`));
    });

  test('blocks of 8 bits', () => {
    const file = Buffer.concat([
      Buffer.from(Array.from({ length: 64 }, (_, i) => i + 96)),
      Buffer.from([0, 0x3c, 0, 0x40]),
    ]);
    const expected = Array.from({ length: 64 }, (_, i) => (i - 32) * (i < 32 ? 1 : 2));
    assert.deepEqual(placed(ofBytes(file, 0, 64, 1, 64)), expected);
  });

  test('of a file that ends too early there is none', () => {
    assert.equal(ofHalves(Buffer.alloc(2 * outputs * inputs), 2, outputs, inputs, true), undefined);
    assert.equal(ofBytes(Buffer.alloc(70), 0, 68, 1, 64), undefined);
    assert.equal(ofBytes(Buffer.alloc(60), 0, 0, 1, 64), undefined);
  });
});

describe('initialisers of a graph', () => {
  const field = (number: number, bytes: Buffer) =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  const entry = (key: string, value: string) =>
    field(13, Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))]));
  const model = (tensor: Buffer) => field(7, field(5, tensor));

  test('within, and in the weights file', () => {
    const shape = Buffer.from([0x08, 2, 0x08, 3]);
    const name = field(8, Buffer.from('norm'));
    const raw = field(9, Buffer.from([1, 2]));
    assert.deepEqual(
      [...initializers(model(Buffer.concat([shape, name, raw])))],
      [{ name: 'norm', shape: [2, 3], raw: Buffer.from([1, 2]) }],
    );
    const places = Buffer.concat([entry('location', 'weights.bin'), entry('offset', '64'), entry('length', '12')]);
    assert.deepEqual(
      [...initializers(model(Buffer.concat([shape, name, places])))],
      [{ name: 'norm', shape: [2, 3], offset: 64 }],
    );
  });
});
