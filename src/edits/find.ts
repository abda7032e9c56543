import type { EditCandidate, Facts, OpenText } from './candidate';
import { smallest, wholeWords, type RecentEdit, type TextEdit } from './history';
import { isAnchor, patternOf, repeatsIn, type Pattern, type Repeat } from './repeat';
import { isName, lineAt } from './tokens';
import { countNewlines } from '../text';

/** A document with what was edited in it recently, the latest first. */
export interface EditedText extends OpenText {
  readonly recent: readonly RecentEdit[];
}

/** Edits that are gone on with: the last few, wherever they were made. */
const EDITS = 3;

/** Edits of one line within so many milliseconds are one. */
const TOGETHER_MS = 15_000;

/** Candidates of one edit that are worth judging. */
const MAX_CANDIDATES = 12;

/** What an edit of a document is known by. */
type Source = RecentEdit & { readonly document: EditedText };

/**
 * Edits that may be the next, those of the latest edit first, of each edit the nearest first: where a name still stands
 * that was renamed where it is declared; and where what was edited stands in a like context. In comments and strings
 * there are none, unless the edit was in one.
 * @param documents the open ones; the first is the one that the user is in
 */
export function findEdits(documents: readonly EditedText[]): EditCandidate[] {
  const all = documents.flatMap((document) => document.recent.map((edit) => ({ ...edit, document })));
  const wide = documents.flatMap((document) => joined(document).map((edit) => ({ ...edit, document })));
  const latest = all.sort((a, b) => b.time - a.time).slice(0, EDITS);
  // What was done to a line as a whole says more than its parts.
  const sources = latest.flatMap((edit) => [...wide.filter((whole) => whole.time === edit.time), edit]);
  const found = sources.flatMap((source) => candidatesOf(source, [...all, ...wide], documents));
  // The same place may follow from several edits: the latest says what is to stand there.
  return found.filter((one, i) => found.findIndex((other) => overlap(one, other)) === i);
}

/** Edits of one line, made within a short time, as one: a call is put around something by two. */
function joined({ recent, text }: EditedText): RecentEdit[] {
  return recent.flatMap((latest, i) => {
    const { start, end } = lineAt(text, latest.start);
    const inLine = recent.filter((edit) => edit.start >= start && edit.start + edit.newText.length <= end);
    const near = inLine.filter(({ time }) => Math.abs(latest.time - time) < TOGETHER_MS);
    if (near.length < 2 || near.some(({ time }) => time > latest.time) || recent.indexOf(latest) !== i) return [];
    const inOrder = [...near].sort((a, b) => a.start - b.start);
    const from = inOrder[0]!.start;
    const last = inOrder.at(-1)!;
    const to = last.start + last.newText.length;
    let oldText = '';
    let at = from;
    for (const edit of inOrder) {
      // Edits of whole words may reach into one another.
      if (edit.start < at) return [];
      oldText += text.slice(at, edit.start) + edit.oldText;
      at = edit.start + edit.newText.length;
    }
    return [{ start: from, oldText, newText: text.slice(from, to), time: latest.time }];
  });
}

function candidatesOf(source: Source, all: readonly Source[], documents: readonly EditedText[]): EditCandidate[] {
  const { document } = source;
  const pattern = patternOf(source, document.text);
  if (!pattern) return [];
  const made = all.filter(({ oldText, newText }) => oldText === source.oldText && newText === source.newText);
  const renamed = renamedPlaces(source, pattern);
  const scope = document.reading.scope(source.start);
  // A name of one letter is found everywhere: only where it is declared it says something.
  const repeats = () => documents.flatMap((other) => repeatsIn(pattern, other, editsIn(other, all)));
  const places = renamed ?? (isAnchor(pattern.oldText) ? repeats() : []);
  const open = new Map(documents.map((other) => [other.uri, other]));
  const inScope = places.filter((place) => {
    const there = open.get(place.uri)?.reading.scope(place.start);
    return there !== undefined && (there === 'code' || there === scope);
  });
  const kind = renamed ? 'rename' : 'repeat';
  const origin = sourceOf(source);
  const skipped = passedOver(inScope, made);
  const of = { source, pattern, made: made.length, places: inScope.length, skipped };
  return inScope
    .map((place): EditCandidate => {
      const facts = factsOf(kind, place, of, open.get(place.uri)!);
      return {
        ...editAt(place, pattern, open.get(place.uri)!.text),
        uri: place.uri,
        kind,
        source: origin,
        facts,
      };
    })
    .sort(({ facts: a }, { facts: b }) => similarity(b) - similarity(a) || farther(a, b))
    .slice(0, MAX_CANDIDATES);
}

/** Places that lie between places where the edit was made: whoever passed them over did not want it there. */
function passedOver(places: readonly Repeat[], made: readonly Source[]): number {
  return places.filter(({ uri, start }) => {
    const there = made.filter(({ document }) => document.uri === uri);
    return there.some((edit) => edit.start < start) && there.some((edit) => edit.start > start);
  }).length;
}

/** Where a renamed name still stands in its scope; undefined where the edit renames nothing that is declared there. */
function renamedPlaces({ start, oldText, newText, document }: Source, pattern: Pattern): Repeat[] | undefined {
  if (!isName(oldText) || !isName(newText)) return undefined;
  const stale = document.reading.staleNames?.(start, oldText, newText);
  if (!stale) return undefined;
  const all = repeatsIn(pattern, document, []);
  return stale.flatMap((at) => all.find((place) => place.start === at) ?? []);
}

function factsOf(
  kind: EditCandidate['kind'],
  place: Repeat,
  of: { source: Source; pattern: Pattern; made: number; places: number; skipped: number },
  { uri, text, reading }: OpenText,
): Facts {
  const { source, pattern, made, places, skipped } = of;
  const otherFile = uri !== source.document.uri;
  const names = isName(source.oldText) && isName(source.newText);
  const declared = names && reading.declared?.(source.oldText, place.start) === true;
  const orphaned = names && !declared && reading.declared?.(source.newText, place.start) === true;
  return {
    kind,
    left: place.left,
    right: place.right,
    sameLine: place.sameLine,
    made,
    oldLength: pattern.oldText.length,
    newLength: pattern.newText.length,
    places,
    skipped,
    inserts: source.oldText === '',
    deletes: source.newText === '',
    wordless: !/[\p{L}\p{N}]/u.test(source.oldText + source.newText),
    lines: otherFile
      ? 0
      : countNewlines(text, Math.min(place.start, source.start), Math.max(place.start, source.start)),
    otherFile,
    names,
    orphaned,
    declared,
  };
}

/** The pattern's edit at a place, without the tokens that only told where: of whole words, as it is shown and taken. */
function editAt({ start }: Repeat, { oldText, newText }: Pattern, text: string): TextEdit {
  const edit = smallest({ start, oldText, newText });
  // Here the old text stands, so it is the old text that is widened.
  const turned = wholeWords({ start: edit.start, oldText: edit.newText, newText: edit.oldText }, text);
  return { start: turned.start, oldText: turned.newText, newText: turned.oldText };
}

function sourceOf({ start, oldText, newText, document }: Source): EditCandidate['source'] {
  return { uri: document.uri, start, oldText, newText };
}

function editsIn({ uri }: OpenText, all: readonly Source[]): TextEdit[] {
  return all.filter(({ document }) => document.uri === uri);
}

function similarity({ left, right, sameLine, orphaned }: Facts): number {
  return left + right + (sameLine ? 4 : 0) + (orphaned ? 8 : 0);
}

/** Other files come after all lines of this one. */
function farther(a: Facts, b: Facts): number {
  return Number(a.otherFile) - Number(b.otherFile) || a.lines - b.lines;
}

function overlap(one: EditCandidate, other: EditCandidate): boolean {
  if (one.uri !== other.uri) return false;
  return (
    one.start < other.start + Math.max(1, other.oldText.length) &&
    other.start < one.start + Math.max(1, one.oldText.length)
  );
}
