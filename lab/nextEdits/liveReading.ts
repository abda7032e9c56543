import { setTimeout as sleep } from 'node:timers/promises';
import type { SyntaxReading } from '../../src/edits/candidate';
import { languageIdOfPath } from '../../src/languages';
import { Scopes, type Change, type Lines, type TextPosition } from '../../src/scopes/scopes';
import { SourceTree } from '../../src/syntax/source';

/** What is known of a text that changes: by its syntax tree where there is a grammar, else its comments and strings. */
export interface LiveReading {
  /** Whether it is made when it is asked for; else in the background. */
  readonly atOnce: boolean;
  /** The text was changed; `text` is what it is now. */
  changed(text: string, change: { offset: number; removed: string; inserted: string }): void;
  reading(): Promise<SyntaxReading>;
  close(): void;
}

export async function openReading(path: string, text: string): Promise<LiveReading> {
  const tree = await SourceTree.open(path);
  return tree ? new TreeReading(tree, text) : new ScopeReading(path, text);
}

const NOTHING: SyntaxReading = { scope: () => undefined };

class TreeReading implements LiveReading {
  readonly atOnce = true;

  constructor(
    private readonly tree: SourceTree,
    private text: string,
  ) {}

  changed(text: string): void {
    this.text = text;
  }

  reading(): Promise<SyntaxReading> {
    return Promise.resolve(this.tree.read(this.text) ? this.tree : NOTHING);
  }

  close(): void {
    this.tree.close();
  }
}

/** Comments and strings are read in the background; so long somebody may wait for them. */
const PATIENCE_MS = 5_000;

class ScopeReading implements LiveReading, Lines {
  readonly atOnce = false;
  readonly languageId: string;
  readonly #scopes = new Scopes(() => undefined);
  #lines: string[];
  #starts: number[] = [];

  constructor(path: string, text: string) {
    this.languageId = languageIdOfPath(path) ?? 'plaintext';
    this.#lines = text.split('\n');
    this.#index();
  }

  get lineCount(): number {
    return this.#lines.length;
  }

  getText({ start, end }: { start: TextPosition; end: TextPosition }): string {
    const line = this.#lines[start.line] ?? '';
    return end.line > start.line ? line.slice(start.character) : line.slice(start.character, end.character);
  }

  changed(text: string, { offset, removed, inserted }: { offset: number; removed: string; inserted: string }): void {
    const change: Change = {
      range: { start: this.#place(offset), end: this.#place(offset + removed.length) },
      text: inserted,
    };
    this.#lines = text.split('\n');
    this.#index();
    this.#scopes.changed(this, [change]);
  }

  async reading(): Promise<SyntaxReading> {
    const last = { line: this.#lines.length - 1, character: 0 };
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(2)) {
      if (this.#scopes.at(this, last) !== undefined) break;
    }
    return { scope: (offset) => this.#scopes.at(this, this.#place(offset)) };
  }

  close(): void {
    // Nothing is held outside of this process' own memory.
  }

  #index(): void {
    let start = 0;
    this.#starts = this.#lines.map((line) => {
      const begun = start;
      start += line.length + 1;
      return begun;
    });
  }

  #place(offset: number): TextPosition {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low, character: offset - this.#starts[low]! };
  }
}
