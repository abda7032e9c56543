import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopbackHost } from '../api/address';
import { ApiError } from './apiError';

/** A request's body, in bytes, at most: a file of a million characters around the cursor, and its JSON. */
export const MAX_BODY = 1 << 22;

/**
 * Whether a request may be answered. With a token, it is asked for; without one only this machine is served, and a page in
 * its browser is not: neither by another name for the same address, nor across origins.
 * @throws ApiError
 */
export function authorize({ headers }: Pick<IncomingMessage, 'headers'>, token: string | undefined): void {
  if (token !== undefined) {
    const [, given = ''] = /^bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
    if (timingSafeEqual(sum(given), sum(token))) return;
    const details = { type: 'authentication_error', code: 'invalid_api_key' };
    throw new ApiError(
      401,
      'the request needs the header "Authorization: Bearer TOKEN" with the token of this server',
      details,
    );
  }
  if (headers.origin !== undefined) throw new ApiError(403, 'pages of a browser are not served without a token');
  const name = (headers.host ?? '').replace(/:\d+$/, '');
  if (!isLoopbackHost(name))
    throw new ApiError(403, `"${name}" is no name of this machine; use 127.0.0.1 or localhost`);
}

/** Of one length, so that comparing them tells nothing of either. */
function sum(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * The JSON body of a request.
 * @throws ApiError where it is too large, or no JSON
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new ApiError(415, 'the body has to be JSON, with the header "Content-Type: application/json"');
  }
  const tooLarge = () => new ApiError(413, `the body has more than ${MAX_BODY} bytes; send less of the file`);
  if (Number(request.headers['content-length']) > MAX_BODY) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new ApiError(400, 'the body is not valid JSON');
  }
}

export function sendJson(response: ServerResponse, status: number, object: unknown): void {
  const text = JSON.stringify(object);
  const length = Buffer.byteLength(text);
  // A body that was not read to its end cannot be followed by another request.
  const closing = response.req.complete ? {} : { connection: 'close' };
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length, ...closing });
  response.end(text);
}

/** Answers with what went wrong; where an answer has begun already, as an event in it. */
export function sendError(response: ServerResponse, error: ApiError): void {
  if (response.headersSent) {
    response.end(event(error.object));
    return;
  }
  if (error.status === 503) response.setHeader('retry-after', '1');
  if (error.status === 401) response.setHeader('www-authenticate', 'Bearer');
  sendJson(response, error.status, error.object);
}

/** One event of a stream. */
export function event(object: unknown): string {
  return `data: ${JSON.stringify(object)}\n\n`;
}

/** Begins a stream of events. */
export function beginEvents(response: ServerResponse): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  });
}
