import * as z from 'zod';
import { parseInfill } from '../api/infill';
import type { Sampling } from '../completion/generate';
import { ApiError } from './apiError';

/** What a client asks for, checked. */
export interface CompletionParameters {
  readonly prefix: string;
  readonly suffix: string;
  readonly maxTokens: number;
  /** Texts that end the answer and are no part of it. */
  readonly stop: readonly string[];
  readonly stream: boolean;
  /** Whether a stream ends with the number of tokens. */
  readonly includeUsage: boolean;
  /** How many of the most probable tokens are wanted at each place; undefined: none of it. */
  readonly logprobs: number | undefined;
  readonly sampling: Sampling;
  /** Whose thought serves; undefined: nobody's. */
  readonly user: string | undefined;
  /** What the file is called, which tells the language; not a part of the API. */
  readonly path: string;
}

/** Tokens of an answer where the client does not say: as long as a suggestion. */
const USUAL_TOKENS = 64;

const MAX_STOPS = 32;

const optional = <Type extends z.ZodType>(type: Type) => type.nullish().transform((value) => value ?? undefined);

/** A parameter of the API for which there is one value only: saying it is allowed. */
const only = <Value extends string | number | boolean>(value: Value) =>
  optional(z.literal(value, { error: `only ${JSON.stringify(value)} is supported` }));

const texts = z.union([z.string(), z.array(z.string()).max(MAX_STOPS)]);

const body = z.object({
  model: optional(z.string()),
  prompt: z.union([z.string(), z.tuple([z.string()])], {
    error: 'use one text; tokens and several texts are not supported',
  }),
  suffix: optional(z.string()),
  max_tokens: optional(z.int().min(1)),
  stop: optional(texts),
  stream: optional(z.boolean()),
  stream_options: optional(z.object({ include_usage: optional(z.boolean()) })),
  logprobs: optional(z.int().min(0).max(5)),
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().gt(0).max(1)),
  seed: optional(z.int()),
  user: optional(z.string().max(256)),
  path: optional(z.string().max(4096)),
  n: only(1),
  best_of: only(1),
  echo: only(false),
  presence_penalty: only(0),
  frequency_penalty: only(0),
  logit_bias: optional(z.strictObject({}, { error: 'it is not supported' })),
});

export interface Limits {
  /** The model that is served. */
  readonly model: string;
  readonly maxTokens: number;
}

/**
 * Reads the body of `POST /v1/completions`. Parameters that are not known are passed over, as the API does.
 * @throws ApiError that names the parameter
 */
export function readCompletionRequest(given: unknown, limits: Limits): CompletionParameters {
  const parsed = body.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const param = issue?.path.join('.') || 'body';
    throw new ApiError(400, `${param}: ${issue?.message ?? 'invalid'}`, { param });
  }
  const { model, prompt, suffix, stop = [], temperature = 0, top_p: topP = 1, seed, ...rest } = parsed.data;
  if (model !== undefined && model !== '' && model !== limits.model) {
    const message = `the model ${JSON.stringify(model)} is not served here; use ${JSON.stringify(limits.model)}`;
    throw new ApiError(404, message, { param: 'model', code: 'model_not_found' });
  }
  const text = typeof prompt === 'string' ? prompt : prompt[0];
  const infill = suffix === undefined ? parseInfill(text) : undefined;
  return {
    prefix: infill?.prefix ?? text,
    suffix: infill?.suffix ?? suffix ?? '',
    maxTokens: Math.min(rest.max_tokens ?? USUAL_TOKENS, limits.maxTokens),
    stop: (typeof stop === 'string' ? [stop] : stop).filter((one) => one !== ''),
    stream: rest.stream ?? false,
    includeUsage: rest.stream_options?.include_usage ?? false,
    logprobs: rest.logprobs,
    sampling: { temperature, topP, seed: seed ?? (temperature === 0 ? 0 : Math.floor(Math.random() * 2 ** 32)) },
    user: rest.user,
    path: rest.path ?? '',
  };
}
