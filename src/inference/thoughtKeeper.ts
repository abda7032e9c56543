import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../model/errors';
import type { Thought } from '../thought/thought';
import { WorkspaceThought } from '../thought/workspaceThought';
import { writeWhole } from '../workspace/storage';

const FILE = 'workspace.thought';

/** Milliseconds between a thought and the writing to disk, in which more may come. */
const QUIET_MS = 60_000;

export interface ThoughtKeeperOptions {
  /** What tells the bundle from others. */
  readonly model: string;
  /** Numbers of one thought. */
  readonly length: number;
  readonly log: (line: string) => void;
  readonly quietMs?: number;
}

/** Keeps the thought of a workspace between sessions, in a file that the user alone can read. Never rejects. */
export class ThoughtKeeper {
  readonly #options: ThoughtKeeperOptions;
  readonly #thought = new WorkspaceThought();
  #file: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ThoughtKeeperOptions) {
    this.#options = options;
  }

  /** @param storage folder of this workspace alone; without one nothing is kept */
  async open(storage: string | undefined): Promise<void> {
    const file = storage === undefined ? undefined : join(storage, FILE);
    if (file === this.#file) return;
    this.#file = file;
    if (file === undefined) return;
    const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => error);
    if (bytes instanceof Error) {
      if (bytes.code !== 'ENOENT') this.#log(`${file} cannot be read (${bytes.code})`);
      return;
    }
    const { model, length } = this.#options;
    const why = this.#thought.unpack(bytes, { model, length, now: Date.now() });
    if (why !== undefined) this.#log(`${file} is dropped: ${why}`);
  }

  /** A thought about a file was made from its evidence. */
  add(path: string, { mu, gradients }: Thought): void {
    if (gradients.size === 0) return;
    this.#thought.add(path, mu);
    this.#timer ??= setTimeout(() => void this.#save(), this.#options.quietMs ?? QUIET_MS).unref();
  }

  /** Where the thought about a file begins, if something is known of its workspace. */
  startFor(path: string): Thought | undefined {
    return this.#thought.startFor(path);
  }

  async #save(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const file = this.#file;
    if (file === undefined) return;
    try {
      await writeWhole(file, this.#thought.pack(this.#options.model, Date.now()));
    } catch (error) {
      this.#log(`it cannot be kept on disk (${messageOf(error)})`);
      // Where nothing can be written now, trying again after each thought would only say so again.
      this.#file = undefined;
    }
  }

  #log(line: string): void {
    this.#options.log(`workspace thought: ${line}`);
  }
}
