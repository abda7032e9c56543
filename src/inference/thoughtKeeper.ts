import { join } from 'node:path';
import type { Thought } from '../thought/thought';
import { WorkspaceThought } from '../thought/workspaceThought';
import { StoredFile } from '../workspace/storage';

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
  #stored: StoredFile | undefined;

  constructor(options: ThoughtKeeperOptions) {
    this.#options = options;
  }

  /** @param storage folder of this workspace alone; without one nothing is kept */
  async open(storage: string | undefined): Promise<void> {
    const path = storage === undefined ? undefined : join(storage, FILE);
    if (path === this.#stored?.path) return;
    this.#stored?.cancel();
    const { model, length, log, quietMs = QUIET_MS } = this.#options;
    const options = { quietMs, log: (line: string) => log(`workspace thought: ${line}`) };
    const stored = (this.#stored = path === undefined ? undefined : new StoredFile(path, options));
    const bytes = await stored?.read();
    const why = bytes && this.#thought.unpack(bytes, { model, length, now: Date.now() });
    if (why !== undefined) stored?.drop(why);
  }

  /** A thought about a file was made from its evidence. */
  add(path: string, { mu, gradients }: Thought): void {
    if (gradients.size === 0) return;
    this.#thought.add(path, mu);
    const stored = this.#stored;
    const packed = () => Promise.resolve(this.#thought.pack(this.#options.model, Date.now()));
    stored?.later(() => stored.save(packed));
  }

  /** Where the thought about a file begins, if something is known of its workspace. */
  startFor(path: string): Thought | undefined {
    return this.#thought.startFor(path);
  }
}
