import { documentOf } from '../completion/document';
import type { Engine, Thought } from '../completion/engine';
import type { GeneratedToken, Generation } from '../completion/generate';
import { trimmer } from '../completion/trim';
import type { TokenLogprobs } from '../api/objects';
import { withoutCovered, stableLength, cutAtStop, wholeLines } from './chunks';
import type { CompletionParameters } from './request';

/** A part of an answer. */
export interface TextChunk {
  readonly text: string;
  readonly logprobs: TokenLogprobs | null;
}

/** The end of an answer. */
export interface CompletionEnd {
  readonly finish: 'stop' | 'length';
  /** Tokens of the window that was read. */
  readonly prompt: number;
  /** Tokens that were written. */
  readonly tokens: number;
}

export interface AnswerOptions {
  readonly thought: Thought | undefined;
  /** Whose caches are used. */
  readonly reader: string;
  readonly maxLines: number;
  readonly signal: AbortSignal;
  /** When `performance.now()` says this, the answer ends with what there is. */
  readonly deadline: number;
}

type Writer = Pick<Engine, 'generate' | 'window'>;

/**
 * Writes an answer, whole lines first as they are written, then the rest. It ends as suggestions end, and fits what
 * follows, which stays where it is; with `logprobs` it is what the tokens say.
 */
export async function* answer(
  engine: Writer,
  asked: CompletionParameters,
  options: AnswerOptions,
): AsyncGenerator<TextChunk, CompletionEnd> {
  const { path, stop, logprobs, maxTokens, sampling } = asked;
  const request = { path, prefix: asked.prefix, suffix: asked.suffix, related: [] };
  const { prefix, suffix, restore } = documentOf(request);
  const { thought, reader, maxLines, signal, deadline } = options;
  const fit = logprobs === undefined ? fitting(prefix, suffix, path) : (text: string) => text;
  const writing = engine.generate(request, {
    maxTokens,
    maxLines,
    sampling,
    thought,
    reader,
    signal,
    top: logprobs ?? 0,
  });
  const tokens: GeneratedToken[] = [];
  const sent = new ChunkCursor(logprobs !== undefined);
  let end: Generation | undefined;
  try {
    while (end === undefined) {
      const { value, done } = await writing.next();
      if (done) {
        end = { ...value, text: cutAtStop(value.text, stop) ?? value.text };
        break;
      }
      tokens.push(value);
      const stopped = cutAtStop(value.text, stop);
      if (stopped !== undefined) end = { text: stopped, stop: 'end' };
      else if (performance.now() > deadline) end = { text: value.text, stop: 'time' };
      const whole = end ? '' : fit(wholeLines(value.text.slice(0, stableLength(value.text, stop))));
      const chunk = sent.next(whole, tokens);
      if (chunk) yield { ...chunk, text: restore(chunk.text) };
    }
  } finally {
    // Whoever hangs up leaves the model to the next one.
    await writing.return(end ?? { text: '', stop: 'aborted' });
  }
  const last = sent.next(fit(end.text), tokens);
  if (last) yield { ...last, text: restore(last.text) };
  const { prefixTokens, suffixTokens } = engine.window(request);
  const finish = end.stop === 'length' || end.stop === 'time' ? 'length' : 'stop';
  return { finish, prompt: prefixTokens + suffixTokens, tokens: tokens.length };
}

/** Fits a text to its place, in such a way that it can be put in at the cursor. */
function fitting(prefix: string, suffix: string, path: string): (text: string) => string {
  const trim = trimmer(prefix, suffix, path);
  return (text) => {
    const { text: fitted, replaceSuffix } = trim(text);
    return withoutCovered(fitted, suffix.slice(0, replaceSuffix));
  };
}

/** What has been sent of a text, and which tokens say it. */
class ChunkCursor {
  readonly #withTokens: boolean;
  #text = '';
  #tokens = 0;
  #bytes = 0;

  constructor(withTokens: boolean) {
    this.#withTokens = withTokens;
  }

  /** The part of `text` that has not been sent; undefined where there is none, or where it no longer goes on from what was. */
  next(text: string, tokens: readonly GeneratedToken[]): TextChunk | undefined {
    if (text.length <= this.#text.length || !text.startsWith(this.#text)) return undefined;
    const chunk = text.slice(this.#text.length);
    this.#text = text;
    return { text: chunk, logprobs: this.#withTokens ? this.#logprobs(tokens) : null };
  }

  /** Of the tokens that begin in what has been sent by now. */
  #logprobs(tokens: readonly GeneratedToken[]): TokenLogprobs {
    const length = Buffer.byteLength(this.#text);
    const said: { token: GeneratedToken; offset: number }[] = [];
    for (; this.#tokens < tokens.length; this.#tokens++) {
      const token = tokens[this.#tokens]!;
      if (this.#bytes >= length) break;
      // What healing wrote again is before the cursor.
      if (token.bytes.length > 0) said.push({ token, offset: textAt(this.#text, this.#bytes) });
      this.#bytes += token.bytes.length;
    }
    return {
      tokens: said.map(({ token }) => tokenText(token.bytes)),
      token_logprobs: said.map(({ token }) => token.logprob),
      top_logprobs: said.map(({ token }) =>
        Object.fromEntries(token.top.map(({ bytes, logprob }) => [tokenText(bytes), logprob])),
      ),
      text_offset: said.map(({ offset }) => offset),
    };
  }
}

/** Where a text goes on after so many of its bytes, in UTF-16 units. */
function textAt(text: string, bytes: number): number {
  return Buffer.from(text)
    .subarray(0, bytes)
    .toString('utf8')
    .replace(/\uFFFD+$/, '').length;
}

const strict = new TextDecoder('utf-8', { fatal: true });

/** A token as the API shows it: what is no whole character by its bytes. */
export function tokenText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return `bytes:${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
  }
}
