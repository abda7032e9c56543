/** Examples of texts with what a model knew of them: small, and kept in a file, so that many fits need one reading. */
import { readFile, writeFile } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';
import { UserError } from '../src/model/errors';
import type { MixtureExample } from './engineMeasures';

/** Tokens of an example that are kept by themselves: those that are left out have a thousandth of the probability, or less. */
const LIKELIEST = 2048;

/** Buckets of logits by how far they are below the highest, so many a nat. */
const PER_NAT = 8;
const BUCKETS = 1 << 10;

/**
 * An example in a vocabulary of its own: the likeliest tokens, the target, what was looked up, and two tokens that stand for all
 * others, for those that occur in the file and those that do not. What is fitted to it is what would be fitted to the whole.
 */
export function compacted(example: MixtureExample, likeliest = LIKELIEST): MixtureExample {
  const { logits, inFileMask, hits, knn, word, target } = example;
  const shared = hits.map(({ token }) => token);
  const ids = new Set([...likeliestOf(logits, likeliest), target, ...shared, ...(knn?.shares.keys() ?? [])]);
  const list = [...ids];
  const number = new Map(list.map((id, i) => [id, i]));
  const numberOf = (id: number) => number.get(id) ?? -1;
  const rest = restOf(logits, inFileMask, ids);
  return {
    logits: Float32Array.from([...list.map((id) => logits[id] ?? -Infinity), ...rest]),
    inFileMask: Uint8Array.from([...list.map((id) => inFileMask[id] ?? 0), 0, 1]),
    hits: hits.map((one) => ({ ...one, token: numberOf(one.token) })),
    word: openIdentifier(word.tokens, new Set(shared.filter((id) => word.continuesWord(id)).map(numberOf))),
    knn: knn && {
      ...knn,
      shares: new Map([...knn.shares].map(([id, share]) => [numberOf(id), share])),
    },
    target: numberOf(target),
  };
}

function openIdentifier(tokens: number, longer: ReadonlySet<number>): MixtureExample['word'] {
  return { tokens, continuesWord: (token) => longer.has(token) };
}

/** About so many ids with the highest logits; all of a small vocabulary. */
function likeliestOf(logits: Float32Array, count: number): number[] {
  const max = logits.reduce((high, logit) => Math.max(high, logit), -Infinity);
  const bucket = (logit: number) => Math.min(BUCKETS - 1, Math.floor(PER_NAT * (max - logit)));
  const sizes = new Uint32Array(BUCKETS);
  for (const logit of logits) sizes[bucket(logit)]!++;
  let [last, sum] = [0, 0];
  while (last < BUCKETS && (sum += sizes[last] as number) < count) last++;
  const ids: number[] = [];
  for (let id = 0; id < logits.length; id++) if (bucket(logits[id] as number) <= last) ids.push(id);
  return ids;
}

/** log Σ exp of the logits of all other tokens: of those that do not occur in the file, and of those that do. */
function restOf(logits: Float32Array, inFileMask: Uint8Array, kept: ReadonlySet<number>): [number, number] {
  const max = logits.reduce((high, logit) => Math.max(high, logit), -Infinity);
  const sums: [number, number] = [0, 0];
  for (let id = 0; id < logits.length; id++) {
    if (!kept.has(id)) sums[inFileMask[id] ? 1 : 0] += Math.exp((logits[id] as number) - max);
  }
  return [max + Math.log(sums[0]), max + Math.log(sums[1])];
}

interface Kept {
  /** Checksum of the weights that read them. */
  readonly model: string;
  readonly items: number;
  readonly examples: readonly (Omit<MixtureExample, 'word'> & {
    readonly word: number;
    readonly longer: readonly number[];
  })[];
}

/**
 * Examples from a file; undefined where there is none.
 * @throws UserError if another model read them
 */
export async function keptExamples(
  file: string,
  model: string,
): Promise<{ examples: MixtureExample[]; items: number } | undefined> {
  const bytes = await readFile(file).catch(() => undefined);
  if (!bytes) return undefined;
  const kept = deserialize(bytes) as Kept;
  if (kept.model !== model) throw new UserError(`${file}: its examples were read by another model; give another file`);
  const examples = kept.examples.map(({ word, longer, ...example }) => ({
    ...example,
    word: openIdentifier(word, new Set(longer)),
  }));
  return { examples, items: kept.items };
}

export async function keepExamples(
  file: string,
  model: string,
  items: number,
  examples: readonly MixtureExample[],
): Promise<void> {
  const kept: Kept = {
    model,
    items,
    examples: examples.map(({ word, ...example }) => {
      const longer = example.hits.map(({ token }) => token).filter((token) => word.continuesWord(token));
      return { ...example, word: word.tokens, longer };
    }),
  };
  await writeFile(file, serialize(kept));
}
