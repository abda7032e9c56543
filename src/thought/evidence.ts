import type { Manifest } from '../model/manifest';
import type { Tokenizer } from '../model/tokenizer';
import { countNewlines, stableStart, textLines } from '../text';
import { chunkFormat, type Example } from './chunkFormat';
import type { ChunkInfo } from './thought';

/** A stretch of text outside the window. */
export interface EvidenceSource {
  readonly path: string;
  readonly text: string;
  /** Characters of the file before the text. */
  readonly start: number;
  /** Line of the file at which the text begins, 1-based. */
  readonly line: number;
  /** Which end of the text lies next to the cursor. */
  readonly nearest: 'start' | 'end';
  /** Whether it is text of the file in which the cursor stands. */
  readonly own: boolean;
  /** Lines of the file that were changed recently, 1-based. */
  readonly edited?: ReadonlySet<number> | undefined;
}

/** One piece of evidence: a stretch of text as the decoder reads it, and what to predict in it. */
export interface Chunk extends ChunkInfo, Example {
  /** Equal for equal tokens under an equal path. */
  readonly key: string;
  /** The text as it stands in the file. */
  readonly text: string;
}

export interface Evidence {
  /** What was changed recently first, then what is nearest to the cursor. */
  readonly chunks: readonly Chunk[];
  /** What comes after them in that order: too much for gradients, but it can be read once. */
  readonly extraChunks: readonly Chunk[];
  /** Share of the sources' characters that the chunks hold, 0 to 1. */
  readonly coverage: number;
  /** Chunks for which there is room, but in this update no time (`followEvidence`); none by default. */
  readonly waiting?: number;
}

export interface EvidenceLimits {
  /** Tokens of a chunk, header included. */
  readonly tokens: number;
  /** Chunks in all. */
  readonly count: number;
  /** Extra chunks, which are only read for the kNN datastore; none by default. */
  readonly extraChunks?: number;
}

/** Default cap on the chunks of one thought. */
export const MAX_CHUNKS = 16;

/**
 * Default cap on the chunks that are only read: each takes two fifths of the time of one gradient, once. Three times as
 * many took nothing more off the negative log-likelihood (docs/experiments/2026-11-30-what-evidence-is-worth.md).
 */
export const MAX_EXTRA_CHUNKS = 16;

/** A chunk with fewer text tokens says too little; training leaves it out, too. */
const MIN_TOKENS = 16;

/** One chunk in this many is a validation chunk. */
const HELD_OUT_EVERY = 5;

/** Share of the chunks that other files get when there are any, however long the open file is. */
export const RELATED_SHARE = 0.25;

/** Text is looked at in blocks of this many characters from the near end: chunks of a file of 5 MB cost no more. */
const BLOCK = 1 << 15;

/**
 * Cuts what lies outside the window into chunks and chooses the nearest.
 * A chunk consists of whole lines where they are not too long, and begins, where it can, at the beginning of a top-level
 * block: so an edit changes the chunk it falls into and leaves the others as they were.
 */
export function collectEvidence(
  sources: readonly EvidenceSource[],
  tokenizer: Tokenizer,
  prompt: Pick<Manifest, 'specialTokens' | 'prompt'>,
  limits: EvidenceLimits,
): Evidence {
  const cutOf = (source: EvidenceSource) => cutPieces(source, tokenizer, prompt, limits);
  const own = sources.filter((source) => source.own).flatMap((source) => [...cutOf(source)]);
  const near = own.sort((a, b) => Number(isEdited(b)) - Number(isEdited(a)) || a.distance - b.distance);
  // Of other files only what is taken is cut and encoded: there may be hundreds.
  const others = roundRobin(sources.filter((source) => !source.own).map(cutOf));
  const reserved = take(others, Math.floor(limits.count * RELATED_SHARE));
  const nearest = near.slice(0, limits.count - reserved.length);
  const different = distinct();
  const pieces = take(different(chain(nearest, reserved, others)), limits.count);
  const extraCount = limits.extraChunks ?? 0;
  const related = take(others, Math.floor(extraCount * RELATED_SHARE));
  const beyond = near.slice(nearest.length, nearest.length + extraCount - related.length);
  const extra = take(different(chain(beyond, related, others)), extraCount);
  // Of what was changed recently nothing is held out.
  const unchanged = pieces.filter((piece) => !isEdited(piece));
  const second = Math.min(1, unchanged.length - 1);
  const heldOut = new Set(pieces.length > 1 ? unchanged.filter((_, index) => index % HELD_OUT_EVERY === second) : []);
  const chunks = pieces.map((piece) => ({ ...piece.chunk, heldOut: heldOut.has(piece) }));
  const extraChunks = extra.map(({ chunk }) => ({ ...chunk, heldOut: false }));
  return { chunks, extraChunks, coverage: coverageOf(chunks, sources) };
}

/** Share of the sources' characters that chunks hold, 0 to 1. */
export function coverageOf(chunks: readonly Chunk[], sources: readonly EvidenceSource[]): number {
  const charactersOf = (texts: readonly { readonly text: string }[]) =>
    texts.reduce((sum, { text }) => sum + text.length, 0);
  const characters = charactersOf(sources);
  return characters === 0 ? 0 : Math.min(1, charactersOf(chunks) / characters);
}

/** A chunk before it is decided whether it is held out, and where it stands. */
export interface Placed {
  readonly chunk: Omit<Chunk, 'heldOut'>;
  /** Characters of the file before it. */
  readonly start: number;
}

interface Piece extends Placed {
  /** Characters between the window and the piece. */
  readonly distance: number;
}

export function isEdited({ chunk }: Placed): boolean {
  return chunk.edited === true;
}

/** Evidence counts once: of equal chunks, the nearest, however often this is asked. */
export function distinct(): <P extends Placed>(pieces: Iterable<P>) => Generator<P> {
  const seen = new Set<string>();
  return function* (pieces) {
    for (const piece of pieces) {
      if (!seen.has(piece.chunk.key)) yield piece;
      seen.add(piece.chunk.key);
    }
  };
}

/** The chunks of one source in the order of its text. */
export function* cutPieces(
  source: EvidenceSource,
  tokenizer: Tokenizer,
  prompt: Pick<Manifest, 'specialTokens' | 'prompt'>,
  limits: EvidenceLimits,
): Generator<Piece> {
  const format = chunkFormat(prompt, source.path, tokenizer, limits.tokens);
  const { capacity } = format;
  if (capacity < MIN_TOKENS) return;
  const enough = BLOCK * Math.ceil(limits.count / MAX_CHUNKS);
  const from = source.nearest === 'end' ? stableStart(source.text, enough, { block: BLOCK, reach: BLOCK / 2 }) : 0;
  const text = source.nearest === 'end' ? source.text.slice(from) : source.text.slice(0, 2 * enough);
  const firstLine = source.line + countNewlines(source.text, 0, from);

  for (const span of packLines(text, tokenizer, capacity)) {
    if (span.tokens.length < MIN_TOKENS) continue;
    const example = format.example(span.lines);
    if (!example || example.targets.length < MIN_TOKENS) continue;
    const distance = source.nearest === 'end' ? text.length - span.to : span.from;
    const line = firstLine + span.line;
    const last = line + countNewlines(text.slice(span.from, span.to).trimEnd());
    const edited = isAnyIn(source.edited, line, last);
    yield {
      start: source.start + from + span.from,
      distance,
      chunk: {
        key: `${source.path}\n${span.tokens.join(' ')}`,
        text: text.slice(span.from, span.to),
        path: source.path,
        line,
        tokens: example.weights.reduce((sum, weight) => sum + weight, 0),
        ...(edited && { edited }),
        ...example,
      },
    };
  }
}

/** Whether any of some lines is between two others, both included. */
export function isAnyIn(lines: ReadonlySet<number> | undefined, from: number, to: number): boolean {
  if (lines) for (const line of lines) if (line >= from && line <= to) return true;
  return false;
}

interface LineSpan {
  tokens: number[];
  /** The same line by line. */
  lines: (readonly number[])[];
  /** Characters [from, to) of the text. */
  from: number;
  to: number;
  /** Lines of the text before the span. */
  line: number;
}

/** Packs lines into spans of at most `capacity` tokens; a line that is longer by itself is cut between tokens. */
export function* packLines(text: string, tokenizer: Tokenizer, capacity: number): Generator<LineSpan> {
  let span: LineSpan = { tokens: [], lines: [], from: 0, to: 0, line: 0 };
  function* open(line: number): Generator<LineSpan> {
    if (span.tokens.length > 0) yield span;
    span = { tokens: [], lines: [], from: span.to, to: span.to, line };
  }
  let end = 0;
  let blankBefore = false;
  for (const [line, content] of textLines(text).entries()) {
    end += content.length;
    const tokens = tokenizer.encodePiece(content);
    const blank = content.trim() === '';
    const opensBlock = blankBefore && !blank && !/^[\s})\]]/.test(content);
    blankBefore = blank;
    if (span.tokens.length + tokens.length > capacity || (opensBlock && span.tokens.length >= capacity / 2))
      yield* open(line);
    for (let at = 0; at < tokens.length; at += capacity) {
      if (at > 0) yield* open(line);
      const part = tokens.slice(at, at + capacity);
      span.tokens.push(...part);
      span.lines.push(part);
      span.to += tokenizer.decode(part).length;
    }
    span.to = end;
  }
  yield* open(0);
}

/** One item of each in turn. */
export function* roundRobin<Item>(iterators: readonly Iterator<Item>[]): Generator<Item> {
  for (let left = [...iterators]; left.length > 0;) {
    const going: Iterator<Item>[] = [];
    for (const iterator of left) {
      const next = iterator.next();
      if (next.done) continue;
      going.push(iterator);
      yield next.value;
    }
    left = going;
  }
}

function* chain<Item>(...parts: readonly Iterable<Item>[]): Generator<Item> {
  for (const part of parts) yield* part;
}

/** The first items, at most so many; what comes after them can still be taken. */
export function take<Item>(items: Iterator<Item>, count: number): Item[] {
  const taken: Item[] = [];
  while (taken.length < count) {
    const next = items.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}
