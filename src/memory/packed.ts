import { createHash } from 'node:crypto';
import * as z from 'zod';
import { parseJson } from '../json';
import type { Stamp } from './workspace';

/** A file of the workspace as it is kept between sessions. */
export interface Packed {
  readonly stamp: Stamp;
  readonly tokens: Uint16Array | Uint32Array;
}

const FORMAT = 'thoughtline workspace memory';
/** Earlier versions may hold credentials that are known by now: what is read of a file is without them. */
const VERSION = 3;

const header = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  tokenizer: z.string(),
  /** Bytes of one token, little-endian. */
  bytes: z.union([z.literal(2), z.literal(4)]),
  /** Path, mtimeMs, size in bytes, tokens. */
  files: z.array(z.tuple([z.string(), z.number(), z.number().nonnegative(), z.number().int().nonnegative()])),
  /** Of the files as they are written here, and of the tokens. */
  sha256: z.string(),
});

/**
 * Files as bytes: a line of JSON, then their tokens one after the other. It stops after each file, so that other work
 * can come between.
 * @param tokenizer checksum of the tokenizer that the tokens are of
 */
export function* pack(files: Iterable<readonly [string, Packed]>, tokenizer: string): Generator<void, Uint8Array[]> {
  const entries: z.infer<typeof header>['files'] = [];
  const pieces: Uint8Array[] = [];
  let bytes: 2 | 4 = 2;
  for (const [path, { stamp, tokens }] of files) {
    entries.push([path, stamp.mtimeMs, stamp.size, tokens.length]);
    pieces.push(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength));
    bytes = tokens.BYTES_PER_ELEMENT === 4 ? 4 : 2;
    yield;
  }
  const sha256 = yield* checksum(entries, pieces);
  const line: z.infer<typeof header> = { format: FORMAT, version: VERSION, tokenizer, bytes, files: entries, sha256 };
  return [Buffer.from(`${JSON.stringify(line)}\n`), ...pieces];
}

/**
 * What `pack` made of files, by their paths.
 * @returns or why it cannot be used
 */
export function* unpack(data: Uint8Array, tokenizer: string): Generator<void, Map<string, Packed> | string> {
  const end = data.indexOf('\n'.charCodeAt(0));
  const parsed = header.safeParse(parseJson(Buffer.from(data.subarray(0, Math.max(0, end))).toString()));
  if (!parsed.success) return 'damaged, or of another version';
  const { files, bytes, sha256 } = parsed.data;
  if (parsed.data.tokenizer !== tokenizer) return 'made with another tokenizer';
  const total = files.reduce((sum, [, , , count]) => sum + count * bytes, 0);
  if (total !== data.length - end - 1) return 'damaged: its length is wrong';
  yield;
  // A copy begins at a multiple of a token's size, as a typed array must.
  const content = new Uint8Array(data.subarray(end + 1));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += HASHED) pieces.push(content.subarray(at, at + HASHED));
  if ((yield* checksum(files, pieces)) !== sha256) return 'damaged: its checksum is wrong';
  const found = new Map<string, Packed>();
  let at = 0;
  for (const [path, mtimeMs, size, count] of files) {
    const tokens =
      bytes === 2 ? new Uint16Array(content.buffer, at, count) : new Uint32Array(content.buffer, at, count);
    found.set(path, { stamp: { mtimeMs, size }, tokens });
    at += count * bytes;
  }
  return found;
}

/** Bytes hashed at a time. */
const HASHED = 1 << 20;

function* checksum(files: z.infer<typeof header>['files'], pieces: readonly Uint8Array[]): Generator<void, string> {
  const hash = createHash('sha256').update(JSON.stringify(files));
  for (const piece of pieces) {
    hash.update(piece);
    yield;
  }
  return hash.digest('hex');
}
