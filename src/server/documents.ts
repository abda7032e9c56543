import type { Position, Range, TextDocumentContentChangeEvent } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { forOthers, isSecretFile, type Known } from '../workspace/secrets';
import { languageOf } from '../languages';
import { isBinary, normaliseNewlines, stableStart } from '../text';
import { areChanges, readOneChange } from './parameters';
import type { Edit } from './refusals';

/**
 * Documents as a client tells them, checked: what is not as the protocol has it is refused whole, with a line in the log,
 * before it becomes a document that nobody can read.
 */
export const checkedDocuments = {
  create(uri: string, languageId: string, version: number, text: string): TextDocument {
    for (const [name, value] of Object.entries({ uri, languageId, text })) {
      if (typeof value !== 'string')
        throw new Error(`textDocument.${name} is not a string; the document is not opened`);
    }
    return TextDocument.create(uri, languageId, version, text);
  },

  update(document: TextDocument, changes: TextDocumentContentChangeEvent[], version: number): TextDocument {
    if (!areChanges(changes)) {
      throw new Error(`${document.uri}: a change has no text or no range of positions; the changes are not made`);
    }
    return TextDocument.update(document, changes, version);
  },
};

/** The one change that a client tells, before it is made; undefined where it tells several, or none that can be made. */
export function editOf(document: TextDocument, changes: readonly TextDocumentContentChangeEvent[]): Edit | undefined {
  const change = readOneChange(changes);
  if (!change) return undefined;
  const { text: inserted, range } = change;
  const text = document.getText();
  if (!range) return { offset: 0, removed: text, inserted };
  const offsets = [document.offsetAt(range.start), document.offsetAt(range.end)];
  const offset = Math.min(...offsets);
  return { offset, removed: text.slice(offset, Math.max(...offsets)), inserted };
}

/** Limits on what is read from open documents, in UTF-16 units. */
export const limits = {
  /** A larger file is completed from the part around the cursor … */
  whole: 1 << 20,
  /** … of this size to each side, cut where lines begin. */
  part: 1 << 18,
  /** A larger file is no evidence for others. */
  evidence: 1 << 19,
  /** All evidence from other files together. */
  evidenceInAll: 1 << 20,
  /** No suggestion inside a line longer than this: it is data, not code. */
  line: 20_000,
} as const;

/** A document cut at the cursor. Line ends are `\n`, whatever the document uses. */
export interface Cut {
  /** Text before the cursor. */
  prefix: string;
  /** Text after the cursor. */
  suffix: string;
  /** How much of `suffix` is on the cursor's line. */
  lineRest: number;
  /** Where the cursor is, on the document's grid: never inside a surrogate pair. */
  position: Position;
}

/** Why a document cannot be completed at a position, for the log and for "why no suggestion". */
export class Refusal {
  constructor(readonly reason: string) {}
}

/**
 * Cuts a document at a position. Characters beyond a line's end count as its end (as LSP has it), a position inside a
 * surrogate pair as the one before it; a line that the document does not have is refused, and so are binary content and
 * lines of excessive length. Of a very large document only the surroundings of the cursor are taken.
 * @param before what stands before the whole text: the cells above that of a notebook
 */
export function cut(document: TextDocument, position: Position, before = ''): Cut | Refusal {
  const { line, character } = position;
  if (!Number.isInteger(line) || line < 0 || line >= document.lineCount) {
    return new Refusal(`the cursor is out of range: line ${line + 1} of ${document.lineCount}`);
  }
  if (!Number.isInteger(character)) return new Refusal('the cursor is out of range: its character is no whole number');
  const text = document.getText();
  let offset = document.offsetAt(position);
  if (isLowSurrogate(text.charCodeAt(offset)) && isHighSurrogate(text.charCodeAt(offset - 1))) offset--;
  const lineStart = document.offsetAt({ line, character: 0 });
  const lineEnd = document.offsetAt({ line, character: Number.MAX_SAFE_INTEGER });
  if (lineEnd - lineStart > limits.line) {
    return new Refusal(`line ${line + 1} has ${lineEnd - lineStart} characters, more than ${limits.line}`);
  }
  const large = text.length > limits.whole;
  const from = large ? stableStart(text.slice(0, lineStart), limits.part, { block: limits.part }) : 0;
  const to = large ? Math.min(text.length, lineEnd + limits.part) : text.length;
  const prefix = text.slice(from, offset);
  const suffix = text.slice(offset, to);
  if (isBinary(prefix) || isBinary(suffix)) return new Refusal('the file is binary (it holds NUL characters)');
  return {
    prefix: before + normaliseNewlines(prefix),
    suffix: normaliseNewlines(suffix),
    lineRest: lineEnd - offset,
    position: { line, character: offset - lineStart },
  };
}

/** The range that an item replaces: from the cursor over `replaceSuffix` characters of its line. */
export function replaceRange(at: Cut, replaceSuffix: number): Range {
  const { line, character } = at.position;
  return { start: at.position, end: { line, character: character + Math.min(replaceSuffix, at.lineRest) } };
}

/** Text as the document would have it: `\r\n` where its first line ends so. */
export function withLineEnds(document: TextDocument, text: string): string {
  if (!text.includes('\n')) return text;
  const first = document.getText({ start: { line: 0, character: 0 }, end: { line: 1, character: 0 } });
  return first.endsWith('\r\n') ? text.replace(/\n/g, '\r\n') : text;
}

/** The path that stands for a document, with forward slashes. Nothing is read from it. */
export function pathOf(uri: string): string {
  if (!URL.canParse(uri)) return uri;
  const { pathname } = new URL(uri);
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

/**
 * The path under which the model sees a document: it tells the language, and no two documents share it. An untitled file
 * gets its language's ending; a notebook cell is a file next to its notebook.
 */
export function pathFor({ uri, languageId }: Pick<TextDocument, 'uri' | 'languageId'>): string {
  const path = pathOf(uri);
  const [first] = languageOf(languageId)?.endings ?? [];
  const ending = first === undefined ? '' : `.${first}`;
  if (uri.startsWith('vscode-notebook-cell:')) {
    return `${path.replace(/\.[^./]*$/, '')}-${uri.split('#')[1] ?? ''}${ending}`;
  }
  return /\.[^./]+$/.test(path) ? path : path + ending;
}

export interface RelatedText {
  path: string;
  text: string;
  /** Lines that were changed recently, from 0, in order. */
  edited?: readonly number[];
}

/**
 * Open files that may tell something about `document`: newest used first, of languages that are on. Each file that is
 * left out for its content is named in `skipped` with the reason.
 *
 * @param open all open documents, least recently used first.
 * @param edited lines of a document that were changed recently, from 0.
 */
export function siblings(
  open: readonly TextDocument[],
  document: TextDocument,
  enabled: (document: TextDocument) => boolean,
  edited: (document: TextDocument) => readonly number[] = () => [],
): { related: RelatedText[]; skipped: { uri: string; reason: string }[] } {
  const related: RelatedText[] = [];
  const skipped: { uri: string; reason: string }[] = [];
  let remaining: number = limits.evidenceInAll;
  for (const other of open.toReversed()) {
    if (other.uri === document.uri || !enabled(other)) continue;
    const all = other.getText();
    if (isSecret(other)) {
      skipped.push({ uri: other.uri, reason: 'its name says that it may hold secrets' });
    } else if (all.length > limits.evidence) {
      skipped.push({ uri: other.uri, reason: `${all.length} characters are more than ${limits.evidence}` });
    } else if (isBinary(all)) {
      skipped.push({ uri: other.uri, reason: 'it is binary' });
    } else if (all.length <= remaining) {
      remaining -= all.length;
      const { text, lineOf } = knownOf(other, all);
      const lines = edited(other).flatMap((line) => lineOf(line) ?? []);
      if (text !== '') related.push({ path: pathFor(other), text, ...(lines.length > 0 && { edited: lines }) });
    }
  }
  return { related, skipped };
}

/** Whether nothing of a document is for others, nor for a thought that others begin with. */
export function isSecret(document: Pick<TextDocument, 'uri' | 'languageId'>): boolean {
  return isSecretFile(pathFor(document), document.languageId);
}

/** What others may know of the documents that are open: found once for each version of one. */
const known = new WeakMap<TextDocument, Known & { readonly version: number }>();

function knownOf(document: TextDocument, text: string): Known {
  const before = known.get(document);
  if (before?.version === document.version) return before;
  const now = { ...forOthers(normaliseNewlines(text)), version: document.version };
  known.set(document, now);
  return now;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}
