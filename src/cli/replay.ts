import { diffArrays } from 'diff';
import { textLines } from '../model/lines';
import type { Following } from '../thought/store';

/** One edit: `removed` lines from `line` (0-based) on give way to the inserted ones. */
export interface Hunk {
  /** Counted in the text as it stands when every hunk above has been applied. */
  readonly line: number;
  readonly removed: number;
  /** Lines with their newlines. */
  readonly inserted: readonly string[];
}

/** Files that differ in more lines than this were written anew, not edited. */
const MOST_LINES = 4000;

/**
 * The line hunks that turn one text into the other, from top to bottom.
 * @returns undefined if the texts have too little in common
 */
export function hunksBetween(before: string, after: string): Hunk[] | undefined {
  const changes = diffArrays(textLines(before), textLines(after), { maxEditLength: MOST_LINES });
  if (!changes) return undefined;
  const hunks: Hunk[] = [];
  let line = 0;
  let removed = 0;
  let inserted: string[] = [];
  const close = () => {
    if (removed > 0 || inserted.length > 0) hunks.push({ line, removed, inserted });
    line += inserted.length;
    removed = 0;
    inserted = [];
  };
  for (const change of changes) {
    if (change.removed) removed += change.count;
    else if (change.added) inserted.push(...change.value);
    else {
      close();
      line += change.count;
    }
  }
  close();
  return hunks;
}

/** The lines after an edit. */
export function applyHunk(lines: readonly string[], { line, removed, inserted }: Hunk): string[] {
  return [...lines.slice(0, line), ...inserted, ...lines.slice(line + removed)];
}

/**
 * The document at the moment when the lines that give way are gone and the cursor stands in an empty line, in which the
 * inserted text is about to be written.
 */
export function placeOfHunk(lines: readonly string[], { line, removed }: Hunk): { prefix: string; suffix: string } {
  const rest = lines.slice(line + removed).join('');
  return { prefix: lines.slice(0, line).join(''), suffix: rest === '' ? '' : `\n${rest}` };
}

/** What is written at the hunk's place, without the newline that ends it. */
export function insertedText({ inserted }: Hunk): string {
  return inserted.join('').replace(/\n$/, '');
}

/** Whether a hunk writes anything that could be foretold. */
export function isScorable(hunk: Hunk): boolean {
  return hunk.inserted.some((line) => line.trim() !== '');
}

/** The beginning of a text that has at most `limit` tokens: whole lines where the first ones are not too long. */
export function beginning(text: string, limit: number, countTokens: (text: string) => number): string {
  let end = 0;
  let left = limit;
  for (const line of textLines(text)) {
    const tokens = countTokens(line);
    if (tokens > left) break;
    left -= tokens;
    end += line.length;
  }
  const lines = text.slice(0, end).replace(/\n$/, '');
  if (lines.trim() !== '') return lines;
  // The first line that says anything is too long by itself: half of it, and half of that, until it fits.
  let characters = [...text].slice(0, limit * 32);
  while (characters.length > 1 && countTokens(characters.join('')) > limit) {
    characters = characters.slice(0, Math.floor(characters.length / 2));
  }
  return characters.join('');
}

/** Classes of edits by how many the same session has seen, itself included. */
export const BUCKETS = [
  { name: '1–10', from: 1, to: 10 },
  { name: '11–50', from: 11, to: 50 },
  { name: '51–200', from: 51, to: 200 },
  { name: '>200', from: 201, to: Infinity },
] as const;

/** Index in BUCKETS of the n-th edit of a session, n ≥ 1. */
export function bucketOf(edit: number): number {
  return BUCKETS.findIndex(({ to }) => edit <= to);
}

/** A file edited from release to release: all its hunks in a row. */
export interface EditSession {
  readonly package: string;
  readonly path: string;
  /** Successive releases that hold the file, two or more. */
  readonly versions: readonly string[];
  /** For each edit, whether its inserted text can be scored. */
  readonly scorable: readonly boolean[];
}

export interface Assignment {
  readonly session: EditSession;
  /** Numbers of the edits to score, from 1 on, ascending. */
  readonly edits: readonly number[];
}

/**
 * Which edits the thought must follow in fact so that it is, before each scored edit, what it would be had it followed
 * all of them: a thought made anew does not depend on any before. The first edit is always among them.
 * @param followings how the thought follows each edit, from the first on; undefined where it does not
 * @param scored numbers of edits, from 1 on
 */
export function editsToFollow(followings: readonly (Following | undefined)[], scored: readonly number[]): Set<number> {
  const first = followings.findIndex((following) => following !== undefined) + 1;
  const needed = new Set<number>(first > 0 ? [first] : []);
  for (const edit of scored) {
    const anew = followings.slice(0, edit).lastIndexOf('cold') + 1;
    for (let n = Math.max(first, anew); n <= edit; n++) if (followings[n - 1] !== undefined) needed.add(n);
  }
  return needed;
}

/** Edits of one bucket that one session gives at most, so that no file outweighs the others; fewer if few are wanted. */
const PER_SESSION = 8;

/** No session is replayed further. */
const LONGEST_SESSION = 500;

/**
 * Chooses the edits to score: about as many of each bucket, from many packages and files. The long sessions are chosen
 * first; half of what the other buckets need comes from them, since they are replayed anyway, the rest from sessions that
 * end in that bucket.
 * @param random numbers in [0, 1)
 */
export function choose(sessions: readonly EditSession[], maxEdits: number, random: () => number): Assignment[] {
  const chosen = new Map<EditSession, number[]>();
  let left = maxEdits;
  for (let bucket = BUCKETS.length - 1; bucket >= 0; bucket--) {
    let quota = Math.ceil(left / (bucket + 1));
    const share = Math.min(PER_SESSION, Math.ceil(Math.sqrt(quota)));
    const given = new Set<EditSession>();
    const give = (session: EditSession | undefined) => {
      if (!session || given.has(session) || quota === 0) return;
      given.add(session);
      const edits = sample(scorableIn(session, bucket), Math.min(share, quota), random);
      if (edits.length === 0) return;
      chosen.set(session, [...(chosen.get(session) ?? []), ...edits]);
      quota -= edits.length;
      left -= edits.length;
    };
    const again = shuffle([...chosen.keys()], random);
    const fresh = byTurns(shuffle(sessions, random).filter((session) => !chosen.has(session)));
    const ending = fresh.filter((session) => bucketOf(lengthOf(session)) === bucket);
    for (let i = 0; i < Math.max(again.length, ending.length); i++) {
      give(ending[i]);
      give(again[i]);
    }
    for (const session of fresh) give(session);
  }
  return [...chosen]
    .map(([session, edits]) => ({ session, edits: edits.sort((a, b) => a - b) }))
    .sort((a, b) => compare(a.session.package, b.session.package) || compare(a.session.path, b.session.path));
}

function lengthOf(session: EditSession): number {
  return Math.min(session.scorable.length, LONGEST_SESSION);
}

function scorableIn(session: EditSession, bucket: number): number[] {
  const edits = session.scorable.flatMap((scorable, index) => (scorable ? [index + 1] : []));
  return edits.filter((edit) => bucketOf(edit) === bucket && edit <= LONGEST_SESSION);
}

/** One session of each package, then a second one of each, and so on. */
function byTurns(sessions: readonly EditSession[]): EditSession[] {
  const turns = new Map<string, number>();
  const ranked = sessions.map((session) => {
    const turn = turns.get(session.package) ?? 0;
    turns.set(session.package, turn + 1);
    return { session, turn };
  });
  return ranked.sort((a, b) => a.turn - b.turn).map(({ session }) => session);
}

function sample<Item>(items: readonly Item[], count: number, random: () => number): Item[] {
  return shuffle(items, random).slice(0, count);
}

/** Fisher–Yates. */
export function shuffle<Item>(items: readonly Item[], random: () => number): Item[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j] as Item, shuffled[i] as Item];
  }
  return shuffled;
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
