import type { EditCandidate } from '../../src/edits/candidate';
import { findEdits, type EditedText } from '../../src/edits/find';
import { EditHistory } from '../../src/edits/history';
import type { Commit } from './histories';
import { openReading, type LiveReading } from './liveReading';
import { stepsOf, Way } from './steps';

/** A candidate after one edit of a commit. */
export interface Observation {
  readonly candidate: EditCandidate;
  /** The edits to come that it makes or goes on with; undefined if it is wrong. */
  readonly makes?: readonly string[] | undefined;
}

/** What could be offered after one edit of a commit. */
export interface Moment {
  /** The edit that has just been made. */
  readonly edit: string;
  readonly observations: readonly Observation[];
  /** Milliseconds that finding took. */
  readonly finding: number;
}

/** A commit as somebody may have made it, edit by edit. */
export interface Walk {
  readonly owner: string;
  readonly hash: string;
  readonly edits: number;
  readonly moments: readonly Moment[];
}

/** A commit of more edits is a formatter's, or a rename that a tool made. */
const MAX_EDITS = 60;

/** Milliseconds between two edits of a line, and of others: those are not taken for one. */
const PACE_MS = 1_000;
const PAUSE_MS = 20_000;

interface OpenFile {
  readonly way: Way;
  readonly history: EditHistory;
  readonly live: LiveReading;
}

/**
 * Goes through the edits of a commit in the order of its files, as if somebody made them one after the other with all of
 * these files open, and asks after each what could come next.
 * @returns undefined for a commit with one edit only, or with too many
 */
export async function walk(commit: Commit): Promise<Walk | undefined> {
  const changed = commit.files.flatMap((file) => {
    const steps = stepsOf(file);
    return steps && steps.length > 0 ? [{ file, steps }] : [];
  });
  const edits = changed.reduce((sum, { steps }) => sum + steps.length, 0);
  if (edits < 2 || edits > MAX_EDITS) return undefined;
  const files: OpenFile[] = [];
  for (const { file, steps } of changed) {
    const { path, before } = file;
    const live = await openReading(path, before);
    const way = new Way(path, before, steps);
    files.push({ way, history: new EditHistory(), live });
  }
  const moments: Moment[] = [];
  let now = 0;
  for (const file of files) {
    let lastLine = -1;
    for (let index = 0; index < file.way.length; index++) {
      const line = file.way.lineOf(index);
      now += index > 0 && line === lastLine ? PACE_MS : PAUSE_MS;
      lastLine = line;
      edit(file, index, now);
      moments.push({ edit: `${file.way.path}#${index}`, ...(await observe(files, file, now)) });
    }
  }
  for (const { live } of files) live.close();
  return { owner: commit.owner, hash: commit.hash, edits, moments };
}

function edit({ way, history, live }: OpenFile, index: number, now: number): void {
  const change = way.make(index);
  history.changed(change, now);
  live.changed(way.text, change);
}

async function observe(files: readonly OpenFile[], current: OpenFile, now: number): Promise<Omit<Moment, 'edit'>> {
  const documents: EditedText[] = [];
  let finding = 0;
  for (const { way, history, live } of [current, ...files.filter((other) => other !== current)]) {
    const began = performance.now();
    const reading = await live.reading();
    if (live.atOnce) finding += performance.now() - began;
    documents.push({ uri: way.path, text: way.text, reading, recent: history.recent(way.text, now) });
  }
  const began = performance.now();
  const found = findEdits(documents);
  finding += performance.now() - began;
  const ways = new Map(files.map(({ way }) => [way.path, way]));
  const observations = found.map((candidate) => {
    const way = ways.get(candidate.uri)!;
    return { candidate, makes: way.onTheWay(candidate)?.map((index) => `${way.path}#${index}`) };
  });
  return { observations, finding };
}
