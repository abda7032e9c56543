/** Small weights, what describes them, and servers on this machine that send them well or badly. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import type { ModelDescription } from '../../../src/adopt/sources/description';
import { randomFrom } from '../../../src/model/random';

const random = randomFrom(1);

/** Begins as a GGUF file does, and is long enough to come in many pieces. */
export const weights = Buffer.concat([
  Buffer.from('GGUF'),
  Buffer.from(Array.from({ length: 300_000 }, () => Math.floor(256 * random()))),
]);

export function sum(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export const wanted = { bytes: weights.length, sha256: sum(weights) };

export function describing(sources: ModelDescription['sources']): ModelDescription {
  return {
    name: 'coder',
    title: 'Small',
    file: 'small.gguf',
    ...wanted,
    licence: { spdx: 'MIT', copyright: 'Copyright nobody', text: 'MIT.txt', notice: 'Made by a test.' },
    page: 'nowhere',
    sources,
  };
}

/** Answers one request; `turn` counts them from 0. */
export type Answer = (response: ServerResponse, request: IncomingMessage, turn: number) => void;

export interface Served {
  readonly address: string;
  /** The `Range` of each request. */
  readonly ranges: (string | undefined)[];
}

/** A server on this machine until the tests of the file are over. */
export async function serve(answer: Answer): Promise<Served> {
  const ranges: (string | undefined)[] = [];
  const listener: RequestListener = (request, response) => {
    ranges.push(request.headers.range);
    response.on('error', () => undefined);
    answer(response, request, ranges.length - 1);
  };
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/small.gguf`, ranges };
}

/** Sends bytes as a good server does: from where it was asked to. */
export function send(response: ServerResponse, request: IncomingMessage, bytes: Buffer = weights): void {
  const from = fromOf(request);
  response.writeHead(from > 0 ? 206 : 200, headersFrom(from, bytes));
  response.end(bytes.subarray(from));
}

/** Sends so many bytes, then breaks off. */
export function breakOff(response: ServerResponse, request: IncomingMessage, count: number): void {
  const from = fromOf(request);
  response.writeHead(from > 0 ? 206 : 200, headersFrom(from, weights));
  response.write(weights.subarray(from, from + count), () => response.socket?.destroy());
}

function fromOf({ headers }: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
}

function headersFrom(from: number, bytes: Buffer) {
  return {
    'content-type': 'application/octet-stream',
    'content-length': bytes.length - from,
    ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
  };
}
