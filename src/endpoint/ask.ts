import * as z from 'zod';
import { formatInfill } from '../api/infill';
import { parseJson } from '../json';
import { exchange, type Answered } from './http';
import type { RemoteText, InfillRequest } from './messages';

const models = z.object({ data: z.array(z.object({ id: z.string().min(1).max(512) })).min(1) });

/** Of its own words the code alone, and only one that looks like one. */
const refusal = z.object({ error: z.object({ code: z.string().regex(/^[\w-]{1,40}$/) }) });

const completion = z.object({
  choices: z
    .array(
      z.object({
        text: z.string(),
        finish_reason: z.string().nullish(),
        logprobs: z
          .object({ tokens: z.array(z.string()), token_logprobs: z.array(z.number().nullable()) })
          .nullish()
          .catch(null),
      }),
    )
    .min(1),
});

/** How the text after the cursor is told: as the API has it, with the markers of the model's family, or not at all. */
type Style = 'suffix' | 'markers' | 'prefix';

/**
 * A server of the completions API: vLLM, llama.cpp, Ollama and others. Which model it serves and how it fills gaps is found
 * out with the first request.
 */
export class Endpoint {
  readonly #base: string;
  readonly #token: string | undefined;
  #model: string | undefined;
  #style: Style = 'suffix';

  /** @param base the address below which `/completions` is */
  constructor(base: string, token: string | undefined) {
    this.#base = base;
    this.#token = token;
  }

  /**
   * What it writes between two texts.
   * @throws Error with the reason in one line
   */
  async ask(request: InfillRequest, signal: AbortSignal): Promise<{ model: string; given: RemoteText }> {
    const model = (this.#model ??= await this.#findModel(signal));
    for (;;) {
      const answered = await this.#post(this.#body(model, request), signal);
      if (answered.status === 200) return { model, given: readRemoteText(this.#parse(answered, completion)) };
      if (!this.#fallBack(answered, model)) throw new Error(this.#failure(answered));
    }
  }

  async #findModel(signal: AbortSignal): Promise<string> {
    const answered = await exchange(`${this.#base}/models`, { token: this.#token, signal });
    if (answered.status !== 200) throw new Error(this.#failure(answered));
    return this.#parse(answered, models).data[0]!.id;
  }

  #post(object: unknown, signal: AbortSignal): Promise<Answered> {
    return exchange(`${this.#base}/completions`, { token: this.#token, object, signal });
  }

  #body(model: string, { prefix, suffix, maxTokens }: InfillRequest) {
    const same = { model, max_tokens: maxTokens, temperature: 0, logprobs: 1 };
    if (this.#style === 'suffix') return { ...same, prompt: prefix, ...(suffix !== '' && { suffix }) };
    const marked = this.#style === 'markers' ? formatInfill(model, { prefix, suffix }) : undefined;
    return { ...same, prompt: marked ?? prefix };
  }

  /** Some servers know no `suffix`: vLLM and llama.cpp refuse it by name. Of those some know the model's own markers. */
  #fallBack({ status, body }: Answered, model: string): boolean {
    if (this.#style !== 'suffix' || ![400, 422, 500, 501].includes(status) || !/suffix/i.test(body)) return false;
    this.#style = formatInfill(model, { prefix: '', suffix: '' }) === undefined ? 'prefix' : 'markers';
    return true;
  }

  #parse<Type>({ body }: Answered, schema: z.ZodType<Type>): Type {
    const parsed = schema.safeParse(parseJson(body));
    if (parsed.success) return parsed.data;
    throw new Error(`${this.#host}: its answer is none of the completions API`);
  }

  get #host(): string {
    return new URL(this.#base).host;
  }

  /** What a refusal means; of its own words the code alone, since it may quote what it was sent. */
  #failure({ status, body }: Answered): string {
    const remedy: Record<number, string> = {
      401: 'it wants another token: run "Thoughtline: Set Endpoint Token…"',
      403: 'it wants another token: run "Thoughtline: Set Endpoint Token…"',
      404: 'it is not there; see thoughtline.endpoint',
      429: 'it is busy',
      503: 'it is busy',
    };
    if (status === 404) this.#model = undefined;
    if (status >= 300 && status < 400)
      return `${this.#host}: it leads elsewhere, which is not followed; give that address`;
    const code = refusal.safeParse(parseJson(body)).data?.error.code;
    const known = code === undefined ? '' : ` (${code})`;
    return `${this.#host}: ${remedy[status] ?? `it answered with status ${status}`}${known}`;
  }
}

function readRemoteText({ choices }: z.infer<typeof completion>): RemoteText {
  const [{ text, finish_reason: finish, logprobs }] = choices as [z.infer<typeof completion>['choices'][number]];
  return { text, tokens: logprobs ? tokensOf(text, logprobs) : undefined, ended: finish !== 'length' };
}

/** The tokens of a text, if they are: some servers tell other texts of tokens, by which nothing can be said of places in it. */
function tokensOf(
  text: string,
  { tokens, token_logprobs: logprobs }: { tokens: string[]; token_logprobs: (number | null)[] },
) {
  const said = tokens.map((token, i) => ({ text: token, logprob: logprobs[i] ?? 0 }));
  const whole = tokens.length === logprobs.length && tokens.join('').startsWith(text) && text !== '';
  return whole ? said : undefined;
}
