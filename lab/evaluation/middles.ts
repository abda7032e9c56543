/** Middles of lines: what somebody types where code stands on both sides of the cursor. */
import { onlyCloses } from '../../src/syntax/lineRest';
import { relatedTo } from './items';
import { indentOf } from './places';
import type { Repository } from './repository';
import type { Passage } from './typing';

/** Characters of a middle. */
const [MIN_LENGTH, MAX_LENGTH] = [4, 32];

/** Lines that are tried in a repository before it gives no middle. */
const TRIES = 200;

/**
 * Pieces cut out of lines, one of each repository by turns: something is said before and after each of them in its line,
 * and after it more than brackets that close.
 * @param random numbers in [0, 1)
 */
export function chooseMiddles(repositories: readonly Repository[], count: number, random: () => number): Passage[] {
  const middles: Passage[] = [];
  for (let before = -1; before < middles.length && middles.length < count;) {
    before = middles.length;
    for (const repository of repositories) {
      for (let tries = 0; tries < TRIES && middles.length < count; tries++) {
        const file = repository.files[Math.floor(random() * repository.files.length)];
        const lines = file?.text.split('\n') ?? [];
        const row = Math.floor(random() * lines.length);
        const cut = middleOf(lines[row] ?? '', file?.path ?? '', random);
        if (!file || !cut) continue;
        const above = lines.slice(0, row).map((line) => `${line}\n`);
        const suffix = [cut.after, ...lines.slice(row + 1)].join('\n');
        const request = { path: file.path, prefix: above.join('') + cut.before, suffix, related: relatedTo(file, repository) }; // prettier-ignore
        middles.push({ repository: repository.name, request, text: cut.text });
        break;
      }
    }
  }
  return middles;
}

/** A piece of a line that begins and ends between two characters of its text. */
export function middleOf(line: string, path: string, random: () => number) {
  const from = indentOf(line);
  const space = line.trimEnd().length - from;
  const length = MIN_LENGTH + Math.floor(random() * (MAX_LENGTH - MIN_LENGTH + 1));
  const start = from + 1 + Math.floor(random() * Math.max(1, space - length));
  const [before, text, after] = [line.slice(0, start), line.slice(start, start + length), line.slice(start + length)];
  if (text.length < length || !/\w/.test(text) || text !== text.trim()) return undefined;
  return onlyCloses(before, after, path) ? undefined : { before, text, after };
}
