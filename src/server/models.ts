/** Which model serves, and why: by the setting, by what is installed, and by how fast it was found to be here. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import * as z from 'zod';
import type { CompletionRequest } from '../inference/messages';
import { median } from '../numbers';
import type { Settings } from '../settings';
import { writeWhole } from '../workspace/storage';

/** `auto` takes coder where a suggestion is expected within so many milliseconds. */
export const ENOUGH_MS = 600;

/** What there is to choose from. */
export interface Installed {
  /** Folder of `nano`, which comes with the extension. */
  readonly shipped: string;
  /** Folder of `coder`, where it has been got. */
  readonly coder: string | undefined;
  /** Milliseconds that a suggestion of coder takes here, once it is known. */
  readonly coderMs: number | undefined;
  /** Why a bundle could not be used, by its folder. */
  readonly refused: ReadonlyMap<string, string>;
  /** Whether an endpoint writes. */
  readonly endpoint?: boolean | undefined;
}

export interface Choice {
  readonly bundle: string;
  /** In words, for the menu. */
  readonly because: string;
  /** What is wrong with the one that was wanted, in one line. */
  readonly problem?: string;
  /** Whether it should be measured before it is known to be the right one. */
  readonly onTrial?: true;
}

/** The bundle that serves. Whatever cannot be used is replaced by the one that comes with the extension. */
export function chooseModel(model: Settings['model'], installed: Installed): Choice {
  const { shipped, coder, refused } = installed;
  const wanted = model === 'nano' ? shipped : model === 'auto' || model === 'coder' ? coder : model;
  const name = model === 'auto' ? 'coder' : model;
  const nano = (because: string, problem?: string): Choice => ({
    bundle: shipped,
    because,
    ...(problem && { problem }),
  });
  if (model === 'auto' && installed.endpoint) return nano('an endpoint writes, and nano decides what of it is shown');
  if (wanted === undefined) {
    const missing = 'the code model has not been got yet';
    return model === 'auto' ? nano(missing) : nano(missing, `${missing}; run "Thoughtline: Get the Code Model"`);
  }
  const refusal = wanted === shipped ? undefined : refused.get(wanted);
  if (refusal !== undefined) return nano(`${name} cannot be used`, refusal);
  if (model !== 'auto') return { bundle: wanted, because: `thoughtline.model is ${model}` };
  return chooseBySpeed(wanted, installed);
}

function chooseBySpeed(coder: string, { shipped, coderMs }: Installed): Choice {
  if (coderMs === undefined) return { bundle: coder, because: 'it is tried how fast coder is here', onTrial: true };
  const pace = `a suggestion of coder takes ${coderMs} ms here`;
  if (coderMs <= ENOUGH_MS) return { bundle: coder, because: `${pace}, at most ${ENOUGH_MS} are wanted` };
  return {
    bundle: shipped,
    because: `${pace}, more than ${ENOUGH_MS}; set thoughtline.model to coder to use it all the same`,
  };
}

/** What a speed depends on. */
export interface Circumstances extends Pick<Settings, 'device'> {
  /** 0 = as many as suit the machine. */
  readonly threads: number;
  readonly bundle: string;
  /** Of the extension. */
  readonly version: string;
}

/** How fast models were found to be, kept in a file of the folder that the client gives. */
export class Speeds {
  readonly #path: string | undefined;
  readonly #known: Record<string, number>;

  /** @param folder where they are kept; without it they are forgotten with the process */
  constructor(folder: string | undefined) {
    this.#path = folder && join(folder, 'speeds.json');
    this.#known = this.#path === undefined ? {} : readSpeeds(this.#path);
  }

  get(circumstances: Circumstances): number | undefined {
    return this.#known[key(circumstances)];
  }

  /** @throws what the file system says; it is known all the same */
  async set(circumstances: Circumstances, milliseconds: number): Promise<void> {
    this.#known[key(circumstances)] = milliseconds;
    if (this.#path !== undefined) await writeWhole(this.#path, [Buffer.from(JSON.stringify(this.#known, null, 1))]);
  }
}

/** Of what is no number, nothing. */
const speedsSchema = z.record(z.string(), z.number().optional().catch(undefined));

/** What was found before; what cannot be read is found again. */
function readSpeeds(path: string): Record<string, number> {
  try {
    const read = Object.entries(speedsSchema.parse(JSON.parse(readFileSync(path, 'utf8'))));
    return Object.fromEntries(read.filter((entry): entry is [string, number] => entry[1] !== undefined));
  } catch {
    return {};
  }
}

function key({ bundle, device, threads, version }: Circumstances): string {
  return [basename(bundle), version, device, `${threads} threads`, cpus()[0]?.model ?? 'unknown CPU'].join(', ');
}

/** What a model is measured with: as when somebody types in the middle of a file of ordinary size. */
const SUM = (name: string) =>
  `export function ${name}(values: readonly number[]): number {\n  return values.reduce((sum, value) => sum + value, 0);\n}\n`;
const PREFIX = `${['first', 'second', 'third', 'fourth', 'fifth', 'sixth'].map(SUM).join('\n')}\nexport function mean(`;
const SUFFIX = `\n${['seventh', 'eighth'].map(SUM).join('\n')}`;
/** What is typed, one after the other: the first reads the window, the others go on from there. */
const TYPED = ['', 'v', 'va', 'val'];

/**
 * Milliseconds that a suggestion takes while somebody types: the median of a few, the first of which, which reads the
 * window, is left out.
 * @param ask resolves when the suggestion is there, to whether it was made
 */
export async function measureSpeed(
  ask: (request: CompletionRequest) => Promise<boolean>,
  now: () => number = () => performance.now(),
): Promise<number | undefined> {
  const times: number[] = [];
  for (const typed of TYPED) {
    const began = now();
    const request = { path: 'src/numbers.ts', prefix: PREFIX + typed, suffix: SUFFIX, related: [] };
    if (!(await ask(request))) return undefined;
    times.push(now() - began);
  }
  return Math.round(median(times.slice(1))!);
}
