import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { UserError } from '../../src/model/errors';
import type { Walk } from './walk';

/** What walks depend on beside the commits: those of others are not mixed with them. */
export interface WalksOf {
  /** Name of the model that judges, and the SHA-256 of its weights; undefined where none does. */
  readonly model: string | undefined;
  readonly sha256: string | undefined;
  readonly variants: readonly string[];
  readonly steps: number;
  /** Characters that it reads before a place; undefined: as in the editor. */
  readonly context: number | undefined;
}

/**
 * Walks in a file, a line each, as they are made: who is stopped loses none of them, and goes on where it was. Commits
 * that were no walk are kept, too.
 */
export class KeptWalks {
  readonly #walks = new Map<string, Walk | undefined>();

  /** @param path undefined: nothing is kept. @throws UserError where the file holds walks of something else */
  constructor(
    private readonly path: string | undefined,
    of: WalksOf,
  ) {
    if (path === undefined) return;
    const header = JSON.stringify(of);
    if (!existsSync(path)) {
      writeFileSync(path, `${header}\n`);
      return;
    }
    const { header: other, walks, whole } = readWalks(path);
    if (other !== header)
      throw new UserError(`${path}: walks of another model, or judged otherwise; give --walks another file`);
    // Behind a line that was not written to its end nothing can be added.
    writeFileSync(path, whole);
    for (const { key, walk } of walks) this.#walks.set(key, walk);
  }

  has(key: string): boolean {
    return this.#walks.has(key);
  }

  get(key: string): Walk | undefined {
    return this.#walks.get(key);
  }

  add(key: string, walk: Walk | undefined): void {
    this.#walks.set(key, walk);
    if (this.path !== undefined) appendFileSync(this.path, `${JSON.stringify({ key, walk })}\n`);
  }
}

/** What a file of walks holds; `whole` is its text without a last line that was not written to its end. */
export function readWalks(path: string): { header: string; walks: { key: string; walk?: Walk }[]; whole: string } {
  if (!existsSync(path)) throw new UserError(`${path}: no such file; give one that --walks has written`);
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const [header = '', ...lines] = whole.split('\n').slice(0, -1);
  try {
    return { header, walks: lines.map((line) => JSON.parse(line) as { key: string; walk?: Walk }), whole };
  } catch {
    throw new UserError(`${path}: not a file of walks; give one that --walks has written`);
  }
}
