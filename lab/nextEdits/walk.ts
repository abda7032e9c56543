import type { Candidate } from '../../src/edits/candidate';
import { EDIT_WEIGHTS, rated } from '../../src/edits/confidence';
import { findEdits, type EditedText } from '../../src/edits/find';
import { EditHistory, type TextEdit } from '../../src/edits/history';
import type { Commit } from './histories';
import { openReading, type LiveReading } from './readings';
import { stepsOf, Way } from './steps';

/** A candidate after one edit of a commit. */
export interface Observation {
  readonly candidate: Candidate;
  /** The edits to come that it makes or goes on with; undefined if it is wrong. */
  readonly makes: readonly string[] | undefined;
  /** log p(new) − log p(old) there, by a model; undefined where none was asked. */
  readonly gain: number | undefined;
}

/** What could be offered after one edit of a commit. */
export interface Moment {
  /** The edit that has just been made. */
  readonly edit: string;
  readonly observations: readonly Observation[];
}

/** A commit as somebody may have made it, edit by edit. */
export interface Walk {
  readonly owner: string;
  readonly edits: number;
  readonly moments: readonly Moment[];
}

/** Says how much more likely the new text is than the old one at a place of a document. */
export type Judge = (path: string, text: string, edit: TextEdit) => Promise<number>;

/** A commit of more edits is a formatter's, or a rename that a tool made. */
const MAX_EDITS = 60;

/** Candidates that a model is asked about after each edit: those that come first. */
const JUDGED = 4;

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
 * @param times milliseconds that finding took, are added here
 * @returns undefined for a commit with one edit only, or with too many
 */
export async function walk(commit: Commit, judge: Judge | undefined, times: number[]): Promise<Walk | undefined> {
  const changed = commit.files.flatMap((file) => {
    const steps = stepsOf(file);
    return steps && steps.length > 0 ? [{ file, steps }] : [];
  });
  const edits = changed.reduce((sum, { steps }) => sum + steps.length, 0);
  if (edits < 2 || edits > MAX_EDITS) return undefined;
  const files: OpenFile[] = [];
  for (const { file, steps } of changed) {
    const live = await openReading(file.path, file.before);
    files.push({ way: new Way(file.path, file.before, steps), history: new EditHistory(), live });
  }
  const moments: Moment[] = [];
  let now = 0;
  for (const file of files) {
    let lastLine = -1;
    for (let index = 0; index < file.way.length; index++) {
      const line = file.way.lineOf(index);
      const change = file.way.make(index);
      now += index > 0 && line === lastLine ? PACE_MS : PAUSE_MS;
      lastLine = line;
      file.history.changed(change, now);
      file.live.changed(file.way.text, change);
      const observations = await observe(files, file, now, judge, times);
      moments.push({ edit: `${file.way.path}#${index}`, observations });
    }
  }
  for (const { live } of files) live.close();
  return { owner: commit.owner, edits, moments };
}

async function observe(
  files: readonly OpenFile[],
  current: OpenFile,
  now: number,
  judge: Judge | undefined,
  times: number[],
): Promise<Observation[]> {
  const documents: EditedText[] = [];
  let time = 0;
  for (const { way, history, live } of [current, ...files.filter((other) => other !== current)]) {
    const began = performance.now();
    const reading = await live.reading();
    if (live.atOnce) time += performance.now() - began;
    documents.push({ uri: way.path, text: way.text, reading, recent: history.recent(way.text, now) });
  }
  const began = performance.now();
  const found = inOrder(findEdits(documents));
  times.push(time + performance.now() - began);
  const ways = new Map(files.map(({ way }) => [way.path, way]));
  const observations: Observation[] = [];
  for (const [rank, candidate] of found.entries()) {
    const way = ways.get(candidate.uri)!;
    const makes = way.onTheWay(candidate)?.map((index) => `${way.path}#${index}`);
    const gain = judge && rank < JUDGED ? await judge(way.path, way.text, candidate) : undefined;
    observations.push({ candidate, makes, gain });
  }
  return observations;
}

/** As they are judged in the editor: the surest first, as far as that can be said without a model. */
function inOrder(found: readonly Candidate[]): readonly Candidate[] {
  const plain = EDIT_WEIGHTS['found'];
  return plain ? rated(found, plain).map(({ candidate }) => candidate) : found;
}
