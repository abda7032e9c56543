import type { CompletionRequest } from '../../src/completion/engine';
import type { EditCandidate } from '../../src/edits/candidate';
import { EDIT_WEIGHTS, rated } from '../../src/edits/confidence';
import { findEdits, type EditedText } from '../../src/edits/find';
import { EditHistory } from '../../src/edits/history';
import { EditedLines } from '../../src/server/edits';
import { lineAt } from '../../src/edits/tokens';
import type { Commit } from './histories';
import type { FileJudge, Gains, Judge } from './judge';
import { openReading, type LiveReading } from './liveReading';
import { stepsOf, Way } from './steps';

/** A candidate after one edit of a commit. */
export interface Observation {
  readonly candidate: EditCandidate;
  /** The edits to come that it makes or goes on with; undefined if it is wrong. */
  readonly makes?: readonly string[] | undefined;
  /** What a model says of it. */
  readonly gains: Gains;
}

/** What could be offered after one edit of a commit. */
export interface Moment {
  /** The edit that has just been made. */
  readonly edit: string;
  readonly observations: readonly Observation[];
  /** Milliseconds that finding took, and each question to a model. */
  readonly finding: number;
  readonly judging: readonly number[];
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

/** Candidates that a model is asked about after each edit: those that come first. */
const JUDGED = 4;

/** Milliseconds between two edits of a line, and of others: those are not taken for one. */
const PACE_MS = 1_000;
const PAUSE_MS = 20_000;

interface OpenFile {
  readonly before: string;
  readonly way: Way;
  readonly history: EditHistory;
  readonly edited: EditedLines;
  readonly live: LiveReading;
}

/**
 * Goes through the edits of a commit in the order of its files, as if somebody made them one after the other with all of
 * these files open, and asks after each what could come next.
 * @returns undefined for a commit with one edit only, or with too many
 */
export async function walk(commit: Commit, judge?: Judge): Promise<Walk | undefined> {
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
    files.push({ before, way, history: new EditHistory(), edited: new EditedLines(), live });
  }
  const moments: Moment[] = [];
  let now = 0;
  for (const file of files) {
    const fileJudge = judge?.(requestBefore(files, file));
    let lastLine = -1;
    for (let index = 0; index < file.way.length; index++) {
      const line = file.way.lineOf(index);
      now += index > 0 && line === lastLine ? PACE_MS : PAUSE_MS;
      lastLine = line;
      edit(files, file, index, { now, judge: fileJudge });
      moments.push({ edit: `${file.way.path}#${index}`, ...(await observe(files, file, now, fileJudge)) });
    }
  }
  for (const { live } of files) live.close();
  return { owner: commit.owner, hash: commit.hash, edits, moments };
}

function edit(
  files: readonly OpenFile[],
  file: OpenFile,
  index: number,
  { now, judge }: { now: number; judge: FileJudge | undefined },
): void {
  const { way, history, live, edited } = file;
  const textBefore = way.text;
  const change = way.make(index);
  history.changed(change, now);
  live.changed(way.text, change);
  const line = newlines(textBefore.slice(0, change.offset));
  edited.changed(line, line + newlines(change.removed), newlines(change.inserted));
  judge?.edited(requestNow(files, file, change.offset + change.inserted.length));
}

/** A file and the others before the commit, with the cursor where the first edit will be. */
function requestBefore(files: readonly OpenFile[], { way, before }: OpenFile): CompletionRequest {
  const related = files.filter((other) => other.way !== way).map(({ way: { path }, before: text }) => ({ path, text }));
  const at = way.startOf(0);
  return { path: way.path, prefix: before.slice(0, at), suffix: before.slice(at), related };
}

function requestNow(files: readonly OpenFile[], { way, edited }: OpenFile, at: number): CompletionRequest {
  const related = files
    .filter((other) => other.way !== way)
    .map((other) => ({ path: other.way.path, text: other.way.text, edited: other.edited.lines }));
  const [prefix, suffix] = [way.text.slice(0, at), way.text.slice(at)];
  return { path: way.path, prefix, suffix, related, edited: edited.lines };
}

async function observe(
  files: readonly OpenFile[],
  current: OpenFile,
  now: number,
  judge: FileJudge | undefined,
): Promise<Omit<Moment, 'edit'>> {
  const documents: EditedText[] = [];
  let finding = 0;
  for (const { way, history, live } of [current, ...files.filter((other) => other !== current)]) {
    const began = performance.now();
    const reading = await live.reading();
    if (live.atOnce) finding += performance.now() - began;
    documents.push({ uri: way.path, text: way.text, reading, recent: history.recent(way.text, now) });
  }
  const began = performance.now();
  const found = inOrder(findEdits(documents));
  finding += performance.now() - began;
  const ways = new Map(files.map(({ way }) => [way.path, way]));
  const observations: Observation[] = [];
  const judging: number[] = [];
  for (const [rank, candidate] of found.entries()) {
    const way = ways.get(candidate.uri)!;
    const makes = way.onTheWay(candidate)?.map((index) => `${way.path}#${index}`);
    const line = editedLine(candidate, ways);
    const question = { path: way.path, text: way.text, edit: candidate, line };
    const judged = rank < JUDGED ? await judge?.judge(question) : undefined;
    if (judged) judging.push(judged.milliseconds);
    observations.push({ candidate, makes, gains: judged?.gains ?? {} });
  }
  return { observations, finding, judging };
}

/** As they are judged in the editor: the surest first, as far as that can be said without a model. */
function inOrder(found: readonly EditCandidate[]): readonly EditCandidate[] {
  const plain = EDIT_WEIGHTS['found'];
  return plain ? rated(found, plain).map(({ candidate }) => candidate) : found;
}

/** The line that an edit follows from, as it stands now. */
function editedLine({ source }: EditCandidate, ways: ReadonlyMap<string, Way>): string {
  const text = ways.get(source.uri)!.text;
  const { start, end } = lineAt(text, source.start);
  return text.slice(start, end);
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
