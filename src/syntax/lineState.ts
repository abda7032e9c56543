import type { Family } from './families';
import { commentFrame, stringFrame, tagFrame, type Frame, type Scan } from './frames';
import { scan } from './scanner';

/** Where a cursor stands in its line: what is open there, and the characters after it that an escape takes. */
export interface LineState {
  readonly open: readonly Frame[];
  readonly carried: number;
}

/**
 * What is open at a cursor, as far as its line shows. A line may lie within a string, comment or tag that began before it:
 * where it makes no sense as code, and does so as the end of one of them, it is one.
 */
export function lineState(line: string, rest: string, family: Family): LineState {
  let asCode: LineState | undefined;
  for (const start of starts(family)) {
    const before = scan(line, family, { open: start });
    const after = scan(line + rest, family, { open: start });
    asCode ??= before;
    if (ends(start, after) && makesSense(after, before, family)) return before;
  }
  return asCode as LineState;
}

function starts({ strings = [], block = [], markup }: Family): Frame[][] {
  const quotes = strings.filter(({ multiline, open }) => multiline && typeof open === 'string');
  return [
    [],
    ...block.map(([, close]) => [commentFrame(close)]),
    ...quotes.map((rule) => [stringFrame(rule)]),
    ...(markup === 'text' ? [[tagFrame()]] : []),
  ];
}

/** Whether what the line began in has ended. */
function ends(start: readonly Frame[], { open }: Scan): boolean {
  return start.every((frame) => !open.includes(frame));
}

/** Whether nothing ends that never began, and no string or comment begins right of the cursor that goes on below. */
function makesSense(all: Scan, before: Scan, { block = [] }: Family): boolean {
  const ended = [...block.map(([, close]) => close), '>'];
  if (all.closers.some(({ frame, text }) => frame === undefined && ended.includes(text))) return false;
  const lasting = ({ open }: Scan) =>
    open.filter(
      ({ kind, close, rule }) => (kind === 'string' && rule?.multiline) || (kind === 'comment' && close !== '\n'),
    );
  return lasting(all).length <= lasting(before).length;
}
