import type { CompletionRequest, SourceText } from '../../completion/engine';
import { siblingsOf } from '../releases';
import { shuffle } from '../replay';
import type { Repository } from './repository';

export const KINDS = ['tail', 'line', 'block'] as const;
/** The rest of a line, a whole line after its indentation, or two to five lines. */
export type Kind = (typeof KINDS)[number];

/** Where the cursor of a tail stands: after an operator, a bracket or a keyword, or anywhere. */
export type Place = 'syntax' | 'random';

/** A text cut out of a file, to be written again by the model. */
export interface Item {
  readonly repository: string;
  readonly kind: Kind;
  readonly place: Place;
  readonly request: CompletionRequest;
  readonly target: string;
}

/** Of the wanted items, tails at either place, lines and blocks have these shares. */
const SHARES = [
  { kind: 'tail', place: 'syntax', share: 0.3 },
  { kind: 'tail', place: 'random', share: 0.3 },
  { kind: 'line', place: 'syntax', share: 0.2 },
  { kind: 'block', place: 'syntax', share: 0.2 },
] as const satisfies readonly { kind: Kind; place: Place; share: number }[];

/** Other files of the repository that count as open. */
const SIBLINGS = 8;

/** Items of one file at most, so that no file outweighs the others. */
const PER_FILE = 4;

const LONGEST_TARGET = 400;

/**
 * Cuts items out of repositories, each repository giving about as many as any other.
 * @param random numbers in [0, 1)
 */
export function chooseItems(repositories: readonly Repository[], count: number, random: () => number): Item[] {
  const items: Item[] = [];
  const queues = repositories.map((repository) => ({ repository, spots: spotsOf(repository, random) }));
  for (const { kind, place, share } of SHARES) {
    let wanted = Math.round(count * share);
    const used = new Map<string, number>();
    for (let open = true; open && wanted > 0;) {
      open = false;
      for (const { repository, spots } of queues) {
        for (let spot = spots.shift(); spot && wanted > 0; spot = spots.shift()) {
          const key = `${repository.name}\n${spot.file.path}`;
          const item = (used.get(key) ?? 0) < PER_FILE ? cut(repository, spot, kind, place, random) : undefined;
          // What does not suit this kind may suit the next one.
          if (!item) continue;
          items.push(item);
          used.set(key, (used.get(key) ?? 0) + 1);
          wanted--;
          open = true;
          break;
        }
      }
    }
    for (const queue of queues) queue.spots = spotsOf(queue.repository, random);
  }
  return items;
}

interface Spot {
  readonly file: SourceText;
  readonly line: number;
}

/** Lines of all files in random order. */
function spotsOf({ files }: Repository, random: () => number): Spot[] {
  const spots = files.flatMap((file) =>
    Array.from({ length: file.text.split('\n').length }, (_, line) => ({ file, line })),
  );
  return shuffle(spots, random);
}

function cut(repository: Repository, spot: Spot, kind: Kind, place: Place, random: () => number): Item | undefined {
  const { file, line } = spot;
  const lines = file.text.split('\n');
  const span = spanOf(lines, line, kind, place, random);
  if (!span) return undefined;
  const start = lines.slice(0, line).join('\n').length + (line > 0 ? 1 : 0) + span.column;
  const end = lines.slice(0, line + span.lines).join('\n').length;
  const target = file.text.slice(start, end).trimEnd();
  if (target.length > LONGEST_TARGET) return undefined;
  const bare = withoutSpace(file.text);
  const paths = repository.files.map(({ path }) => path);
  const related = siblingsOf(paths, file.path, SIBLINGS)
    .flatMap((path) => repository.files.find((other) => other.path === path) ?? [])
    // A copy of the file holds the target.
    .filter((other) => withoutSpace(other.text) !== bare);
  const request = { path: file.path, prefix: file.text.slice(0, start), suffix: file.text.slice(end), related };
  return { repository: repository.name, kind, place, request, target };
}

function withoutSpace(text: string): string {
  return text.replace(/\s+/g, '');
}

/** Column at which the target begins, and the lines that it takes; undefined where nothing of this kind can be cut. */
export function spanOf(
  lines: readonly string[],
  line: number,
  kind: Kind,
  place: Place,
  random: () => number,
): { column: number; lines: number } | undefined {
  const text = (lines[line] ?? '').trimEnd();
  const indent = text.length - text.trimStart().length;
  // Nothing is learned from a line of closers.
  if (!/[\p{L}\p{N}]/u.test(text)) return undefined;
  if (kind === 'tail') {
    const columns = place === 'syntax' ? meaningfulColumns(text) : columnsOf(text);
    const fit = columns.filter((column) => column > indent && /[\p{L}\p{N}]/u.test(text.slice(column)));
    return fit.length === 0 ? undefined : { column: fit[Math.floor(random() * fit.length)] as number, lines: 1 };
  }
  if (kind === 'line') return text.trim().length < 6 ? undefined : { column: indent, lines: 1 };
  const count = 2 + Math.floor(random() * 4);
  const block = lines.slice(line, line + count);
  return block.length < count || block.some((one) => one.trim() === '') ? undefined : { column: indent, lines: count };
}

/** Columns right after an operator, an opening bracket, a comma or a keyword, with the space that follows it. */
export function meaningfulColumns(text: string): number[] {
  const marks =
    /(?:[.([{=,:?!+\-*/<>&|]+|\b(?:return|await|new|const|let|import|from|in|of|extends|def|if))(?: |(?=\S))/g;
  return [...text.matchAll(marks)].map((match) => match.index + match[0].length).filter((at) => at < text.length);
}

/** Every column between two characters. */
function columnsOf(text: string): number[] {
  let at = 0;
  return [...text].map((character) => (at += character.length)).slice(0, -1);
}
