import type { Bundle } from '../model/bundle';
import type { Conditioning, Decoder } from '../model/decoder';
import { normaliseNewlines, textLines } from '../text';
import type { Manifest } from '../model/manifest';
import type { Tokenizer } from '../model/tokenizer';
import { aroundOf, type LookupContext } from './around';
import { consume, logProbability } from './heal';
import type { HiddenState, LookupMemory, Mix } from './lookupMemory';
import type { CompletionRequest } from './document';
import { blockStart, cutWindow, RESERVE } from './window';

/** Logits of one piece at most: those of a large vocabulary take half a megabyte a token. */
const MAX_LOGITS = 1 << 24;

export interface Score {
  /** −log p of the target after the prefix, in nats. */
  readonly nats: number;
  /** UTF-8 bytes of the target. */
  readonly bytes: number;
}

/** A token of a target, and what the model knew when it was to come. */
export interface ScoredToken {
  readonly token: number;
  /** Of the decoder, [vocabulary]; valid until the next token is asked for. */
  readonly logits: Float32Array;
  /** The text before it, and where the decoder is there, under the thought. */
  readonly context: LookupContext;
  readonly state: HiddenState;
  /** Bytes with which it has to begin, since they stand before the cursor. */
  readonly pendingBytes: Uint8Array;
}

/**
 * −log p(target | window) under a thought, teacher-forced, in nats.
 * @param mix by which others are mixed with the decoder's prediction of each token
 * @param lookup a memory that `mix` looks things up in
 */
export async function scoreTarget(
  decoder: Decoder,
  bundle: Bundle,
  request: CompletionRequest,
  target: string,
  thought: Conditioning,
  mix?: Mix,
  lookup?: LookupMemory,
): Promise<Score> {
  let nats = 0;
  const tokens = readTarget(decoder, bundle, request, target, thought, lookup);
  for await (const { token, logits, context, state, pendingBytes } of tokens) {
    const mixed = mix?.(logits, context, state) ?? logits;
    nats -= logProbability(mixed, token, pendingBytes, bundle.tokenizer);
  }
  return { nats, bytes: Buffer.byteLength(normaliseNewlines(target)) };
}

/**
 * The tokens of a target, each after those before it. The target is read as the model would write it: tokens that reach
 * across the cursor are taken whole, given the bytes that stand before it. A target longer than half the window is read
 * piece by piece, each piece after a window that ends with the one before.
 * @param lookup is shown what stands around each piece: of the target, the pieces before it only
 */
export async function* readTarget(
  decoder: Decoder,
  bundle: Bundle,
  request: CompletionRequest,
  target: string,
  thought: Conditioning,
  lookup?: LookupMemory,
): AsyncGenerator<ScoredToken, void> {
  const { window, architecture } = bundle.manifest;
  const limit = Math.min(Math.floor(window.tokens / 2), Math.floor(MAX_LOGITS / architecture.vocabulary));
  let prefix = request.prefix;
  for (const piece of pieces(normaliseNewlines(target), bundle.tokenizer, limit)) {
    yield* readPiece(decoder, bundle, { ...request, prefix }, piece, thought, lookup);
    prefix += piece;
  }
}

async function* readPiece(
  decoder: Decoder,
  { tokenizer, manifest }: Bundle,
  request: CompletionRequest,
  target: string,
  thought: Conditioning,
  lookup: LookupMemory | undefined,
): AsyncGenerator<ScoredToken, void> {
  const line = continuedText(request, tokenizer, manifest);
  const before = tokenizer.encode(line);
  const joined = tokenizer.encode(line + target);
  const shared = sharedLength(before, joined);
  const wanted = joined.slice(shared);
  const window = cutWindow(request, tokenizer, manifest, Math.max(RESERVE, wanted.length));
  const { head, parts, prefix } = window;
  const { rows, context: contextOf } = aroundOf(window, tokenizer);
  const kept = prefix.slice(0, prefix.length - Math.min(prefix.length, before.length - shared));
  lookup?.show(request, before.length - shared);
  let pendingBytes: Uint8Array = Buffer.concat(before.slice(shared).map((id) => tokenizer.bytes(id)));

  const tokens = [...head, ...kept, ...wanted];
  if (parts) decoder.arrange(head, parts, 0);
  // The logits after a token predict the next one: those after the last token of the target are of no use.
  const logits = await decoder.logits(tokens.slice(0, -1), thought, wanted.length);
  const size = manifest.architecture.vocabulary;
  for (const [i, token] of wanted.entries()) {
    const end = head.length + kept.length + i;
    const context = contextOf(tokens.slice(head.length, end));
    const state = { thought, rows, row: end - 1 };
    yield { token, logits: logits.subarray(i * size, (i + 1) * size), context, state, pendingBytes };
    pendingBytes = consume(pendingBytes, tokenizer.bytes(token)).pendingBytes;
  }
}

/** The text right before the cursor with which tokens of the target may be one: what stands behind the middle marker, or the line. */
function continuedText(request: CompletionRequest, tokenizer: Tokenizer, manifest: Manifest): string {
  const { parts, prefix } = cutWindow(request, tokenizer, manifest);
  if (parts) return tokenizer.decode(prefix);
  return request.prefix.slice(Math.max(request.prefix.lastIndexOf('\n') + 1, blockStart(request.prefix)));
}

function sharedLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

/** Cuts a text into pieces of at most `limit` tokens, at newlines where it can. */
function pieces(text: string, tokenizer: Tokenizer, limit: number): string[] {
  const found: string[] = [];
  let piece = '';
  let length = 0;
  for (const part of textLines(text).flatMap((line) => shortParts(line, tokenizer, limit))) {
    const tokens = tokenizer.encode(part).length;
    if (piece !== '' && length + tokens > limit) {
      found.push(piece);
      piece = '';
      length = 0;
    }
    piece += part;
    length += tokens;
  }
  return piece === '' ? found : [...found, piece];
}

/** A line as it is, or, if it has more tokens than the limit, in parts of so many characters that none can have. */
function shortParts(line: string, tokenizer: Tokenizer, limit: number): string[] {
  if (line.length * 3 <= limit || tokenizer.encode(line).length <= limit) return [line];
  const characters = [...line];
  const size = Math.max(1, Math.floor(limit / 4));
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, i) =>
    characters.slice(i * size, (i + 1) * size).join(''),
  );
}
