import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Completion, TokenLogprobs, Usage } from '../api/objects';
import type { CompletionEnd, TextChunk } from './answer';
import { beginEvents, event, sendJson } from './http';

type Chunks = AsyncGenerator<TextChunk, CompletionEnd>;

/**
 * Sends an answer as one object.
 * @param gone whether nobody wants it any more
 */
export async function sendWhole(
  model: string,
  chunks: Chunks,
  response: ServerResponse,
  gone: AbortSignal,
): Promise<CompletionEnd> {
  const part = parts(model);
  const all: TextChunk[] = [];
  for (;;) {
    const { value, done } = await chunks.next();
    if (!done) {
      all.push(value);
      continue;
    }
    const text = all.map((chunk) => chunk.text).join('');
    if (!gone.aborted) sendJson(response, 200, part(text, joinLogprobs(all), value.finish, usageOf(value)));
    return value;
  }
}

/**
 * Sends an answer as events, a chunk each. It is short: what a slow client has not read waits in memory, and nobody else
 * for it.
 * @param includeUsage whether the last object counts tokens
 */
export async function sendEvents(
  model: string,
  chunks: Chunks,
  response: ServerResponse,
  includeUsage: boolean,
): Promise<CompletionEnd> {
  const part = parts(model);
  for (;;) {
    const { value, done } = await chunks.next();
    if (!response.headersSent && !response.destroyed) beginEvents(response);
    if (!done) {
      response.write(event(part(value.text, value.logprobs, null)));
      continue;
    }
    response.write(event(part('', null, value.finish)));
    if (includeUsage) response.write(event({ ...part('', null, null), choices: [], usage: usageOf(value) }));
    response.end('data: [DONE]\n\n');
    return value;
  }
}

/** Makes the objects of one answer: they share id and time. */
function parts(model: string) {
  const id = `cmpl-${randomUUID()}`;
  const created = Math.floor(Date.now() / 1000);
  return (
    text: string,
    logprobs: TokenLogprobs | null,
    finish: 'stop' | 'length' | null,
    usage?: Usage,
  ): Completion => ({
    id,
    object: 'text_completion',
    created,
    model,
    choices: [{ index: 0, text, logprobs, finish_reason: finish }],
    ...(usage && { usage }),
  });
}

function usageOf({ prompt, tokens }: CompletionEnd): Usage {
  return { prompt_tokens: prompt, completion_tokens: tokens, total_tokens: prompt + tokens };
}

function joinLogprobs(chunks: readonly TextChunk[]): TokenLogprobs | null {
  const all = chunks.flatMap(({ logprobs }) => logprobs ?? []);
  if (all.length === 0) return null;
  return {
    tokens: all.flatMap(({ tokens }) => tokens),
    token_logprobs: all.flatMap(({ token_logprobs }) => token_logprobs),
    top_logprobs: all.flatMap(({ top_logprobs }) => top_logprobs),
    text_offset: all.flatMap(({ text_offset }) => text_offset),
  };
}
