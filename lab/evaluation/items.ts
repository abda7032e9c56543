import type { CompletionRequest, SourceText } from '../../src/completion/engine';
import { siblingsOf } from '../siblings';
import { beginsStatement, constructAt, indentOf, meaningfulColumns } from './places';
import type { Repository } from './repository';

export const KINDS = ['tail', 'line', 'block'] as const;
/** A line suffix, a whole line after its indentation, or two to five lines. */
export type Kind = (typeof KINDS)[number];

/**
 * Where it is cut out. `syntax`: a block is a whole construct, a line begins a statement, a tail stands after an operator,
 * a bracket or a keyword. `random`: anywhere.
 */
export const CUT_KINDS = ['syntax', 'random'] as const;
export type CutKind = (typeof CUT_KINDS)[number];

/** A text cut out of a file, to be completed by the model. */
export interface Item {
  readonly repository: string;
  readonly kind: Kind;
  readonly place: CutKind;
  readonly request: CompletionRequest;
  readonly target: string;
}

/**
 * A block, and a line and a tail inside of it. All are completed under the thought of the place where the whole block is
 * missing: steps are taken once for three items, and the thought has seen none of the targets.
 */
export interface CutSite {
  readonly repository: string;
  /** The file without the block. */
  readonly request: CompletionRequest;
  readonly items: readonly Item[];
}

/** Other files of the repository that count as open. */
const SIBLINGS = 8;

/** Sites of one file at most, so that no file outweighs the others. */
const PER_FILE = 2;

const MAX_TARGET = 400;

/** Places that are tried in a repository before it is said to have no more. */
const TRIES = 400;

/**
 * Cuts sites out of repositories, each repository giving about as many as any other, half of them at either place.
 * @param count items wanted; a site has three, so there may be up to two more
 * @param random numbers in [0, 1)
 */
export function chooseSites(repositories: readonly Repository[], count: number, random: () => number): CutSite[] {
  const sources = repositories.map((repository) => sitesOf(repository, random));
  const wanted = Math.ceil(count / KINDS.length);
  const sites: CutSite[] = [];
  for (let open = true; open && sites.length < wanted;) {
    open = false;
    for (const source of sources) {
      const next = sites.length < wanted ? source.next() : undefined;
      if (!next || next.done) continue;
      sites.push(next.value);
      open = true;
    }
  }
  return sites;
}

/** Sites of a repository at random lines: a long file gives more of them, but never more than PER_FILE. */
function* sitesOf(repository: Repository, random: () => number): Generator<CutSite> {
  let total = 0;
  const texts = repository.files.map((file) => {
    const lines = file.text.split('\n');
    return { file, lines, end: (total += lines.length) };
  });
  const used = new Map<SourceText, number>();
  let turn = Math.floor(random() * CUT_KINDS.length);
  for (let tries = 0; tries < TRIES; tries++) {
    const at = Math.floor(random() * total);
    const text = texts.find(({ end }) => at < end);
    if (!text || (used.get(text.file) ?? 0) >= PER_FILE) continue;
    const { file, lines, end } = text;
    // Where nothing is found at one sort of place, the other one will do.
    const place = CUT_KINDS[(turn + Number(tries > TRIES / 2)) % CUT_KINDS.length] as CutKind;
    const site = cut(repository, file, lines, at - (end - lines.length), place, random);
    if (!site) continue;
    used.set(file, (used.get(file) ?? 0) + 1);
    turn++;
    tries = 0;
    yield site;
  }
}

function cut(
  repository: Repository,
  file: SourceText,
  lines: readonly string[],
  line: number,
  place: CutKind,
  random: () => number,
): CutSite | undefined {
  const spans = spansOf(lines, line, place, random);
  if (!spans) return undefined;
  const related = relatedTo(file, repository);
  const { name } = repository;
  const items = spans.map(({ kind, line: first, column, lines: count }): Item => {
    const start = lines.slice(0, first).join('\n').length + (first > 0 ? 1 : 0) + column;
    const end = lines.slice(0, first + count).join('\n').length;
    const request = { path: file.path, prefix: file.text.slice(0, start), suffix: file.text.slice(end), related };
    return { repository: name, kind, place, request, target: file.text.slice(start, end).trimEnd() };
  });
  const block = items.at(-1);
  return block && block.target.length <= MAX_TARGET ? { repository: name, request: block.request, items } : undefined;
}

/** The files that count as open with a file: its nearest, without copies of it, which hold the target. */
export function relatedTo(file: SourceText, { files }: Repository): SourceText[] {
  const byPath = new Map(files.map((other) => [other.path, other]));
  const related: SourceText[] = [];
  for (const path of siblingsOf([...byPath.keys()], file.path, files.length)) {
    const other = byPath.get(path);
    if (other && !isCopy(file.text, other.text)) related.push(other);
    if (related.length === SIBLINGS) break;
  }
  return related;
}

/** Share of a file's lines that a copy of it has: the same file in another build, or an older one. */
const COPIED = 0.5;

/** Whether a text holds most of what another one says, whatever its white space. */
export function isCopy(text: string, other: string): boolean {
  if (withoutSpace(text) === withoutSpace(other)) return true;
  const [mine, theirs] = [tellingLines(text), tellingLines(other)];
  return [...mine].filter((line) => theirs.has(line)).length > COPIED * mine.size;
}

function withoutSpace(text: string): string {
  return text.replace(/\s+/g, '');
}

/** Different lines that say more than a bracket does. */
function tellingLines(text: string): Set<string> {
  return new Set(text.split('\n').flatMap((line) => (/\w{2}/.test(line) ? withoutSpace(line) : [])));
}

export interface HeldOutSpan {
  readonly kind: Kind;
  readonly line: number;
  readonly column: number;
  readonly lines: number;
}

/** What can be cut out at a line: a tail, a line and the block that holds both, in this order; undefined if not all of them can. */
export function spansOf(
  lines: readonly string[],
  line: number,
  place: CutKind,
  random: () => number,
): readonly HeldOutSpan[] | undefined {
  const count = place === 'syntax' ? constructAt(lines, line) : linesAt(lines, line, 2 + Math.floor(random() * 4));
  if (count === undefined) return undefined;
  const rows = Array.from({ length: count }, (_, i) => line + i).filter((row) =>
    /[\p{L}\p{N}]/u.test(lines[row] ?? ''),
  );
  const pick = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)];
  const whole = pick(
    rows.filter((row) => (lines[row] ?? '').trim().length >= 6 && (place === 'random' || beginsStatement(lines, row))),
  );
  const tail = pick(rows.flatMap((row) => tailColumns(lines[row] ?? '', place).map((column) => ({ row, column }))));
  if (rows[0] !== line || whole === undefined || !tail) return undefined;
  return [
    { kind: 'tail', line: tail.row, column: tail.column, lines: 1 },
    { kind: 'line', line: whole, column: indentOf(lines[whole] ?? ''), lines: 1 },
    { kind: 'block', line, column: indentOf(lines[line] ?? ''), lines: count },
  ];
}

/** So many lines, if none of them is empty. */
function linesAt(lines: readonly string[], line: number, count: number): number | undefined {
  const block = lines.slice(line, line + count);
  return block.length < count || block.some((one) => one.trim() === '') ? undefined : count;
}

/** Columns behind which something is said. */
function tailColumns(line: string, place: CutKind): number[] {
  const text = line.trimEnd();
  const columns = place === 'syntax' ? meaningfulColumns(text) : columnsOf(text);
  return columns.filter((column) => column > indentOf(text) && /[\p{L}\p{N}]/u.test(text.slice(column)));
}

/** Every column between two characters. */
function columnsOf(text: string): number[] {
  let at = 0;
  return [...text].map((character) => (at += character.length)).slice(0, -1);
}
