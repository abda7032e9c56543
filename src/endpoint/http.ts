import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** An answer is at most so long, in bytes: 64 tokens with their alternatives have some ten thousand. */
const MAX_ANSWER = 1 << 20;

export interface Answered {
  readonly status: number;
  readonly body: string;
}

/**
 * One request and its whole answer. Redirects are not followed: what is sent is for one address.
 * @param object what is posted; undefined: it is only asked for
 * @throws Error in one line, which holds nothing of what was sent or said
 */
export function exchange(
  address: string,
  { token, object, signal }: { token: string | undefined; object?: unknown; signal: AbortSignal },
): Promise<Answered> {
  const url = new URL(address);
  const body = object === undefined ? undefined : JSON.stringify(object);
  const headers = {
    accept: 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
  };
  const method = body === undefined ? 'GET' : 'POST';
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(new Error(reasonOf(error, url.host, signal)));
    const asked = send(url, { method, headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > MAX_ANSWER) response.destroy(new Error('its answer is too long'));
        else chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    asked.on('error', fail);
    asked.end(body);
  });
}

function reasonOf({ message, code }: NodeJS.ErrnoException, host: string, signal: AbortSignal): string {
  if (signal.aborted) return (signal.reason as Error).message;
  // What node says of a connection that ended before the answer did.
  return `${host}: ${code === 'ECONNRESET' ? 'it broke off' : (code ?? message)}`;
}
