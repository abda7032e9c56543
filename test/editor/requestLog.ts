/** What the extension asks of its language server, as its log says at level "trace". */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The id of our extension with a log level, as VS Code takes it. */
export const TRACED = 'thoughtline.thoughtline:trace';

/** Milliseconds in which VS Code would ask again. */
const REST_MS = 700;

const LINE =
  /Sending notification '(textDocument\/didChange|workspace\/didChangeConfiguration)'|Sending request 'textDocument\/inlineCompletion|the editor is given (\d+) suggestions/g;

export interface Traced {
  /** Changes of documents that the server was told of. */
  readonly changes: number;
  /** Changes of settings that it was told of. */
  readonly configurations: number;
  /** How many suggestions VS Code was given when it asked last; undefined where it has not asked since the last change. */
  readonly given: number | undefined;
}

/** Reads a log. */
export function traced(log: string): Traced {
  let [changes, configurations] = [0, 0];
  let given: number | undefined;
  for (const [, notification, count] of log.matchAll(LINE)) {
    if (notification === 'workspace/didChangeConfiguration') {
      configurations++;
      continue;
    }
    if (notification !== undefined) changes++;
    given = count === undefined ? undefined : Number(count);
  }
  return { changes, configurations, given };
}

/** The log of one window, while it is being written. */
export class RequestLog {
  #path: string | undefined;
  #last = '';
  /** When it said something else than before. */
  #since = Date.now();
  /** So many changes are behind us. */
  #past = 0;

  /** @param folder of the editor's logs */
  constructor(private readonly folder: string) {}

  /** What it says now. */
  async read(): Promise<Traced> {
    this.#path ??= await this.#find();
    const text = this.#path === undefined ? '' : await readFile(this.#path, 'utf8').catch(() => '');
    const found = traced(text);
    if (JSON.stringify(found) !== this.#last) this.#since = Date.now();
    this.#last = JSON.stringify(found);
    return found;
  }

  /** What is asked from now on counts. */
  async mark(): Promise<void> {
    this.#past = (await this.read()).changes;
  }

  /** Whether VS Code has asked for a suggestion after the last change since `mark()`, was given none, and has not asked since. */
  async saysNone(): Promise<boolean> {
    const { changes, given } = await this.read();
    return given === 0 && changes > this.#past && Date.now() - this.#since >= REST_MS;
  }

  async #find(): Promise<string | undefined> {
    const names = await readdir(this.folder, { recursive: true }).catch(() => []);
    const found = names.filter((name) => name.endsWith('Thoughtline.log')).sort();
    return found.length === 0 ? undefined : join(this.folder, found.at(-1)!);
  }
}
