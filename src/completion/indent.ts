import { lastLines } from '../text';
import type { Family } from '../syntax/families';
import { scan } from '../syntax/scanner';
import { columns } from './stop';

/** Lines on either side of the cursor that tell how a file is indented. */
const LINES_LOOKED_AT = 200;

/** Characters of a line above the cursor whose end is looked at. */
const MAX_LINE = 2_000;

/** Spaces that a tab stands for where the file does not tell. */
const USUAL_UNIT = 4;

/** How a file is indented: by tabs, by so many spaces, or undefined where both or neither are found. */
export type Indentation = 'tabs' | number | undefined;

export function indentationOf(prefix: string, suffix: string): Indentation {
  // The cursor's own line counts as far as it has been typed.
  const lines = [...lastLines(prefix, LINES_LOOKED_AT), ...suffix.split('\n', LINES_LOOKED_AT).slice(1)];
  let tabs = 0;
  const widths: number[] = [];
  for (const line of lines) {
    const blank = /^(?:\t+|( {2,}))(?=\S)/.exec(line);
    if (!blank) continue;
    if (blank[1] === undefined) tabs++;
    // Before an asterisk stands the one space of a comment's frame.
    else if (line[blank[1].length] !== '*') widths.push(blank[1].length);
  }
  // Alignment by spaces occurs in files that are indented by tabs.
  if (tabs > 4 * widths.length) return 'tabs';
  if (widths.length > 4 * tabs) return unitOf(widths);
  return undefined;
}

/** Indents the lines of a suggestion as the file is indented. Its first line goes on where the cursor is. */
export function indentLike(text: string, prefix: string, suffix: string): string {
  // The line of the cursor is blank so far: what the text begins with is its indentation.
  const begins = prefix === '' || prefix.endsWith('\n');
  const lines = text.split('\n');
  const own = lines.flatMap((line, i) => (i > 0 || begins ? [/^[ \t]*/.exec(line)![0]] : []));
  const hasTabs = own.some((blank) => blank.includes('\t'));
  const hasSpaces = own.some((blank) => blank.startsWith('  '));
  if (!hasTabs && !hasSpaces) return text;
  const style = indentationOf(prefix, suffix);
  const change = (convert: (blank: string) => string) =>
    lines.map((line, i) => (i > 0 || begins ? line.replace(/^[ \t]+/, convert) : line)).join('\n');
  if (style === 'tabs' && hasSpaces) {
    const unit = unitOf(own.map((blank) => /^ */.exec(blank)![0].length).filter((width) => width > 1));
    return change((blank) =>
      blank.replace(
        /^ +/,
        (spaces) => '\t'.repeat(Math.floor(spaces.length / unit)) + ' '.repeat(spaces.length % unit),
      ),
    );
  }
  if (typeof style === 'number' && hasTabs) return change((blank) => blank.replaceAll('\t', ' '.repeat(style)));
  return text;
}

/**
 * A blank that the cursor's line ends with already is not suggested again, and none that would put a new line's
 * indentation off by one.
 */
export function withoutDoubledBlank(text: string, line: string): string {
  if (!/[ \t]$/.test(line)) return text;
  return line.trim() === '' ? text.replace(/^ (?=\S)/, '') : text.replace(/^ +(?=\S)/, '');
}

/**
 * A text that begins on a blank line, at most as deep as the line above lets it stand. What was taken back of the
 * indentation before the cursor may have been generated again and more of it.
 */
export function shallow(text: string, prefix: string, family: Family): string {
  const line = prefix.slice(prefix.lastIndexOf('\n') + 1);
  const blank = /^[ \t]+(?=\S)/.exec(text)?.[0];
  if (line.trim() !== '' || blank === undefined) return text;
  const depth = depthBelow(prefix, text, family);
  const width = columns(line + blank);
  const widest = Math.max(columns(line), depth ?? width);
  if (width <= widest) return text;
  // What follows goes with it.
  return text
    .split('\n')
    .map((content, i) => {
      const own = i === 0 ? blank : /^[ \t]*/.exec(content)![0];
      const before = i === 0 ? line : '';
      if (columns(before + own) < width) return content;
      return fewer(own, columns(before + own) - (width - widest) - columns(before)) + content.slice(own.length);
    })
    .join('\n');
}

/** The beginning of some blanks that is so many columns wide. */
function fewer(blank: string, width: number): string {
  let end = blank.length;
  while (end > 0 && columns(blank.slice(0, end)) > width) end--;
  return blank.slice(0, end) + ' '.repeat(Math.max(0, width - columns(blank.slice(0, end))));
}

function isComment(line: string, family: Family): boolean {
  return line.length <= MAX_LINE && scan(line, family).comments[0] === /^\s*/.exec(line)![0].length;
}

/** Columns at which a line may stand at most after those before the cursor; undefined where nobody can say. */
function depthBelow(prefix: string, text: string, family: Family): number | undefined {
  const above = lastLines(prefix, LINES_LOOKED_AT)
    .slice(0, -1)
    .findLast((line) => line.trim() !== '' && !isComment(line, family));
  if (above === undefined || above.length > MAX_LINE) return undefined;
  const { open, comments } = scan(above, family);
  const code = above.slice(0, comments[0]).trimEnd();
  if (open.some(({ kind }) => kind !== 'comment')) return undefined;
  switch (family.offside) {
    case 'yaml': {
      const begins = /^\s*(?:- |[^\s#][^#]*:(?:\s|$))/.test(text);
      const holds = /(?:[:,?-]|[|>][+-]?\d?|[:-]\s+[&!]\S+)$/.test(code);
      return begins && !holds ? /^\s*(?:- +)*/.exec(above)![0].length : undefined;
    }
    case 'code': {
      const inText = (prefix.slice(-4_096).match(/"""|'''/g)?.length ?? 0) % 2 === 1;
      return inText || /[:\\,]$/.test(code) ? undefined : columns(above);
    }
    case undefined:
      // At the beginning of the line nothing was there that could have grown.
      return !prefix.endsWith('\n') && /[;}]$/.test(code) && !/^\s*(?:case\b|default\b|\w+:)/.test(code)
        ? columns(above)
        : undefined;
  }
}

/** The width of one level: the greatest that all widths are multiples of, if it is a usual one. */
function unitOf(widths: readonly number[]): number {
  if (widths.length === 0) return USUAL_UNIT;
  const widest = (unit: number) => widths.filter((width) => width % unit === 0).length > 0.9 * widths.length;
  return [8, 4, 3, 2].find(widest) ?? USUAL_UNIT;
}
