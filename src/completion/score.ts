import type { Bundle } from '../model/bundle';
import type { Conditioning, Decoder } from '../model/decoder';
import { normaliseNewlines, textLines } from '../model/lines';
import type { Tokenizer } from '../model/tokenizer';
import { consume, logProbability } from './heal';
import type { CompletionRequest, Score } from './types';
import { blockStart, cutWindow, RESERVE } from './window';

/**
 * −log p(target | window) under a thought, teacher-forced, in nats. The target is read as the model would write it:
 * tokens that reach across the cursor are taken whole, given the bytes that stand before it. A target longer than half
 * the window is scored piece by piece, each piece after a window that ends with the one before.
 */
export async function scoreTarget(
  decoder: Decoder,
  bundle: Bundle,
  request: CompletionRequest,
  target: string,
  thought: Conditioning,
): Promise<Score> {
  const text = normaliseNewlines(target);
  const limit = Math.floor(bundle.manifest.window.tokens / 2);
  let nats = 0;
  let prefix = request.prefix;
  for (const piece of pieces(text, bundle.tokenizer, limit)) {
    nats += await scorePiece(decoder, bundle, { ...request, prefix }, piece, thought);
    prefix += piece;
  }
  return { nats, bytes: Buffer.byteLength(text) };
}

async function scorePiece(
  decoder: Decoder,
  { tokenizer, manifest }: Bundle,
  request: CompletionRequest,
  target: string,
  thought: Conditioning,
): Promise<number> {
  const line = request.prefix.slice(Math.max(request.prefix.lastIndexOf('\n') + 1, blockStart(request.prefix)));
  const before = tokenizer.encode(line);
  const joined = tokenizer.encode(line + target);
  const shared = sharedLength(before, joined);
  const wanted = joined.slice(shared);
  const { head, prefix } = cutWindow(request, tokenizer, manifest, Math.max(RESERVE, wanted.length));
  const kept = prefix.slice(0, prefix.length - Math.min(prefix.length, before.length - shared));
  let need: Uint8Array = Buffer.concat(before.slice(shared).map((id) => tokenizer.bytes(id)));

  const tokens = [...head, ...kept, ...wanted];
  // The logits after a token predict the next one: those after the last token of the target are of no use.
  const logits = await decoder.logits(tokens.slice(0, -1), thought, wanted.length);
  const size = manifest.architecture.vocabulary;
  let nats = 0;
  wanted.forEach((token, i) => {
    nats -= logProbability(logits.subarray(i * size, (i + 1) * size), token, need, tokenizer);
    need = consume(need, tokenizer.bytes(token)).need;
  });
  return nats;
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
