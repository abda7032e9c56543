import { normaliseNewlines } from '../text';

export interface SourceText {
  readonly path: string;
  readonly text: string;
  /** Lines of the text that were changed recently, from 0, in order. */
  readonly edited?: readonly number[] | undefined;
}

export interface CompletionRequest {
  readonly path: string;
  /** Whole text before the cursor. */
  readonly prefix: string;
  /** Whole text after the cursor. */
  readonly suffix: string;
  /** Other open files. */
  readonly related: readonly SourceText[];
  /** Lines of prefix and suffix together that were changed recently, from 0, in order. */
  readonly edited?: readonly number[] | undefined;
}

/** A request as the model knows it, with "\n" at the end of every line. */
export interface Document extends CompletionRequest {
  /** A suggestion with the document's own newlines. */
  readonly restore: (text: string) => string;
}

const documents = new WeakMap<CompletionRequest, Document>();

/** Normalises a request's newlines; remembered, since one request is looked at several times. */
export function documentOf(request: CompletionRequest): Document {
  let document = documents.get(request);
  if (!document) documents.set(request, (document = normalise(request)));
  return document;
}

function normalise(request: CompletionRequest): Document {
  const newline = /\r\n?|\n/.exec(request.prefix + request.suffix.slice(0, 4096))?.[0] ?? '\n';
  return {
    path: request.path,
    prefix: normaliseNewlines(request.prefix),
    suffix: normaliseNewlines(request.suffix),
    related: request.related.map((other) => ({ ...other, text: normaliseNewlines(other.text) })),
    edited: request.edited,
    restore: newline === '\n' ? (text) => text : (text) => text.replaceAll('\n', newline),
  };
}
