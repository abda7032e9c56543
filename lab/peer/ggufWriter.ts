/** Everything of a GGUF file (version 3, little endian) that stands before the weights. */

/** Types of values by GGUF's numbers. */
export const GGUF = { UINT32: 4, INT32: 5, FLOAT32: 6, BOOL: 7, STRING: 8, ARRAY: 9 } as const;

type Scalar = 'UINT32' | 'INT32' | 'FLOAT32' | 'BOOL' | 'STRING';

/** A metadata entry; an array of numbers or strings has the type of its elements. */
export type Entry = readonly [
  name: string,
  type: Scalar,
  value: string | number | boolean | readonly string[] | readonly number[],
];

/** A tensor as the header lists it. */
export interface TensorEntry {
  readonly name: string;
  /** Inputs first, as GGUF counts. */
  readonly dimensions: readonly number[];
  /** ggml's number of the type. */
  readonly type: number;
  /** How long its data are, without padding. */
  readonly bytes: number;
}

const VERSION = 3;
const ALIGNMENT = 32;

/** The header, padded to where the first tensor begins; the tensors follow in their order, each `aligned`. */
export function ggufHeader(entries: readonly Entry[], tensors: readonly TensorEntry[]): Buffer {
  const parts = [Buffer.from('GGUF'), uint32(VERSION), uint64(tensors.length), uint64(entries.length)];
  for (const [name, type, value] of entries) {
    parts.push(string(name));
    if (Array.isArray(value)) {
      const elements = value as readonly (string | number)[];
      parts.push(uint32(GGUF.ARRAY), uint32(GGUF[type]), uint64(elements.length));
      for (const element of elements) parts.push(scalar(type, element));
    } else parts.push(uint32(GGUF[type]), scalar(type, value as string | number | boolean));
  }
  let offset = 0;
  for (const { name, dimensions, type, bytes } of tensors) {
    parts.push(string(name), uint32(dimensions.length), ...dimensions.map(uint64), uint32(type), uint64(offset));
    offset += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
  }
  return aligned(Buffer.concat(parts));
}

/** Bytes padded to where the next tensor may begin. */
export function aligned(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & (ALIGNMENT - 1))]);
}

function scalar(type: Scalar, value: string | number | boolean): Buffer {
  switch (type) {
    case 'STRING':
      return string(String(value));
    case 'BOOL':
      return Buffer.of(value ? 1 : 0);
    case 'FLOAT32':
      return Buffer.from(Float32Array.of(Number(value)).buffer);
    case 'UINT32':
    case 'INT32':
      return uint32(Number(value) >>> 0);
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function string(value: string): Buffer {
  return Buffer.concat([uint64(Buffer.byteLength(value)), Buffer.from(value)]);
}
