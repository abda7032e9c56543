import { join } from 'node:path';
import { pack, unpack, type Packed } from '../memory/packed';
import type { Stamp, WorkspaceMemory } from '../memory/workspace';
import { messageOf } from '../model/errors';
import type { Tokenizer } from '../model/tokenizer';
import { readExcluded } from '../workspace/rules';
import { StoredFile } from '../workspace/storage';
import { findAt, findSources, readSource, type Folder, type SourceFile } from '../workspace/walk';
import type { IndexProgress, WorkspaceSpec } from './messages';

export interface IndexerOptions {
  readonly memory: WorkspaceMemory;
  readonly tokenizer: Pick<Tokenizer, 'encode' | 'pieces'>;
  /** Checksum of the tokenizer. */
  readonly checksum: string;
  /** Calls `slice`, a short piece of work, when nothing more urgent is to be done, and again for as long as it says so. */
  readonly turn: (slice: () => boolean) => Promise<void>;
  readonly log: (line: string) => void;
  /** How far a longer pass is; undefined when it is over. */
  readonly progress?: (progress: IndexProgress | undefined) => void;
  readonly limits?: Partial<typeof LIMITS>;
}

const LIMITS = {
  /** Source files that are looked for, and milliseconds for it. */
  files: 20_000,
  milliseconds: 30_000,
  /** Of source, in bytes; of more, what was changed last is taken. */
  bytes: 24 << 20,
  /** Milliseconds between a change and the writing to disk, in which more may change. */
  quiet: 60_000,
};

/** Milliseconds of work before other work may come between; a file's tokens are put in at once, which may come on top. */
const SLICE_MS = 10;

/** Milliseconds after which a pass tells how far it is, and again. */
const TELL_MS = 300;

/** Characters encoded between two looks at the clock. */
const STRETCH = 1 << 10;

const FILE = 'workspace.memory';

/**
 * Keeps the workspace's memory like the files on disk, in the background: a pass over all of them, then what changes. What
 * needs the processor is done in short turns; between them it waits for the disk, and whoever needs the model goes first.
 */
export class Indexer {
  readonly #options: IndexerOptions;
  readonly #limits: typeof LIMITS;
  #spec: WorkspaceSpec = { folders: [], endings: [] };
  #folders: readonly Folder[] = [];
  #signal = { aborted: true };
  #stored: StoredFile | undefined;
  /** Paths that changed and have not been looked at. */
  readonly #changed = new Set<string>();
  /** One piece of work after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: IndexerOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
  }

  /** Holds these folders from now on, and no others. Without any, nothing is kept on disk either. Never rejects. */
  index(spec: WorkspaceSpec): Promise<void> {
    const moved = JSON.stringify(spec.folders.map(({ name }) => name)) !== JSON.stringify(this.#folders.map(({ name }) => name)); // prettier-ignore
    this.stop();
    const signal = (this.#signal = { aborted: false });
    this.#changed.clear();
    this.#spec = spec;
    this.#stored = this.#storedIn(spec.storage);
    this.#folders = spec.folders.map((folder) => ({ ...folder, excluded: readExcluded(folder.excluded) }));
    return this.#after(async () => {
      if (moved) this.#options.memory.clear();
      await this.#pass(signal);
    });
  }

  /** Files that were made, changed or deleted; of a folder that is gone, all. What waits already is looked at once. Never rejects. */
  changed(paths: readonly string[]): Promise<void> {
    const signal = this.#signal;
    for (const path of paths) this.#changed.add(path);
    return this.#after(async () => {
      const waiting = [...this.#changed];
      this.#changed.clear();
      if (!signal.aborted && waiting.length > 0) await this.#update(waiting, signal);
    });
  }

  /** Ends what is under way, and follows no changes until `index` is called again. What is there stays. */
  stop(): void {
    this.#signal.aborted = true;
    this.#stored?.cancel();
  }

  #after(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).catch((error: unknown) => this.#log(messageOf(error)));
    return this.#work;
  }

  async #pass(signal: { readonly aborted: boolean }): Promise<void> {
    const { memory } = this.#options;
    const start = performance.now();
    const packed = memory.paths.length === 0 ? await this.#load() : new Map<string, Packed>();
    const walk = { endings: new Set(this.#spec.endings), limits: this.#limits, signal };
    const { found, stopped, unreadable } = await findSources(this.#folders, walk);
    const files = newest(found, this.#limits.bytes);
    if (stopped !== undefined || files.length < found.length) {
      const why = stopped ?? `more than ${this.#limits.bytes >> 20} MB of source`;
      this.#log(`${why}: ${files.length} files are taken, the others left out`);
    }
    const wanted = new Set(files.map(({ path }) => path));
    const gone = memory.paths.filter((path) => !wanted.has(path));
    await this.#run(each(gone, (path) => memory.delete(path)));

    const failed = unreadable.map((folder) => `${folder}: cannot be listed`);
    let [read, kept] = [0, 0];
    let told = start + TELL_MS;
    for (const [done, file] of files.entries()) {
      if (signal.aborted) break;
      if (performance.now() > told) {
        this.#options.progress?.({ done, total: files.length });
        told = performance.now() + TELL_MS;
      }
      if (isSame(memory.stampOf(file.path), file)) continue;
      const known = packed.get(file.path);
      if (known && isSame(known.stamp, file)) {
        kept++;
        await this.#put(file, known.tokens);
        continue;
      }
      const problem = await this.#read(file);
      if (problem === undefined) read++;
      else failed.push(`${file.path}: ${problem}`);
    }
    if (told > start + TELL_MS) this.#options.progress?.(undefined);
    if (failed.length > 0) this.#log(`${failed.length} not taken, the first: ${failed[0]}`);
    const { paths, live, bytes } = memory;
    if (paths.length > 0) {
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      const whole = signal.aborted ? 'cancelled: ' : '';
      this.#log(
        `${whole}${paths.length} files, ${live} tokens, ${(bytes / 1e6).toFixed(0)} MB; ${read} read, ${kept} known from before, ${seconds} s`,
      );
    }
    if (!signal.aborted && (read > 0 || gone.length > 0 || kept !== packed.size || this.#folders.length === 0)) {
      await this.#save(signal);
    }
  }

  async #update(paths: readonly string[], signal: { readonly aborted: boolean }): Promise<void> {
    const { memory } = this.#options;
    const found = await findAt(this.#folders, paths, { endings: new Set(this.#spec.endings) });
    const gone = new Set(paths.filter((path) => !found.has(path)));
    let changed = false;
    for (const file of found.values()) {
      if (signal.aborted) return;
      const before = memory.stampOf(file.path);
      if (isSame(before, file)) continue;
      const problem = await this.#read(file);
      changed ||= problem === undefined || before !== undefined;
    }
    // Of a folder that is gone, all that lay in it.
    const lost = memory.paths.filter((path) => withFolders(path).some((one) => gone.has(one)));
    await this.#run(each(lost, (path) => memory.delete(path)));
    if (!changed && lost.length === 0) return;
    this.#stored?.later(() => this.#after(() => this.#save(signal)));
  }

  /** @returns why a file is not taken */
  async #read(file: SourceFile): Promise<string | undefined> {
    const source = await readSource(file);
    if ('reason' in source) {
      await this.#run(each([file.path], (path) => this.#options.memory.delete(path)));
      return source.reason;
    }
    const tokens = await this.#run(encode(source.text, this.#options.tokenizer));
    return (await this.#put(file, tokens)) ? undefined : 'no room';
  }

  async #put(file: SourceFile, tokens: ArrayLike<number>): Promise<boolean> {
    let done = false;
    await this.#options.turn(() => {
      done = this.#options.memory.put(file.path, { mtimeMs: file.mtimeMs, size: file.size }, tokens);
      return false;
    });
    return done;
  }

  /** What a session before has kept; nothing of what cannot be used. */
  async #load(): Promise<Map<string, Packed>> {
    const data = this.#folders.length === 0 ? undefined : await this.#stored?.read();
    const packed = data ? await this.#run(unpack(data, this.#options.checksum)) : new Map<string, Packed>();
    if (typeof packed !== 'string') return packed;
    this.#stored?.drop(packed);
    return new Map();
  }

  async #save(signal: { readonly aborted: boolean }): Promise<void> {
    const { memory, checksum } = this.#options;
    if (signal.aborted) return;
    await this.#stored?.save(async () =>
      memory.paths.length === 0 ? undefined : this.#run(pack(packedOf(memory), checksum)),
    );
  }

  #storedIn(storage: string | undefined): StoredFile | undefined {
    if (storage === undefined) return undefined;
    return new StoredFile(join(storage, FILE), { quietMs: this.#limits.quiet, log: (line) => this.#log(line) });
  }

  /** Does a piece of work in turns, and gives what comes of it. */
  async #run<T>(work: Generator<void, T>): Promise<T> {
    let step = work.next();
    while (!step.done) {
      await this.#options.turn(() => {
        const end = performance.now() + SLICE_MS;
        while (!step.done && performance.now() < end) step = work.next();
        return !step.done;
      });
    }
    return step.value;
  }

  #log(line: string): void {
    this.#options.log(`workspace memory: ${line}`);
  }
}

function* packedOf(memory: WorkspaceMemory): Generator<[string, Packed]> {
  for (const path of memory.paths) {
    const [stamp, tokens] = [memory.stampOf(path), memory.tokensOf(path)];
    if (stamp && tokens) yield [path, { stamp, tokens }];
  }
}

/** A path and those of the folders that it lies in. */
function withFolders(path: string): string[] {
  const all = [path];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) all.push(path.slice(0, at));
  return all;
}

function isSame(known: Stamp | undefined, file: Stamp): boolean {
  return known?.mtimeMs === file.mtimeMs && known.size === file.size;
}

/** The files changed last that fit, the one changed last at the end: it is the nearest. */
export function newest(files: readonly SourceFile[], bytes: number): SourceFile[] {
  const chosen: SourceFile[] = [];
  let remaining = bytes;
  for (const file of files.toSorted((a, b) => b.mtimeMs - a.mtimeMs)) {
    if (file.size > remaining) break;
    remaining -= file.size;
    chosen.push(file);
  }
  return chosen.reverse();
}

/** Tokens of a text; it stops where other work may come between. */
function* encode(text: string, tokenizer: Pick<Tokenizer, 'encode' | 'pieces'>): Generator<void, number[]> {
  const tokens: number[] = [];
  let stretch = '';
  yield;
  for (const line of tokenizer.pieces(text)) {
    stretch += line;
    if (stretch.length < STRETCH) continue;
    for (const token of tokenizer.encode(stretch)) tokens.push(token);
    stretch = '';
    yield;
  }
  for (const token of tokenizer.encode(stretch)) tokens.push(token);
  return tokens;
}

function* each<T>(items: readonly T[], act: (item: T) => void): Generator<void, void> {
  for (const item of items) {
    yield;
    act(item);
  }
}
