import { writeFile } from 'node:fs/promises';
import { ggmlId, ggmlType, type GgmlName, type GgmlType } from '../src/adopt/ggmlTypes';
import { aligned, ggufHeader, type Entry } from '../lab/peer/ggufWriter';

/** A tensor of a GGUF that a test writes. */
export interface TinyTensor {
  readonly name: string;
  /** Rows first. */
  readonly shape: readonly number[];
  readonly type: GgmlName;
  readonly bytes: Uint8Array;
}

export function typeOf(name: GgmlName): GgmlType {
  return ggmlType(ggmlId(name)) as GgmlType;
}

/** The bytes of a GGUF file. */
export function ggufBytes(entries: readonly Entry[], tensors: readonly TinyTensor[]): Buffer {
  const header = ggufHeader(
    entries,
    tensors.map(({ name, shape, type, bytes }) => ({
      name,
      dimensions: [...shape].reverse(),
      type: ggmlId(type),
      bytes: bytes.length,
    })),
  );
  return Buffer.concat([header, ...tensors.map(({ bytes }) => aligned(bytes))]);
}

export async function writeGguf(
  path: string,
  entries: readonly Entry[],
  tensors: readonly TinyTensor[],
): Promise<void> {
  await writeFile(path, ggufBytes(entries, tensors));
}

/** Where the blocks of a type hold float16 numbers; what stands elsewhere may be any bits. */
const SCALES: Partial<Record<GgmlName, readonly number[]>> = {
  F16: [0],
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
};

/** A tensor of random weights of some hundredths, in any type. */
export function randomTensor(name: string, shape: readonly number[], type: GgmlName, random: () => number): TinyTensor {
  const { block, bytes: size } = typeOf(type);
  const count = shape.reduce((product, dimension) => product * dimension, 1) / block;
  const bytes = Buffer.from(Array.from({ length: count * size }, () => Math.floor(256 * random())));
  for (let at = 0; at < bytes.length; at += size) {
    if (type === 'F32') bytes.writeFloatLE(0.1 * (random() - 0.5), at);
    // A bfloat16 is the upper half of a float32, here of one between 2⁻⁷ and 2⁻⁵.
    else if (type === 'BF16') bytes.writeUInt16LE(0x3c00 + (bytes.readUInt16LE(at) & 0x80ff), at);
    // A float16 between 2⁻¹² and 2⁻¹⁰, the scales of 256 values smaller: they multiply others.
    else
      for (const scale of SCALES[type] ?? [])
        bytes.writeUInt16LE(
          (block === 256 ? 0x0200 : 0x0c00) + Math.floor(2048 * random() * (block === 256 ? 0.1 : 1)),
          at + scale,
        );
  }
  return { name, shape, type, bytes };
}
