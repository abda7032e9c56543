import { readFile } from 'node:fs/promises';
import { UserError } from '../model/errors';
import { UsageError } from './command';

/** A cursor in a text, as FILE:LINE:COL names it. */
export interface SourceLocation {
  /** `-` for standard input. */
  readonly file: string;
  /** 1-based; neither is given for `-` alone: the end of the text. */
  readonly line?: number;
  readonly column?: number;
}

export function parseLocation(argument: string): SourceLocation {
  if (argument === '-') return { file: '-' };
  const match = /^(.+):(\d+):(\d+)$/s.exec(argument);
  if (!match?.[1]) throw new UsageError(`${argument}: give the cursor as FILE:LINE:COL, counted from 1`);
  return { file: match[1], line: Number(match[2]), column: Number(match[3]) };
}

/**
 * Cuts a text at the cursor; columns are counted in UTF-16 units, as the editor counts them.
 * @throws UserError naming the range if the cursor lies outside of the text
 */
export function cutAt(text: string, location: SourceLocation, name: string): { prefix: string; suffix: string } {
  const { line, column } = location;
  if (line === undefined || column === undefined) return { prefix: text, suffix: '' };
  const starts = [0, ...[...text.matchAll(/\r\n?|\n/g)].map((match) => match.index + match[0].length)];
  const start = starts[line - 1];
  if (start === undefined) {
    throw new UserError(`${name}: line ${line} is not in the file; give a line from 1 to ${starts.length}`);
  }
  const content = /^[^\r\n]*/.exec(text.slice(start, starts[line]))?.[0] ?? '';
  if (column < 1 || column > content.length + 1) {
    throw new UserError(
      `${name}: column ${column} is not in line ${line}; give a column from 1 to ${content.length + 1}`,
    );
  }
  const at = start + column - 1;
  return { prefix: text.slice(0, at), suffix: text.slice(at) };
}

/** What follows the cursor, the rest of its line taken out. */
export function withoutLineRest(suffix: string): { suffix: string; rest: string } {
  const rest = /^[^\r\n]*/.exec(suffix)?.[0] ?? '';
  return { suffix: suffix.slice(rest.length), rest };
}

/** @throws UserError if the file is missing or not text */
export async function readText(file: string): Promise<string> {
  const bytes = await (file === '-' ? readInput() : readFile(file)).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`${file}: ${error.code === 'ENOENT' ? 'no such file' : `cannot be read (${error.code})`}`);
  });
  if (bytes.includes(0)) throw new UserError(`${file}: binary file; Thoughtline completes text`);
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
