import { createHash } from 'node:crypto';
import * as z from 'zod';
import { parseJson } from '../json';
import { fromBfloat16, toBfloat16 } from '../model/arrays';
import { LruMap } from '../model/lru';
import { nextVersion, priorThought, type Thought } from './thought';

/** Files whose thoughts are kept. */
const KEPT_FILES = 16;

/** Fewer other files than this do not stand for a workspace. */
const MIN_FILES = 2;

/** After so many days without a change a workspace is another one. */
const STALE_DAYS = 30;

/** Rises with every change of what is stored. */
const FORMAT = 2;

const DAY_MS = 86_400_000;

const formatSchema = z.object({ format: z.number() });

/** What stands before the numbers. */
const headerSchema = z.object({
  model: z.string(),
  /** Milliseconds since the epoch. */
  saved: z.number(),
  /** SHA-256 of the numbers. */
  sum: z.string(),
  /** Hashes of the files' paths. */
  files: z.array(z.string()),
});

/**
 * What the thoughts about the files of a workspace have in common: where the thought about a new file begins, and what its
 * steps are pulled toward. It is the mean of the latest thoughts about other files: a file's own never counts, since its
 * text would count twice. What is kept are numbers: means of posteriors, on disk as bfloat16, and hashes of paths.
 */
export class WorkspaceThought {
  /** By the path's hash, the file that was thought about last at the end. */
  #files = new LruMap<string, Float32Array>(KEPT_FILES);

  /** @param mu mean of the posterior on a file, as in `Thought` */
  add(path: string, mu: Float32Array): void {
    this.#files.set(hashOf(path), mu);
  }

  /** The thought with which a file begins, its version a new one; undefined while too few other files are known. */
  startFor(path: string): Thought | undefined {
    const own = hashOf(path);
    const others = [...this.#files.entries()].filter(([hash]) => hash !== own).map(([, mu]) => mu);
    const [first] = others;
    if (!first || others.length < MIN_FILES) return undefined;
    const mu = new Float32Array(first.length);
    for (const other of others) for (let i = 0; i < mu.length; i++) mu[i]! += other[i]! / others.length;
    return { ...priorThought(mu), version: nextVersion() };
  }

  /**
   * @param model what tells the bundle from others
   * @param now milliseconds since the epoch
   */
  pack(model: string, now: number): Uint8Array[] {
    const files = [...this.#files.entries()];
    const numbers = Buffer.concat(files.map(([, mu]) => Buffer.from(toBfloat16(mu).buffer)));
    const header = { format: FORMAT, model, saved: now, sum: sumOf(numbers), files: files.map(([hash]) => hash) };
    return [Buffer.from(`${JSON.stringify(header)}\n`), numbers];
  }

  /**
   * Takes what was packed, in place of what is known.
   * @param length numbers of one thought
   * @returns why it is dropped, in one line, if it is
   */
  unpack(
    bytes: Uint8Array,
    { model, length, now }: { model: string; length: number; now: number },
  ): string | undefined {
    const end = bytes.indexOf(0x0a);
    const stored = parseJson(Buffer.from(bytes.subarray(0, Math.max(0, end))).toString());
    const format = formatSchema.safeParse(stored).data?.format;
    if (format === undefined) return 'it is damaged';
    if (format !== FORMAT) return `its format is ${format}, and this version reads ${FORMAT}`;
    const header = headerSchema.safeParse(stored).data;
    if (!header) return 'it is damaged';
    const { files, saved, sum } = header;
    if (header.model !== model) return 'it is of another model';
    if (now - saved >= STALE_DAYS * DAY_MS) return `it is older than ${STALE_DAYS} days`;
    // A copy: numbers begin where a buffer does.
    const numbers = new Uint8Array(bytes.subarray(end + 1));
    if (numbers.byteLength !== 2 * length * files.length || sumOf(numbers) !== sum) {
      return 'it is damaged';
    }
    const all = fromBfloat16(new Uint16Array(numbers.buffer));
    this.#files = new LruMap(KEPT_FILES);
    files.forEach((hash, i) => this.#files.set(hash, all.slice(i * length, (i + 1) * length)));
    return undefined;
  }
}

function sumOf(numbers: Uint8Array): string {
  return createHash('sha256').update(numbers).digest('hex');
}

function hashOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 16);
}
