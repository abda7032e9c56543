import { countNewlines, isBinary } from '../text';
import type { EvidenceSource } from '../thought/evidence';
import type { WholeText } from '../thought/followEvidence';
import type { CompletionRequest, SourceText } from './document';
import type { Window } from './window';

/** The text that the window does not show: the open file before and after it, and the related files. */
export function evidenceSources(request: CompletionRequest, window: Window): EvidenceSource[] {
  const { path, prefix, suffix } = request;
  const before = prefix.slice(0, window.prefixStart);
  const after = suffix.slice(window.suffixEnd);
  const line = 1 + countNewlines(prefix) + countNewlines(suffix, 0, window.suffixEnd);
  const edited = oneBased(request.edited);
  const sources: EvidenceSource[] = [
    { path, text: before, start: 0, line: 1, nearest: 'end', own: true, edited },
    { path, text: after, start: prefix.length + window.suffixEnd, line, nearest: 'start', own: true, edited },
    ...request.related.filter((other) => other.path !== path && !isBinary(other.text)).map(related),
  ];
  return sources.filter((source) => source.text.trim() !== '');
}

/** The files of a request as a whole, by their paths. */
export function wholeTexts({ path, prefix, suffix, edited, related }: CompletionRequest): Map<string, WholeText> {
  const wholeText = (text: string, own: boolean, lines?: readonly number[]): WholeText => {
    return { text, own, edited: oneBased(lines) };
  };
  const others = related
    .filter((other) => !isBinary(other.text))
    .map((other) => [other.path, wholeText(other.text, false, other.edited)] as const);
  return new Map([...others, [path, wholeText(prefix + suffix, true, edited)]]);
}

/** Lines before the last change of another file with which its evidence begins: some blocks of it. */
const LINES_BEFORE_CHANGE = 24;

/** Another file: of one that was changed recently, what lies around the last line changed. */
function related({ path, text, edited = [] }: SourceText): EvidenceSource {
  const first = Math.max(0, (edited.at(-1) ?? 0) - LINES_BEFORE_CHANGE);
  const from = first === 0 ? 0 : nthLine(text, first);
  return {
    path,
    text: text.slice(from),
    start: from,
    line: first + 1,
    nearest: 'start',
    own: false,
    edited: oneBased(edited),
  };
}

/** Lines as evidence counts them: from 1. @param lines counted from 0 */
function oneBased(lines: readonly number[] = []): ReadonlySet<number> {
  return new Set(lines.map((line) => line + 1));
}

/** Where a line begins, counted from 0; the end of the text where it has fewer. */
function nthLine(text: string, count: number): number {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const newline = text.indexOf('\n', at);
    if (newline === -1) return 0;
    at = newline + 1;
  }
  return at;
}
