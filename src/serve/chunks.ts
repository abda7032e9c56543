/** Which part of a text that is being written can be sent already, and what becomes of it at its end. */

/** Characters before which no stop text has begun: what comes after them may be the beginning of one. */
export function stableLength(text: string, stops: readonly string[]): number {
  let length = text.length;
  for (const stop of stops) {
    for (let part = Math.min(stop.length - 1, text.length); part > 0; part--) {
      if (!text.endsWith(stop.slice(0, part))) continue;
      length = Math.min(length, text.length - part);
      break;
    }
  }
  return length;
}

/** A text up to the first stop text in it; undefined where there is none. */
export function cutAtStop(text: string, stops: readonly string[]): string | undefined {
  const at = Math.min(...stops.map((stop) => text.indexOf(stop)).filter((index) => index >= 0));
  return at === Infinity ? undefined : text.slice(0, at);
}

/** The whole lines of a text that is still being written, without the blanks at their end. */
export function wholeLines(text: string): string {
  return text.slice(0, Math.max(0, text.lastIndexOf('\n'))).trimEnd();
}

/**
 * A text that an editor puts in place of some characters after the cursor, as one that leaves them where they are: what
 * comes after the place where the first of them stands in it is theirs, or cannot be said.
 */
export function withoutCovered(text: string, covered: string): string {
  let at = text.length;
  for (const character of [...covered].reverse()) {
    const found = text.lastIndexOf(character, at - 1);
    if (at === 0 || found < 0) return text;
    at = found;
  }
  return text.slice(0, at);
}
