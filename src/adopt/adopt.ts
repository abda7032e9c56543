import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { messageOf, UserError } from '../model/errors';
import { FORMAT, parseManifest, POSITIONS, type Prompt, type STORED_PARTS } from '../model/manifest';
import { Tokenizer } from '../model/tokenizer';
import { readDecoder, type AdoptedDecoder } from './architecture';
import { cardOf, type Origin } from './card';
import { layerNames, topGraph, trunkGraph, type DecoderWeights } from './decoderGraphs';
import { evidenceGraph } from './evidenceGraph';
import { openGguf, type Gguf } from './gguf';
import { readImportance } from './importance';
import { encodeModel, type Graph } from './onnx';
import { promptOf } from './prompt';
import { ADOPTION_VERSION } from './sources/place';
import { recipeFor, type Recipe } from './recipe';
import { shipped } from './shipped';
import { slowdownOfEightBits } from './speed';
import { FEATURES, measureFeatures } from './thought';
import { adoptTokenizer, type AdoptedTokenizer } from './tokenizer';
import { writeWeights, type WrittenWeights } from './weights';
import { WeightsFile } from './weightsFile';

/** Weights as a manifest has them, by the names of the bundle format. */
export type Fitted = {
  readonly [Part in (typeof STORED_PARTS)[number]]?: Readonly<Record<string, unknown>> | undefined;
};

export interface AdoptOptions {
  /** The bundle's name (default: the file's). */
  readonly name?: string | undefined;
  /** Who made the weights, and under which licence, where it is known. */
  readonly origin?: Origin | undefined;
  /** Default: by how fast this machine multiplies. */
  readonly recipe?: Recipe | undefined;
  /** Path of a file of importances; it is used for the model that it was measured on. */
  readonly importance?: string | undefined;
  /** What was fitted to the model before, as its manifest will have it: how memories are mixed in, how sure it is of what it writes. */
  readonly fitted?: Fitted | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Share of the work that is done, 0 to 1, and what is being done. */
  readonly onProgress?: ((share: number, what: string) => void) | undefined;
}

/** Tokens of a window: of all, after the cursor; and by how much its beginning moves. */
const WINDOW = { tokens: 1024, suffixTokens: 160, hop: 128 };

/** Tokens of an evidence chunk. */
const CHUNK_TOKENS = 256;

const WEIGHTS = 'weights.bin';

/** Code of several languages that was written for this project. */
const PLAIN_TEXT = 'plain-text.txt';

/**
 * How a thought takes its steps, in units of what a layer's MLP gives (features.ts): the same for every adopted model. By
 * default none: what coder gains is less than what reading the evidence costs (docs/experiments).
 */
const STEPS = {
  features: FEATURES,
  defaultSteps: 0,
  maxSteps: 4,
  stepSize: [0.04, 0.028, 0.023, 0.02],
  warmStepSize: 0.02,
  priorPull: [0, 0, 0, 0],
  warmPriorPull: 0.05,
  deviation: 0.04,
};

/**
 * Makes a bundle of a GGUF file of a LLaMA-like decoder: graphs for ONNX Runtime, weights, tokenizer, manifest, card and
 * licence. It is there as a whole, or not at all; an older one in its place is replaced at the end.
 * @param source path of the file
 * @param directory of the bundle
 * @returns what the user should know: that there are no fill-in markers
 * @throws UserError in one line that names file, field and remedy; AbortError when the signal says so
 */
export async function adopt(source: string, directory: string, options: AdoptOptions = {}): Promise<string[]> {
  const { onProgress } = options;
  onProgress?.(0, 'reading the file');
  const gguf = await openGguf(source);
  const target = resolve(directory);
  const scratch = join(dirname(target), `.${basename(target)}-${process.pid}-${Date.now().toString(36)}`);
  try {
    await mkdir(scratch, { recursive: true });
    const notes = await writeBundle(gguf, scratch, options);
    await replace(scratch, target);
    onProgress?.(1, 'adopted');
    return notes;
  } catch (error) {
    await rm(scratch, { recursive: true, force: true }).catch(() => undefined);
    throw explained(error, target);
  } finally {
    await gguf.close();
  }
}

async function writeBundle(gguf: Gguf, scratch: string, options: AdoptOptions): Promise<string[]> {
  const { signal, onProgress } = options;
  const decoder = await readDecoder(gguf, POSITIONS);
  const tokenizer = adoptTokenizer(gguf.metadata, gguf.path);
  if (tokenizer.size > decoder.shape.vocabulary) {
    throw new UserError(
      `${gguf.path}: tokenizer.ggml.tokens has ${tokenizer.size} tokens, the model ${decoder.shape.vocabulary}; get the file again`,
    );
  }
  const prompt = promptOf(gguf.metadata, tokenizer.special);
  if (prompt.ends.length === 0) {
    throw new UserError(`${gguf.path}: tokenizer.ggml.eos_token_id is missing; get a model that says how a text ends`);
  }
  const recipe = options.recipe ?? recipeFor(await slowdownOfEightBits(scratch));
  const file = await WeightsFile.create(join(scratch, WEIGHTS));
  let weights: DecoderWeights;
  try {
    const importance = options.importance && (await readImportance(options.importance, gguf));
    const written = await writeWeights(gguf, decoder, file, {
      recipe,
      importance: importance || undefined,
      signal,
      onProgress: (share) => onProgress?.(0.05 + 0.75 * share, 'converting the weights'),
    });
    onProgress?.(0.8, 'measuring the features of a thought');
    await addFeatures(written, decoder, tokenizer, scratch, options);
    weights = written;
  } catch (error) {
    await file.close();
    throw error;
  }
  const sum = await file.finish();
  onProgress?.(0.97, 'writing the bundle');
  await writeParts(gguf, scratch, { decoder, tokenizer, prompt, weights, sum, recipe }, options);
  const { style } = prompt;
  return style === 'prefix'
    ? ['this model has no fill-in markers: it completes from the text before the cursor alone']
    : [];
}

/** Measures the features of a thought on the plain text that ships, and writes them behind the weights. */
async function addFeatures(
  weights: WrittenWeights,
  { shape }: AdoptedDecoder,
  { json, pieces }: AdoptedTokenizer,
  scratch: string,
  { signal }: AdoptOptions,
): Promise<void> {
  const tokens = new Tokenizer(json, pieces).encode(await readFile(shipped(PLAIN_TEXT), 'utf8'));
  const measured = await measureFeatures({ shape, weights, tokens, scratch, location: WEIGHTS, signal });
  for (const [layer, { components, means }] of measured.entries()) {
    const { thoughtFeatures, thoughtMeans } = layerNames(shape.trunkLayers + layer);
    await weights.addNumbers(thoughtFeatures, [shape.width, FEATURES], components);
    await weights.addNumbers(thoughtMeans, [FEATURES], means);
  }
}

interface Parts {
  readonly decoder: AdoptedDecoder;
  readonly tokenizer: AdoptedTokenizer;
  readonly prompt: Prompt;
  readonly weights: DecoderWeights;
  readonly sum: { readonly bytes: number; readonly sha256: string };
  readonly recipe: Recipe;
}

async function writeParts(gguf: Gguf, scratch: string, parts: Parts, options: AdoptOptions): Promise<void> {
  const { decoder, tokenizer, prompt, weights, sum, recipe } = parts;
  const { shape } = decoder;
  const name = labelOf(options.name ?? basename(gguf.path).replace(/\.gguf$/i, ''));
  const version = labelOf(String(gguf.metadata.get('general.version') ?? `adopted-${ADOPTION_VERSION}`));
  const tokens = await put(scratch, 'tokenizer.json', Buffer.from(tokenizer.json));
  const licence = options.origin?.licence ?? gguf.metadata.get('general.license');
  const properties = {
    name,
    version,
    ...(typeof licence === 'string' && { licence: licence.slice(0, 64) }),
    tokenizer_sha256: tokens.sha256,
    weights_sha256: sum.sha256,
  };
  const encode = (graph: Graph) => encodeModel({ ...graph, properties }, WEIGHTS, 'thoughtline adopt');
  const files = {
    trunk: await put(scratch, 'trunk.onnx', encode(trunkGraph(shape, weights))),
    top: await put(scratch, 'top.onnx', encode(topGraph(shape, weights))),
    evidence: await put(scratch, 'evidence.onnx', encode(evidenceGraph(shape, weights))),
    weights: { path: WEIGHTS, ...sum },
    tokenizer: tokens,
    card: await put(scratch, 'README.md', Buffer.from(cardOf(name, gguf, decoder, recipe, options.origin))),
    ...(options.origin && { licence: await put(scratch, 'LICENSE', Buffer.from(options.origin.text)) }),
  };
  const { vocabulary, width, layers, trunkLayers, heads, kvHeads, headWidth, normEpsilon, attentionBias } = shape;
  const manifest = {
    format: FORMAT,
    name,
    version,
    architecture: {
      ...{ vocabulary, width, layers, trunkLayers, heads, kvHeads, headWidth },
      ...{ ropeBase: decoder.ropeBase, normEpsilon, attentionBias },
    },
    window: { ...WINDOW, tokens: Math.min(WINDOW.tokens, decoder.contextTokens) },
    chunk: { tokens: CHUNK_TOKENS },
    prompt,
    tokenizer: { pieces: tokenizer.pieces },
    thought: stepsFor(layers - trunkLayers),
    ...options.fitted,
    training: { adopted: { file: basename(gguf.path), version: ADOPTION_VERSION, recipe } },
    files,
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  parseManifest(text, join(scratch, 'manifest.json'));
  await writeFile(join(scratch, 'manifest.json'), text);
}

/**
 * The steps of each layer. Those of the last one make text less likely: what counts is a map that another layer works on. The
 * evidence of one file says so little of a single number that the posterior is as wide as the prior.
 */
function stepsFor(layers: number) {
  const { features, defaultSteps, maxSteps, deviation } = STEPS;
  const each = (value: number) => Array.from({ length: layers }, () => value);
  const butLast = (value: number) => each(value).with(-1, layers > 1 ? 0 : value);
  return {
    ...{ features, defaultSteps, maxSteps },
    ...{ stepSize: STEPS.stepSize.map(butLast), warmStepSize: butLast(STEPS.warmStepSize) },
    ...{ priorPull: STEPS.priorPull.map(each), warmPriorPull: each(STEPS.warmPriorPull) },
    ...{ priorDeviation: each(deviation), posteriorDeviation: each(deviation) },
  };
}

async function put(directory: string, path: string, bytes: Uint8Array) {
  await writeFile(join(directory, path), bytes);
  return { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** A name as manifests allow it. */
function labelOf(text: string): string {
  return text.replace(/[^\w.+ -]+/g, '-').slice(0, 64) || 'adopted';
}

/** Puts a folder in the place of another, which is gone only once the new one is there. */
async function replace(from: string, to: string): Promise<void> {
  const old = `${from}-old`;
  const had = await rename(to, old).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  try {
    await rename(from, to);
  } catch (error) {
    if (had) await rename(old, to);
    throw error;
  }
  if (had) await rm(old, { recursive: true, force: true });
}

function explained(error: unknown, target: string): unknown {
  if (error instanceof UserError || (error instanceof Error && error.name === 'AbortError')) return error;
  const code = (error as NodeJS.ErrnoException).code;
  const remedy = code === 'ENOSPC' ? 'free some space on that disk' : 'choose a folder that can be written';
  return code === undefined ? error : new UserError(`${target}: cannot be written (${messageOf(error)}); ${remedy}`);
}
