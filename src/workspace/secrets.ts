/**
 * What of a text is for its own file alone. This is the one place that decides so, for open and closed files alike, whichever
 * way a text would reach another file: as evidence, in the lookup memory, in the memory of the workspace, or as a thought.
 */
import { holdsCredential } from './credentials';

export { isSecretFile, isSecretFolder } from './secretNames';

const BEGIN = /-----?\s?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,40}-----?|^PuTTY-User-Key-File-\d/;
const END = /-----?\s?END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,40}-----?|^Private-MAC:/;

/** What may stand around a line of a private key in a string or a comment of any language. */
const AROUND = /["'`+#*>|,;.)\\\s-]/;

/** Lines of a private key at most; of more the rest is something else. */
const MAX_KEY = 200;

/** A manifest of Kubernetes whose values are secret under any name. */
const SECRET_KIND = /^\s*"?kind"?\s{0,8}:\s{0,8}"?Secret"?[\s,]*$/;

/**
 * Which lines of a text other files may know: none that holds a credential or a part of a private key.
 * @param lines without their line ends
 */
export function knownLines(lines: readonly string[]): boolean[] {
  if (lines.some((line) => SECRET_KIND.test(line))) return lines.map(() => false);
  const known = lines.map((line) => !holdsCredential(line));
  for (let i = 0; i < lines.length; i++) {
    if (!BEGIN.test(lines[i]!)) continue;
    const end = endOfKey(lines, i);
    known.fill(false, i, end + 1);
    i = end;
  }
  return known;
}

/** A text as other files may know it. */
export interface Known {
  readonly text: string;
  /** Where a line of the whole text is in this one, from 0; undefined for one that is left out. */
  readonly lineOf: (line: number) => number | undefined;
}

/** A text without the lines that only its own file may know. */
export function forOthers(text: string): Known {
  const lines = text.split('\n');
  const known = knownLines(lines);
  if (known.every(Boolean)) return { text, lineOf: (line) => line };
  let next = 0;
  const moved = known.map((keep) => (keep ? next++ : undefined));
  return { text: lines.filter((_, i) => known[i]).join('\n'), lineOf: (line) => moved[line] };
}

/** The last line of a private key that begins in a line: where its end is said, or what could no longer belong to it. */
function endOfKey(lines: readonly string[], begin: number): number {
  const first = lines[begin]!;
  if (END.test(first)) return begin;
  const limit = Math.min(lines.length, begin + MAX_KEY);
  for (let i = begin + 1; i < limit; i++) if (END.test(lines[i]!)) return i;
  let last = begin;
  while (last + 1 < limit && mayBeOfKey(lines[last + 1]!)) last++;
  return last;
}

/** Whether a line may belong to a private key: characters of base64, or a header, whatever stands around them. */
function mayBeOfKey(line: string): boolean {
  const plain = line.replaceAll('\\n', '');
  let [start, end] = [0, plain.length];
  while (start < end && AROUND.test(plain[start]!)) start++;
  while (end > start && AROUND.test(plain[end - 1]!)) end--;
  return /^(?:[A-Za-z0-9+/=]*|[A-Za-z-]+: .*)$/.test(plain.slice(start, end));
}
