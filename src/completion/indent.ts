/** Lines on either side of the cursor that tell how a file is indented. */
const LINES_LOOKED_AT = 200;

/** Spaces that a tab stands for where the file does not tell. */
const USUAL_UNIT = 4;

/** How a file is indented: by tabs, by so many spaces, or undefined where both or neither are found. */
export type Indentation = 'tabs' | number | undefined;

export function indentationOf(prefix: string, suffix: string): Indentation {
  // The cursor's own line counts as far as it has been typed.
  const lines = [...prefix.split('\n').slice(-LINES_LOOKED_AT), ...suffix.split('\n', LINES_LOOKED_AT).slice(1)];
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

/** The width of one level: the greatest that all widths are multiples of, if it is a usual one. */
function unitOf(widths: readonly number[]): number {
  if (widths.length === 0) return USUAL_UNIT;
  const most = (unit: number) => widths.filter((width) => width % unit === 0).length > 0.9 * widths.length;
  return [8, 4, 3, 2].find(most) ?? USUAL_UNIT;
}
