import * as z from 'zod';
import { PIECES } from './pieces';
import { isRecord } from '../json';
import { UserError } from './errors';

/** The bundle format that this version reads. */
export const FORMAT = 3;

/** Positions that graphs of this format know. */
export const POSITIONS = 2 ** 13;

/** Steps at most. */
const MAX_STEPS = 32;

/** Features of a layer at most: a thought is small. */
const MAX_FEATURES = 64;

/** No count of a model is larger: what is allocated by it stays within reason whatever a manifest says. */
const MAX_COUNT = 2 ** 20;

const count = z.number().int().positive().max(MAX_COUNT);
const perLayer = z.array(z.number().nonnegative());
const deviations = z.array(z.number().positive());

const MiB = 2 ** 20;

const file = (maxBytes: number) =>
  z.object({
    path: z.string().refine(staysInside, 'must be a relative path inside the bundle folder'),
    bytes: z.number().int().nonnegative().max(maxBytes),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits'),
  });
/** Read into memory as a whole. */
const bundleFile = file(64 * MiB);
/** A graph without its weights. By their names ONNX Runtime tells graphs from its own format, which nobody here checks. */
const graphFile = file(16 * MiB).refine(({ path }) => path.endsWith('.onnx'), {
  path: ['path'],
  message: 'must end in .onnx',
});
const weightsFile = file(8192 * MiB);

/** Shown to users and written to logs. */
const label = z.string().regex(/^[\w.+ -]{1,64}$/, 'must be 1 to 64 letters, digits, spaces, and . _ + -');

const weight = z.number();

/**
 * Fitted weights as bundles name them, and as the code does: bundles that were written before keep their names, and work.
 * Nothing else knows those names; `storedWeights` writes them.
 */
const CODE_NAMES = {
  states: 'knn',
  energy: 'confidence',
  recollection: 'hitWeights',
  occurring: 'inFileBoost',
  doubt: 'logprobOfHit',
  same: 'sameTop1',
  inside: 'insideIdentifier',
  spelt: 'consistentSpellings',
  unanimity: 'nearestTokenShare',
  behind: 'gapToBest',
  broken: 'syntaxError',
  covers: 'overlapsSuffix',
} as const;
type CodeNames = typeof CODE_NAMES;
type InCode<Stored> = { [Name in keyof Stored as Name extends keyof CodeNames ? CodeNames[Name] : Name]: Stored[Name] };

/** An object of the bundle format with the names that the code has. */
function inCode<Stored extends object>(stored: Stored): InCode<Stored> {
  const name = (key: string) => (CODE_NAMES as Record<string, string>)[key] ?? key;
  return Object.fromEntries(Object.entries(stored).map(([key, value]) => [name(key), value])) as InCode<Stored>;
}

/** The parts of a manifest that are fitted to a decoder, by their names in the bundle format. */
export const STORED_PARTS = ['memory', 'states', 'energy'] as const;

/** Fitted weights with the names of the bundle format. What they were fitted on stays as it is. */
export function storedWeights(weights: unknown): unknown {
  if (!isRecord(weights)) return weights;
  const stored = Object.fromEntries(Object.entries(CODE_NAMES).map(([old, name]) => [name, old]));
  return Object.fromEntries(
    Object.entries(weights).map(([key, value]) => [
      stored[key] ?? key,
      key === 'fitted' ? value : storedWeights(value),
    ]),
  );
}

/** How the kNN distribution is mixed with what the decoder says (src/memory/knn.ts). */
const knnWeights = z.object({
  /** By which cosines are multiplied before their softmax. */
  sharpness: z.number().positive(),
  /** Of the gate κ: for each of its inputs. */
  gate: z
    .object({
      bias: weight,
      nearest: weight,
      entropy: weight,
      certainty: weight,
      agreement: weight,
      unanimity: weight,
    })
    .transform(inCode),
});

/** How the lookup memory is read and mixed with this decoder (src/memory): fitted to it by `npm run lab -- fit-memory`. */
const memoryWeights = z
  .object({
    /** Where the buckets of match lengths begin, ascending, in tokens. */
    lengths: z.array(count).min(1),
    /** The weight of a hit: by its length's bucket, for each nat of its distance, in the cursor's own file. */
    recollection: z.object({ length: z.array(weight), distance: weight, own: weight }),
    /** Of the gate λ: by the bucket of the longest match, and for each of its inputs (src/memory/mixture.ts). */
    gate: z
      .object({
        length: z.array(weight),
        count: weight,
        agreement: weight,
        choices: weight,
        entropy: weight,
        certainty: weight,
        doubt: weight,
        same: weight,
        /** Bundles that were fitted before there were these have none. */
        inside: weight.default(0),
        spelt: weight.default(0),
        unread: weight.default(0),
      })
      .transform(inCode),
    /** The in-file boost, which is added to logits. Bundles from before there was this have none. */
    occurring: weight.default(0),
    /** Bundles from before there was this, and those whose graphs do not give hidden keys, have none. */
    states: knnWeights.optional(),
    /** On what it was fitted. */
    fitted: z.record(z.string(), z.unknown()),
  })
  .refine(
    ({ lengths, recollection, gate }) => [recollection, gate].every((of) => of.length.length === lengths.length),
    {
      message: 'recollection.length and gate.length must have one number for each of lengths',
    },
  )
  .transform(inCode);

/** How candidates are ranked, and how sure the model is of them (src/completion/confidence.ts): fitted by `npm run lab -- fit-confidence`. */
const confidenceWeights = z.object({
  bias: weight,
  weights: z
    .object({
      nats: weight,
      perToken: weight,
      length: weight,
      behind: weight,
      broken: weight,
      undeclared: weight,
      agreement: weight,
      covers: weight,
    })
    .transform(inCode),
  /** On what it was fitted. */
  fitted: z.record(z.string(), z.unknown()),
});

const architecture = z.object({
  vocabulary: count,
  width: count,
  layers: count,
  trunkLayers: count,
  heads: count,
  kvHeads: count,
  headWidth: count,
  /** What the graphs hold already, for whoever computes without them (src/model/kernel); older bundles have none of it. */
  ropeBase: z.number().positive().optional(),
  normEpsilon: z.number().positive().optional(),
  attentionBias: z.boolean().optional(),
});

/** The thought z [top layers, features, width]: a map beside the MLP of each top layer, and how it takes its steps. */
const thoughtSteps = z.object({
  /** Features of what a layer's MLP reads, for each of which z has a number a channel. */
  features: count.max(MAX_FEATURES),
  /** Steps that pay, by measure: what is taken where the user wants no other number. */
  defaultSteps: z.number().int().nonnegative().max(MAX_STEPS),
  /** Steps that have sizes of their own. */
  maxSteps: count,
  /** Length of an RMS-normalised step: [step][top layer]. */
  stepSize: z.array(perLayer),
  warmStepSize: perLayer,
  /** Fraction by which each step pulls z back toward zero: [step][top layer]. */
  priorPull: z.array(perLayer),
  warmPriorPull: perLayer,
  priorDeviation: deviations,
  posteriorDeviation: deviations,
});

const token = z.number().int().nonnegative().max(MAX_COUNT);

const specialTokens = z.object({ pad: token, file: token, suffix: token, prefix: token, end: token });

/**
 * How a decoder is asked to fill in. Without it: suffix first, by the tokens of `specialTokens`.
 * `prefix-suffix-middle`: what Qwen, StarCoder and CodeLlama were trained on; `prefix`: the text before the cursor alone.
 */
const prompt = z.discriminatedUnion('style', [
  z.object({
    style: z.literal('prefix-suffix-middle'),
    begin: token.optional(),
    prefix: token,
    suffix: token,
    middle: token,
    /** Tokens that end what is written. */
    ends: z.array(token).min(1),
  }),
  z.object({ style: z.literal('prefix'), begin: token.optional(), ends: z.array(token).min(1) }),
]);

const schema = z
  .object({
    format: z.literal(FORMAT),
    name: label,
    version: label,
    /** The first version of Thoughtline that reads this format: what an older one tells the user. */
    needs: z
      .string()
      .regex(/^\d+\.\d+\.\d+$/, 'must be a version like 0.1.0')
      .optional(),
    architecture,
    window: z.object({
      tokens: count.max(POSITIONS),
      suffixTokens: z.number().int().nonnegative(),
      hop: count,
    }),
    chunk: z.object({ tokens: count }),
    /** Of a decoder that reads the suffix first; `prompt` has those of the others. */
    specialTokens: specialTokens.optional(),
    prompt: prompt.optional(),
    tokenizer: z.object({ pieces: z.enum(PIECES) }).optional(),
    /** Without it the decoder reads no thought. */
    thought: thoughtSteps.optional(),
    /** Without it the memory is not used. */
    memory: memoryWeights.optional(),
    /** Of the kNN distribution where the lookup memory is off (`npm run lab -- fit-knn`); without it the decoder stands alone there. */
    states: knnWeights.extend({ fitted: z.record(z.string(), z.unknown()) }).optional(),
    /** Without it candidates are ranked by their likelihood alone, and all are shown. */
    energy: confidenceWeights.optional(),
    training: z.record(z.string(), z.unknown()),
    files: z.object({
      trunk: graphFile,
      top: graphFile,
      evidence: graphFile.optional(),
      weights: weightsFile,
      tokenizer: bundleFile,
      card: bundleFile,
      licence: bundleFile.optional(),
    }),
  })
  .superRefine((manifest, context) => {
    const { layers, trunkLayers } = manifest.architecture;
    const complain = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (layers <= trunkLayers) complain(['architecture', 'trunkLayers'], `must be smaller than layers (${layers})`);
    if (manifest.thought) checkThought(manifest.architecture, manifest.thought, complain);
    if ((manifest.files.evidence !== undefined) !== (manifest.thought !== undefined)) {
      complain(['files', 'evidence'], 'must be there exactly where thought is');
    }
    if ((manifest.specialTokens === undefined) === (manifest.prompt === undefined)) {
      complain(['prompt'], 'must be there exactly where specialTokens is not');
    }
  })
  .transform(inCode);

type Complain = (path: string[], message: string) => void;
type Architecture = z.infer<typeof architecture>;

/** No thought has more numbers. */
const MAX_NUMBERS = 120_000;

/** Whether the numbers of a thought's steps are as many as its layers and steps. */
function checkThought(of: Architecture, thought: z.infer<typeof thoughtSteps>, complain: Complain): void {
  const top = of.layers - of.trunkLayers;
  const numbers = top * thought.features * of.width;
  if (numbers > MAX_NUMBERS)
    complain(['thought', 'features'], `make ${numbers} numbers of a thought; ${MAX_NUMBERS} are allowed`);
  for (const field of ['stepSize', 'priorPull'] as const) {
    if (thought[field].length !== thought.maxSteps) {
      complain(['thought', field], `must have ${thought.maxSteps} rows, one a step`);
    }
    if (thought[field].some((row) => row.length !== top)) {
      complain(['thought', field], `must have ${top} numbers in each row, one a top layer`);
    }
  }
  for (const field of ['warmStepSize', 'warmPriorPull', 'priorDeviation', 'posteriorDeviation'] as const) {
    if (thought[field].length !== top) complain(['thought', field], `must have ${top} numbers, one a top layer`);
  }
}

export type Manifest = z.infer<typeof schema>;
export type MemoryWeights = z.infer<typeof memoryWeights>;
export type KnnWeights = z.infer<typeof knnWeights>;
export type ConfidenceWeights = z.infer<typeof confidenceWeights>;
export type ThoughtSteps = z.infer<typeof thoughtSteps>;
export type SpecialTokens = z.infer<typeof specialTokens>;
export type Prompt = z.infer<typeof prompt>;
export type InfillPrompt = Extract<Prompt, { style: 'prefix-suffix-middle' }>;
export type BundleFile = z.infer<typeof bundleFile>;

/** The files of a bundle by what they are. */
export function filesOf({ files }: Pick<Manifest, 'files'>): [name: keyof Manifest['files'], file: BundleFile][] {
  return Object.entries(files).flatMap(([name, file]) => (file ? [[name as keyof Manifest['files'], file]] : []));
}

/** The tokens that end what is written. */
export function endTokens({ specialTokens, prompt }: Pick<Manifest, 'specialTokens' | 'prompt'>): readonly number[] {
  return specialTokens ? [specialTokens.end] : (prompt?.ends ?? []);
}

/**
 * Reads a bundle's manifest.
 * @param text the content of manifest.json
 * @param file its path, for messages
 * @throws UserError in one line: file, field, remedy
 */
export function parseManifest(text: string, file: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UserError(`${file}: not valid JSON; install the model again`);
  }
  const { format, needs } = (value ?? {}) as { format?: unknown; needs?: unknown };
  if (typeof format === 'number' && format > FORMAT) {
    const version = typeof needs === 'string' && /^\d+\.\d+\.\d+$/.test(needs) ? `${needs} or later` : undefined;
    throw new UserError(
      `${file}: format ${format} is newer than this version of Thoughtline reads (${FORMAT}); update Thoughtline to ${version ?? `one that reads format ${format}`}`,
    );
  }
  if (typeof format === 'number' && format < FORMAT) {
    throw new UserError(
      `${file}: format ${format} is older than this version of Thoughtline reads (${FORMAT}); install the model that comes with it, or adopt the GGUF file again`,
    );
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') || 'manifest';
  throw new UserError(`${file}: ${field}: ${issue?.message ?? 'invalid'}; install the model again`);
}

function staysInside(path: string): boolean {
  return path !== '' && !/^([\\/]|[A-Za-z]:)/.test(path) && !path.split(/[\\/]/).includes('..');
}
