import type { EvidenceSource } from '../thought/evidence';
import type { CompletionRequest } from './types';
import type { Window } from './window';

/** The text that the window does not show: the open file before and after it, and the related files. */
export function evidenceSources(request: CompletionRequest, window: Window): EvidenceSource[] {
  const { path, prefix, suffix } = request;
  const before = prefix.slice(0, window.prefixStart);
  const after = suffix.slice(window.suffixEnd);
  const line = 1 + newlines(prefix) + newlines(suffix.slice(0, window.suffixEnd));
  const sources: EvidenceSource[] = [
    { path, text: before, line: 1, nearest: 'end', own: true },
    { path, text: after, line, nearest: 'start', own: true },
    ...request.related
      .filter((other) => other.path !== path && !isBinary(other.text))
      .map((other) => ({ ...other, line: 1, nearest: 'start' as const, own: false })),
  ];
  return sources.filter((source) => source.text.trim() !== '');
}

/** Whether a text holds NUL characters, as no source code does. */
export function isBinary(text: string): boolean {
  return text.includes('\0');
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
