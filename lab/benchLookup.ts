import { LookupMemory } from '../src/completion/lookupMemory';
import type { SourceText } from '../src/completion/engine';
import type { Bundle } from '../src/model/bundle';
import { randomFrom } from '../src/model/random';
import { round } from './benchReplay';
import { quantile } from './quantile';
import { shuffle } from '../src/model/random';
import { siblingsOf } from './siblings';

/** Of source, in bytes: a large workspace. */
const MAX_BYTES = 20e6;

/** Files in which tokens are looked up, and how many tokens of each. */
const PLACES = 40;
const TOKENS = 32;

/** Other files that are open with each. */
const OPEN = 8;

/**
 * What the lookup memory of a workspace takes: memory once it has read all of it, and time for each token that is looked up
 * and mixed with the decoder's opinion. The decoder itself does not run: its logits are noise.
 * @param files of the workspace; of more than 20 MB of source as many, by lot, as fit
 * @returns undefined if the bundle has no weights for the memory
 */
export function measureLookup(bundle: Bundle, files: readonly SourceText[], seed: number) {
  const { tokenizer, manifest } = bundle;
  const random = randomFrom(seed);
  const lookup = new LookupMemory(bundle);
  const { workspace } = lookup;
  const mix = lookup.mix(true);
  if (!mix) return undefined;
  const taken: SourceText[] = [];
  let bytes = 0;
  const start = performance.now();
  for (const file of shuffle(files, random)) {
    const size = Buffer.byteLength(file.text);
    if (bytes + size > MAX_BYTES) continue;
    if (!workspace.put(file.path, { mtimeMs: 0, size }, tokenizer.encode(file.text))) break;
    bytes += size;
    taken.push(file);
  }
  const reading = performance.now() - start;

  const texts = new Map(taken.map((file) => [file.path, file]));
  const paths = [...texts.keys()].sort();
  const logits = Float32Array.from({ length: manifest.architecture.vocabulary }, () => 8 * random());
  const each: { ms: number }[] = [];
  for (const { path, text } of taken.slice(0, PLACES)) {
    const at = text.indexOf('\n', text.length / 2) + 1;
    const related = siblingsOf(paths, path, OPEN).flatMap((other) => texts.get(other) ?? []);
    lookup.show({ path, prefix: text.slice(0, at), suffix: text.slice(at), related }, 0);
    const [before, after] = [tokenizer.encode(text.slice(0, at)), tokenizer.encode(text.slice(at)).slice(0, TOKENS)];
    for (let count = 0; count < after.length; count++) {
      const context = { tokens: [...before, ...after.slice(0, count)] };
      const begun = performance.now();
      mix(logits, context);
      lookup.draft(context, 1);
      each.push({ ms: performance.now() - begun });
    }
  }
  return {
    files: taken.length,
    source_mb: round(bytes / 1e6),
    tokens: workspace.live,
    mb: round(workspace.bytes / 1e6),
    read_s: round(reading / 1000),
    ms_per_token: {
      mean: hundredths(each.reduce((sum, { ms }) => sum + ms, 0) / each.length),
      p50: hundredths(quantile(each, 0.5)),
      p99: hundredths(quantile(each, 0.99)),
    },
  };
}

function hundredths(ms: number | undefined): number {
  return Math.round(100 * (ms ?? NaN)) / 100;
}
