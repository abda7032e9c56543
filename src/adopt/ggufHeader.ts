import { UserError } from '../model/errors';
import { ggmlLabel, ggmlType, READABLE, type GgmlType } from './ggmlTypes';

export type GgufValue = string | number | boolean | readonly GgufValue[];

export interface GgufTensor {
  readonly name: string;
  readonly type: GgmlType;
  /** Rows first: a matrix is [outputs, inputs]. */
  readonly shape: readonly number[];
  /** First byte in the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

const AGAIN = 'get the file again';
/** Nothing that a model needs is larger: what is allocated stays within reason whatever a file says. */
const MAX_ENTRIES = 2 ** 16;
const MAX_ELEMENTS = 2 ** 22;
const MAX_STRING = 2 ** 22;
const MAX_DEPTH = 4;
const MAX_DIMENSIONS = 4;

/** Thrown where the header goes on behind the bytes that were read. */
export class MoreNeeded extends Error {}

/** Types of values by GGUF's numbers: size in bytes, and how it is read. */
const NUMBERS: Readonly<Record<number, [bytes: number, read: (view: Buffer, at: number) => number | boolean]>> = {
  0: [1, (view, at) => view.readUInt8(at)],
  1: [1, (view, at) => view.readInt8(at)],
  2: [2, (view, at) => view.readUInt16LE(at)],
  3: [2, (view, at) => view.readInt16LE(at)],
  4: [4, (view, at) => view.readUInt32LE(at)],
  5: [4, (view, at) => view.readInt32LE(at)],
  6: [4, (view, at) => view.readFloatLE(at)],
  7: [1, (view, at) => view.readUInt8(at) !== 0],
  10: [8, (view, at) => Number(view.readBigUInt64LE(at))],
  11: [8, (view, at) => Number(view.readBigInt64LE(at))],
  12: [8, (view, at) => view.readDoubleLE(at)],
};
const STRING = 8;
const ARRAY = 9;

/**
 * Reads what stands before the weights.
 * @param bytes the file's beginning
 * @param size of the whole file
 * @throws MoreNeeded if the header is longer than `bytes`; UserError in one line if the file is damaged or of another kind
 */
export function parseHeader(bytes: Buffer, size: number, path: string): GgufHeader {
  const cursor = new Cursor(bytes, size, path);
  const version = readVersion(cursor, path);
  const tensorCount = cursor.count('number of tensors', MAX_ENTRIES, 1);
  const entryCount = cursor.count('number of metadata entries', MAX_ENTRIES, 1);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    const name = cursor.string(`name of metadata entry ${i}`);
    if (metadata.has(name)) cursor.damaged(label(name), 'is there twice');
    metadata.set(name, cursor.value(cursor.uint32(label(name)), label(name), 0));
  }
  const parts = metadata.get('split.count');
  if (typeof parts === 'number' && parts > 1) {
    throw new UserError(`${path}: split.count: this is one of ${parts} parts; join them with llama-gguf-split --merge`);
  }
  const places = Array.from({ length: tensorCount }, (_, i) => readPlace(cursor, i));
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || alignment < 1 || alignment > 2 ** 16 || (alignment & (alignment - 1)) !== 0) {
    cursor.damaged('general.alignment', 'is no power of two');
  }
  return { version, metadata, tensors: placed(places, cursor, alignment as number) };
}

function readVersion(cursor: Cursor, path: string): number {
  if (cursor.size < 24 || cursor.text(4) !== 'GGUF') {
    throw new UserError(
      `${path}: not a GGUF file (it does not begin with "GGUF"); give a model file that ends in .gguf`,
    );
  }
  const version = cursor.uint32('version');
  if (version === 2 || version === 3) return version;
  if (version !== 0 && (version & 0xffff) === 0) {
    throw new UserError(`${path}: version: the file is big endian, which is not read; get the little endian one`);
  }
  throw new UserError(`${path}: version ${version} of GGUF is not read, only 2 and 3; get a newer file of the model`);
}

/** A tensor as the header lists it: its offset counts from where the weights begin. */
function readPlace(cursor: Cursor, index: number): GgufTensor {
  const name = cursor.string(`name of tensor ${index}`);
  const field = `tensor ${label(name)}`;
  const dimensions = cursor.uint32(field);
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS) cursor.damaged(field, `has ${dimensions} dimensions`);
  const shape = Array.from({ length: dimensions }, () => cursor.uint64(field)).reverse();
  const id = cursor.uint32(field);
  const type = ggmlType(id);
  if (type === undefined) {
    throw new UserError(
      `${cursor.path}: ${field}: quantisation ${ggmlLabel(id)} is not read; get the model in one of ${READABLE.join(', ')}`,
    );
  }
  const values = shape.reduce((product, dimension) => product * dimension, 1);
  const width = shape.at(-1) as number;
  if (values < 1 || !Number.isSafeInteger(values) || width % type.block !== 0) {
    cursor.damaged(field, `cannot have the shape ${shape.join(' x ')} in ${type.name}`);
  }
  return { name, type, shape, offset: cursor.uint64(field), bytes: (values / type.block) * type.bytes };
}

/** The tensors by name, with offsets from the beginning of the file. */
function placed(places: readonly GgufTensor[], cursor: Cursor, alignment: number): Map<string, GgufTensor> {
  const start = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  for (const place of places) {
    const field = `tensor ${label(place.name)}`;
    if (tensors.has(place.name)) cursor.damaged(field, 'is there twice');
    const offset = start + place.offset;
    if (place.offset % alignment !== 0) cursor.damaged(field, `begins at ${place.offset}, no multiple of ${alignment}`);
    if (offset + place.bytes > cursor.size) {
      cursor.damaged(field, `ends at byte ${offset + place.bytes}, but the file has ${cursor.size}`);
    }
    tensors.set(place.name, { ...place, offset });
  }
  return tensors;
}

/** A name as a message shows it: the file may say anything. */
function label(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? name : JSON.stringify(name.slice(0, 64));
}

class Cursor {
  at = 0;

  constructor(
    private readonly bytes: Buffer,
    readonly size: number,
    readonly path: string,
  ) {}

  damaged(field: string, problem: string): never {
    throw new UserError(`${this.path}: ${field} ${problem}; ${AGAIN}`);
  }

  text(length: number): string {
    return this.bytes.toString('utf8', this.#take(length, 'the header'), this.at);
  }

  uint32(field: string): number {
    return this.bytes.readUInt32LE(this.#take(4, field));
  }

  uint64(field: string): number {
    const value = Number(this.bytes.readBigUInt64LE(this.#take(8, field)));
    if (!Number.isSafeInteger(value)) this.damaged(field, `says ${value}, which cannot be`);
    return value;
  }

  /** How many of something follow, `min` bytes each or more. */
  count(field: string, max: number, min: number): number {
    const value = this.uint64(field);
    if (value > max) this.damaged(field, `says ${value}, which cannot be`);
    if (value * min > this.size - this.at) this.damaged(field, `says ${value}, but the file ends before that`);
    return value;
  }

  string(field: string): string {
    return this.text(this.count(field, MAX_STRING, 1));
  }

  value(type: number, field: string, depth: number): GgufValue {
    if (type === STRING) return this.string(field);
    if (type === ARRAY) return this.#array(field, depth + 1);
    const number = NUMBERS[type];
    if (number === undefined) return this.damaged(field, `has a value of the unknown type ${type}`);
    return number[1](this.bytes, this.#take(number[0], field));
  }

  #array(field: string, depth: number): GgufValue[] {
    if (depth > MAX_DEPTH) this.damaged(field, 'is an array in too many others');
    const type = this.uint32(field);
    const min = NUMBERS[type]?.[0] ?? (type === ARRAY ? 12 : 8);
    const count = this.count(field, MAX_ELEMENTS, min);
    const values: GgufValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.value(type, field, depth));
    return values;
  }

  /** Where the next `length` bytes begin. */
  #take(length: number, field: string): number {
    const { at } = this;
    if (at + length > this.size) this.damaged(field, 'is cut off at the end of the file');
    if (at + length > this.bytes.length) throw new MoreNeeded();
    this.at += length;
    return at;
  }
}
