import { normaliseNewlines } from '../text';
import type { CompletionRequest } from './types';

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
