import type { InfillRequest } from '../endpoint/messages';
import { knownLines } from '../workspace/secrets';

/** Characters that are sent to an endpoint at most: before and after the cursor. */
export const SENT = { prefix: 6_000, suffix: 2_000 } as const;

/** So much more is looked at for secrets: a private key is known by its first line. */
const REACH = 1 << 15;

/**
 * What of a document may be sent to an endpoint: the text around the cursor, without lines that other files may not know
 * either. Undefined where the cursor's own line is one of them.
 */
export function outgoingContext({
  prefix,
  suffix,
}: {
  readonly prefix: string;
  readonly suffix: string;
}): Omit<InfillRequest, 'maxTokens'> | undefined {
  const before = fromLine(prefix, SENT.prefix + REACH).split('\n');
  const after = toLine(suffix, SENT.suffix + REACH).split('\n');
  const [left, right] = [before.pop() ?? '', after.shift() ?? ''];
  const known = knownLines([...before, left + right, ...after]);
  if (!known[before.length]) return undefined;
  const kept = (lines: readonly string[], from: number) => lines.filter((_, i) => known[from + i]);
  return {
    prefix: fromLine([...kept(before, 0), left].join('\n'), SENT.prefix),
    suffix: toLine([right, ...kept(after, before.length + 1)].join('\n'), SENT.suffix),
  };
}

/** The end of a text, from a line's beginning on where there is one. */
function fromLine(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = text.slice(-length);
  return end.slice(end.indexOf('\n') + 1);
}

/** The beginning of a text, whole lines of it where there are any. */
function toLine(text: string, length: number): string {
  if (text.length <= length) return text;
  const beginning = text.slice(0, length);
  const newline = beginning.lastIndexOf('\n');
  return newline === -1 ? beginning : beginning.slice(0, newline);
}
