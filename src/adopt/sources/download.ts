import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../model/errors';
import { isLoopback, isSafe, type ModelSource } from './description';
import type { Wanted } from './find';
import { Pace, type OnProgress } from './pace';
import { PartFile } from './part';
import { megabytes } from './place';

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Milliseconds after which a silent connection is taken for broken. */
  readonly silenceMs?: number;
  /** Milliseconds before the first new try; each further one waits twice as long. */
  readonly pause?: number;
}

/** How often it is tried again without a byte having come, and at all. */
const MAX_FRUITLESS = 3;
const MAX_TRIES = 100;
const MAX_REDIRECTS = 5;
const MAGIC = Buffer.from('GGUF');

/** A connection that may do better the next time. */
class Broken extends Error {}

/**
 * Fetches a file over https into a place where it appears when it is whole and its sum is right. What has come before a
 * break is kept next to it (`PATH.part`), and the next try continues from there, also that of a later process.
 * @param address https, or http on this machine
 * @throws UserError in one line that names the host, what is wrong, and the remedy; AbortError if it was cancelled
 */
export async function download(address: string, path: string, wanted: Wanted, options: DownloadOptions = {}) {
  const url = new URL(address);
  const part = await PartFile.open(path, wanted, options.signal);
  const pace = new Pace(wanted.bytes, url.host, options.onProgress);
  try {
    for (;;) {
      const { resumed } = part;
      await fetchRest(url, part, pace, options);
      const sum = await part.finish();
      if (sum === undefined) return;
      // What was there before may have been damaged by whatever interrupted it.
      if (!resumed) throw new UserError(`${url.host}: sent another file: SHA-256 ${sum} instead of ${wanted.sha256}`);
    }
  } finally {
    await part.close();
  }
}

/** The same for a source of a description. */
export function downloadSource(
  { address }: Extract<ModelSource, { kind: 'https' }>,
  path: string,
  wanted: Wanted,
  options: DownloadOptions,
): Promise<void> {
  return download(address, path, wanted, options);
}

async function fetchRest(
  url: URL,
  part: PartFile,
  pace: Pace,
  { signal, silenceMs = 30_000, pause = 500 }: DownloadOptions,
) {
  let fruitless = 0;
  for (let tries = 1; part.length < part.wanted.bytes; tries++) {
    const before = part.length;
    try {
      await fetchOnce(url, part, pace, silenceMs, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Broken)) throw error;
      fruitless = part.length > before ? 0 : fruitless + 1;
      if (fruitless >= MAX_FRUITLESS || tries >= MAX_TRIES) throw new UserError(brokenOff(url, part, error));
      await sleep(pause * 2 ** fruitless, undefined, { signal });
    }
  }
}

function brokenOff({ host }: URL, { length, wanted }: PartFile, { message }: Broken): string {
  if (length === 0) return `${host}: cannot be reached (${message}); check the connection`;
  return `${host}: the connection broke off after ${megabytes(length)} of ${megabytes(wanted.bytes)} (${message}); try again to continue from there`;
}

/** One connection: from where the part ends, as far as it goes. */
async function fetchOnce(url: URL, part: PartFile, pace: Pace, silenceMs: number, signal?: AbortSignal): Promise<void> {
  const response = await follow(url, part.length, silenceMs, signal);
  try {
    const from = check(response, url, part);
    if (from !== part.length) await part.restart();
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (part.length === 0 && !chunk.subarray(0, 4).equals(MAGIC.subarray(0, chunk.length))) {
        throw new UserError(`${url.host}: sends something else than a GGUF file: a proxy may have answered`);
      }
      if (part.length + chunk.length > part.wanted.bytes) {
        await part.restart();
        throw new UserError(`${url.host}: sends more than the ${part.wanted.bytes} bytes that the file has`);
      }
      await part.append(chunk);
      pace.update(part.length);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new Broken(codeOf(error));
  } finally {
    response.destroy();
  }
  if (part.length < part.wanted.bytes) throw new Broken('it ended early');
}

/**
 * Refuses an answer that cannot be (the rest of) the file, before any of it is kept.
 * @returns the byte that it begins with
 */
function check({ statusCode = 0, headers }: IncomingMessage, { host }: URL, { length, wanted }: PartFile): number {
  if (statusCode >= 500 || statusCode === 429 || statusCode === 408) throw new Broken(`status ${statusCode}`);
  if (statusCode !== 200 && statusCode !== 206) {
    throw new UserError(`${host}: answers with status ${statusCode}; get the file another way and adopt it from there`);
  }
  if (/^text\/html/i.test(headers['content-type'] ?? '')) {
    throw new UserError(`${host}: a web page came instead of the file: a proxy or a sign-in page may have answered`);
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new UserError(`${host}: sends the file compressed (${headers['content-encoding']}), which was not asked for`);
  }
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers['content-range'] ?? '');
  const from = statusCode === 206 ? Number(range?.[1] ?? NaN) : 0;
  if (statusCode === 206 && from !== length) throw new UserError(`${host}: sends another part than was asked for`);
  const rest = headers['content-length'];
  const total = range ? Number(range[2]) : rest === undefined ? wanted.bytes : from + Number(rest);
  if (total !== wanted.bytes) throw new UserError(`${host}: offers ${total} bytes instead of ${wanted.bytes}`);
  return from;
}

/** Asks for a file from a byte on, and goes where it is sent: to https, and nowhere else but within this machine. */
async function follow(address: URL, from: number, silenceMs: number, signal?: AbortSignal): Promise<IncomingMessage> {
  let url = address;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const response = await ask(url, from, silenceMs, signal);
    const { statusCode = 0, headers } = response;
    if (![301, 302, 303, 307, 308].includes(statusCode)) return response;
    response.destroy();
    if (!URL.canParse(headers.location ?? '', url.href)) throw new UserError(`${url.host}: redirects to nowhere`);
    const next = new URL(headers.location ?? '', url);
    if (!isSafe(next.href) || (isLoopback(next) && !isLoopback(url))) {
      throw new UserError(
        `${url.host}: redirects to ${next.origin}, where nobody is known to answer; nothing was loaded`,
      );
    }
    url = next;
  }
  throw new UserError(`${address.host}: redirects without end`);
}

function ask(url: URL, from: number, silenceMs: number, signal?: AbortSignal): Promise<IncomingMessage> {
  const headers = {
    'accept-encoding': 'identity',
    'user-agent': 'thoughtline',
    ...(from > 0 && { range: `bytes=${from}-` }),
  };
  const get = url.protocol === 'https:' ? httpsGet : httpGet;
  return new Promise((done, fail) => {
    const request = get(url, { headers, timeout: silenceMs, ...(signal && { signal }) }, done);
    request.on('timeout', () => request.destroy(new Error(`silent for ${silenceMs / 1000} s`)));
    request.on('error', (error) => {
      const code = codeOf(error);
      fail(
        /CERT|SIGNED|SSL|TLS/.test(code)
          ? new UserError(
              `${url.host}: its certificate is not trusted (${code}); behind a proxy, name its certificate in NODE_EXTRA_CA_CERTS`,
            )
          : new Broken(code),
      );
    });
  });
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
