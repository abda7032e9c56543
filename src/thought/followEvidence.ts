import type { Manifest } from '../model/manifest';
import type { Tokenizer } from '../model/tokenizer';
import { countNewlines } from '../text';
import {
  coverageOf,
  cutPieces,
  distinct,
  isAnyIn,
  isEdited,
  RELATED_SHARE,
  roundRobin,
  take,
  type Chunk,
  type Evidence,
  type EvidenceLimits,
  type EvidenceSource,
  type Placed,
} from './evidence';

export interface FollowLimits extends EvidenceLimits {
  /** New chunks in one update: of those that get gradients, and of those that are only read. */
  readonly fresh: number;
  readonly freshExtra: number;
}

/** A file as a whole: what the window shows, too. */
export interface WholeText {
  readonly text: string;
  /** Whether the cursor stands in it. */
  readonly own: boolean;
  /** Lines of it that were changed recently, 1-based. */
  readonly edited?: ReadonlySet<number> | undefined;
}

/** What matters of a thought: the chunks that it rests on, and of which of them the gradient is known. */
export interface KnownEvidence {
  readonly evidence: readonly Chunk[];
  readonly gradients: { has(key: string): boolean };
}

/**
 * The evidence of a thought after an edit, after the cursor has moved, or after another file was opened. What the
 * thought rests on and what still stands in the text is kept as it was cut, wherever the window is by now. Of what is
 * new so many chunks are taken as an update has time for: what was changed recently, then what is nearest to the window.
 * @param texts the files, by their paths
 * @param sources stretches of them outside the window
 */
export function followEvidence(
  before: KnownEvidence,
  texts: ReadonlyMap<string, WholeText>,
  sources: readonly EvidenceSource[],
  tokenizer: Tokenizer,
  prompt: Pick<Manifest, 'specialTokens' | 'prompt'>,
  limits: FollowLimits,
): Evidence {
  const { count, extraChunks: extraCount = 0, fresh, freshExtra } = limits;
  const kept = [...texts].flatMap(([path, file]) =>
    stillStanding(
      before.evidence.filter((chunk) => chunk.path === path),
      file,
    ),
  );
  const keys = new Set(kept.map(({ chunk }) => chunk.key));
  function* cut(source: EvidenceSource) {
    for (const gap of gapsOf(source, kept)) {
      for (const piece of cutPieces(gap, tokenizer, prompt, limits)) if (!keys.has(piece.chunk.key)) yield piece;
    }
  }
  const ownSources = sources.filter(({ own }) => own);
  const ownPath = [...texts].find(([, { own }]) => own)?.[0];
  const different = distinct();
  const own = [
    ...kept.filter(({ chunk }) => chunk.path === ownPath),
    ...different(ownSources.flatMap((source) => [...cut(source)])),
  ].sort((a, b) => rankOf(a, ownSources) - rankOf(b, ownSources));
  // Of other files what is known comes first: which of them is nearer cannot be said.
  const others = roundRobin(sources.filter((source) => !source.own).map(cut));
  const related = [
    ...kept.filter(({ chunk }) => chunk.path !== ownPath),
    ...take(different(others), count + extraCount),
  ].sort((a, b) => Number(isEdited(b)) - Number(isEdited(a)));

  const hasGradient = ({ chunk }: Placed) => before.gradients.has(chunk.key);
  const guiding = choose({ own, related }, hasGradient, count, fresh);
  const chosen = new Set(guiding.pieces);
  const left = {
    own: own.filter((piece) => !chosen.has(piece)),
    related: related.filter((piece) => !chosen.has(piece)),
  };
  const extra = choose(left, ({ chunk }) => keys.has(chunk.key), extraCount, freshExtra);

  const roles = new Map(before.evidence.map(({ key, heldOut }) => [key, heldOut]));
  const inRole = ({ chunk }: Placed): Chunk => ({ ...chunk, heldOut: roles.get(chunk.key) ?? false });
  const chunks = guiding.pieces.map(inRole);
  const extraChunks = extra.pieces.map(inRole);
  return { chunks, extraChunks, coverage: coverageOf(chunks, sources), waiting: guiding.waiting };
}

/** Of the open file and of others the first pieces, but only so many new ones. */
function choose(
  { own, related }: { own: readonly Placed[]; related: readonly Placed[] },
  isKnown: (piece: Placed) => boolean,
  count: number,
  fresh: number,
): { pieces: Placed[]; waiting: number } {
  const reserved = Math.min(related.length, Math.floor(count * RELATED_SHARE));
  const first = firstOf(own, isKnown, count - reserved, fresh);
  const admitted = first.filter((piece) => !isKnown(piece)).length;
  const others = firstOf(related, isKnown, count - first.length, fresh - admitted);
  const pieces = [...first, ...others];
  return { pieces, waiting: Math.min(count, own.length + related.length) - pieces.length };
}

/** The first pieces, at most `count`: new ones among them, at most `fresh`, and for the others those that are known. */
function firstOf(
  pieces: readonly Placed[],
  isKnown: (piece: Placed) => boolean,
  count: number,
  fresh: number,
): Placed[] {
  const admitted = pieces
    .slice(0, count)
    .filter((piece) => !isKnown(piece))
    .slice(0, fresh);
  const known = pieces.filter(isKnown).slice(0, count - admitted.length);
  return [...admitted, ...known];
}

/** What was changed recently, then the nearest to the window; last what the window shows itself. */
function rankOf(piece: Placed, sources: readonly EvidenceSource[]): number {
  const { chunk, start } = piece;
  const end = start + chunk.text.length;
  const outside = sources.find((source) => start >= source.start && end <= source.start + source.text.length);
  if (!outside) return Number.MAX_VALUE;
  if (isEdited(piece)) return -1;
  return outside.nearest === 'end' ? outside.start + outside.text.length - end : start - outside.start;
}

/** Chunks of a file where they stand now, in the order of its text, without those whose text is gone. */
function stillStanding(chunks: readonly Chunk[], { text, edited: lines }: WholeText): Placed[] {
  const found = chunks.map((chunk) => ({ chunk, start: text.indexOf(chunk.text) })).filter(({ start }) => start !== -1);
  const line = lineCounter(text);
  return found
    .sort((a, b) => a.start - b.start)
    .map(({ chunk, start }) => {
      const first = 1 + line(start);
      const edited = isAnyIn(lines, first, first + countNewlines(chunk.text.trimEnd()));
      return { start, chunk: { ...chunk, line: first, edited: edited ? true : undefined } };
    });
}

/** Counts the lines before places of a text, each at or behind the one before: a text of 5 MB is gone through once. */
function lineCounter(text: string): (at: number) => number {
  let [counted, count] = [0, 0];
  return (at) => {
    count += countNewlines(text, counted, at);
    counted = at;
    return count;
  };
}

/** What of a source no kept chunk holds. @param kept of each file in the order of its text */
function gapsOf(source: EvidenceSource, kept: readonly Placed[]): EvidenceSource[] {
  const gaps: EvidenceSource[] = [];
  const line = lineCounter(source.text);
  let at = 0;
  const add = (to: number) => {
    if (to <= at) return;
    gaps.push({ ...source, text: source.text.slice(at, to), start: source.start + at, line: source.line + line(at) });
  };
  for (const { start, chunk } of kept.filter((piece) => piece.chunk.path === source.path)) {
    add(Math.min(source.text.length, start - source.start));
    at = Math.max(at, start - source.start + chunk.text.length);
  }
  add(source.text.length);
  return gaps;
}
