import { open, type FileHandle } from 'node:fs/promises';
import { messageOf, UserError } from '../model/errors';
import { MoreNeeded, parseHeader, type GgufHeader, type GgufTensor, type GgufValue } from './ggufHeader';

export type { GgufTensor, GgufValue } from './ggufHeader';

/** An open GGUF file: what it says of itself is in memory, weights are read when they are asked for. */
export interface Gguf extends GgufHeader {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /**
   * The bytes of a tensor's rows as they lie in the file, all of them if none are named.
   * @throws UserError if the file has become shorter
   */
  read(tensor: GgufTensor, fromRow?: number, toRow?: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Enough for the header of a small model at once; a vocabulary of 150,000 tokens takes 6 MB. */
const FIRST_BYTES = 2 ** 20;
const MAX_HEADER_BYTES = 2 ** 26;

/**
 * Opens a GGUF file of version 2 or 3 and reads its header.
 * @throws UserError in one line that names file, field and remedy
 */
export async function openGguf(path: string): Promise<Gguf> {
  const file = await open(path).catch((error: unknown) => {
    throw new UserError(`${path}: cannot be opened (${messageOf(error)}); give the path of a GGUF file`);
  });
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new UserError(`${path}: not a file; give the path of a GGUF file`);
    const header = await readHeader(file, facts.size, path);
    return { ...header, path, read: (...rows) => readRows(file, path, ...rows), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** How many rows a tensor has; one if it is a vector. */
export function rowsOf({ shape }: Pick<GgufTensor, 'shape'>): number {
  return shape.slice(0, -1).reduce((product, dimension) => product * dimension, 1);
}

async function readHeader(file: FileHandle, size: number, path: string): Promise<GgufHeader> {
  for (let length = FIRST_BYTES; ; length *= 4) {
    if (length > MAX_HEADER_BYTES) {
      throw new UserError(`${path}: the header is longer than ${MAX_HEADER_BYTES / 2 ** 20} MB; get the file again`);
    }
    const bytes = await readAt(file, 0, Math.min(length, size), path);
    try {
      return parseHeader(bytes, size, path);
    } catch (error) {
      if (!(error instanceof MoreNeeded)) throw error;
    }
  }
}

function readRows(
  file: FileHandle,
  path: string,
  tensor: GgufTensor,
  fromRow = 0,
  toRow = rowsOf(tensor),
): Promise<Uint8Array> {
  const rows = rowsOf(tensor);
  if (!(fromRow >= 0 && fromRow <= toRow && toRow <= rows)) {
    throw new RangeError(`rows ${fromRow} to ${toRow} of ${tensor.name}, which has ${rows}`);
  }
  const rowBytes = tensor.bytes / rows;
  return readAt(file, tensor.offset + fromRow * rowBytes, (toRow - fromRow) * rowBytes, path);
}

async function readAt(file: FileHandle, offset: number, length: number, path: string): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new UserError(`${path}: it ends at byte ${offset + done}; get the file again`);
    done += bytesRead;
  }
  return bytes;
}
