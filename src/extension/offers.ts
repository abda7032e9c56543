/**
 * What becomes of a suggestion, inferred from what an extension is told: which items it gave, how the document changed,
 * when a whole item was accepted. A pure state machine over one suggestion at a time.
 */
import type { StatisticsEvent } from './statistics';

/** A suggestion that the editor was given. */
export interface Offer {
  readonly uri: string;
  /** Where what is left of it would be written. */
  readonly offset: number;
  readonly left: string;
  /** Characters of it that came last, by one action. */
  readonly last: number;
  /** When it came, in milliseconds. */
  readonly since: number;
  readonly partly: boolean;
  /** What could be chosen instead, until something of this one was typed or accepted. */
  readonly others: readonly string[];
}

/** What follows from an event. */
export interface Followed {
  readonly offer: Offer | undefined;
  readonly events: StatisticsEvent[];
}

export type OfferEvent =
  | {
      readonly type: 'offered';
      readonly uri: string;
      readonly offset: number;
      readonly text: string;
      /** What can be chosen instead of it. */
      readonly others?: readonly string[];
      readonly now: number;
    }
  | {
      readonly type: 'changed';
      readonly uri: string;
      readonly offset: number;
      readonly inserted: string;
      readonly now: number;
    }
  /** The editor says that the whole was accepted. */
  | { readonly type: 'accepted' }
  /** The cursor is in another document. */
  | { readonly type: 'left'; readonly now: number };

/** What stands for less than this many milliseconds has not been seen. */
const SEEN_MS = 250;

export function follow(offer: Offer | undefined, event: OfferEvent): Followed {
  switch (event.type) {
    case 'offered': {
      const { uri, offset, text, others = [], now } = event;
      if (offer?.uri === uri && offer.offset === offset && offer.left === text) {
        return { offer: { ...offer, others }, events: [] };
      }
      const fresh: Offer = { uri, offset, left: text, last: 0, since: now, partly: false, others };
      return { ...close(offer, now), offer: fresh };
    }
    case 'accepted': {
      const events: StatisticsEvent[] = [{ type: 'accepted', characters: offer?.last ?? 0 }];
      const all: StatisticsEvent[] = offer?.partly ? events : [{ type: 'shown' }, ...events];
      return { offer: undefined, events: all };
    }
    case 'left':
      return close(offer, event.now);
    case 'changed': {
      const { uri, offset, inserted, now } = event;
      if (!offer || offer.uri !== uri) return { offer, events: [] };
      // What is accepted may be written from the suggestion's own beginning on, over what was typed of it.
      const part = offset <= offer.offset ? inserted.slice(offer.offset - offset) : '';
      const chosen = part === '' ? undefined : [offer.left, ...offer.others].find((text) => text.startsWith(part));
      if (chosen === undefined) return close(offer, now);
      const left = chosen.slice(part.length);
      const rest = { ...offer, offset: offer.offset + part.length, left, last: part.length, others: [] };
      // All of it at once: the editor is about to say that it was accepted.
      if (left === '') return inserted.length > 1 ? { offer: rest, events: [] } : close(rest, now);
      if (inserted.length === 1) return { offer: rest, events: [] };
      const taken: StatisticsEvent = { type: 'partly', characters: part.length, first: !offer.partly };
      const parted = { ...rest, partly: true };
      return { offer: parted, events: offer.partly ? [taken] : [{ type: 'shown' }, taken] };
    }
  }
}

/** A suggestion goes away without having been accepted as a whole. */
function close(offer: Offer | undefined, now: number): Followed {
  // What was typed to its end was right, and not accepted: that says neither.
  if (!offer || offer.partly || offer.left === '' || now - offer.since < SEEN_MS)
    return { offer: undefined, events: [] };
  return { offer: undefined, events: [{ type: 'shown' }, { type: 'dismissed' }] };
}

/** A stretch of a document, in characters. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Where a stretch is after a change: text inside of it grows or shrinks with what is written there. */
export function shifted(
  { start, end }: Stretch,
  change: { offset: number; removed: number; inserted: number },
): Stretch {
  const { offset, removed, inserted } = change;
  const after = offset + removed;
  const move = (at: number) => (at >= after ? at + inserted - removed : Math.min(at, offset + inserted));
  if (offset >= end) return { start, end };
  return { start: after <= start ? move(start) : Math.min(start, offset), end: move(end) };
}

/** Longer texts are compared by their beginnings. */
const COMPARED = 400;

/** Whether accepted text is still there in substance: fewer than half of its characters have changed. */
export function stillThere(accepted: string, now: string): boolean {
  const before = accepted.replace(/\s+/g, ' ').trim().slice(0, COMPARED);
  if (before === '') return now.trim() === '';
  const text = now
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 2 * COMPARED);
  return text.includes(before) || editDistance(before, text) < before.length / 2;
}

/** Characters to insert, delete or replace (Levenshtein). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same));
    }
    row = next;
  }
  return row[b.length]!;
}
