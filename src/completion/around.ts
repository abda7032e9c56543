import type { PositionRange } from '../memory/ngramCache';
import type { Tokenizer } from '../model/tokenizer';
import type { Window } from './window';

/** The end of a text, by which memories look up what followed elsewhere. */
export interface LookupContext {
  /** Tokens as the whole text has them. */
  readonly tokens: readonly number[];
  /**
   * With what the next token begins in the text, and not where it is written: most tokenizers join the last blank of an
   * indentation to the word behind it, and behind a middle marker a line is written without its indentation.
   */
  readonly joined?: string | undefined;
}

/** What memories want to know of a window. */
export interface Around {
  /** The end of the text once tokens stand behind the head. */
  readonly context: (written: readonly number[]) => LookupContext;
  /** Rows behind each of which the text goes on with the next token of the window. */
  readonly rows: readonly PositionRange[];
}

/** The same of a head behind which the text goes on as it stands. */
export function plainAround(head: readonly number[]): Around {
  return { context: (tokens) => ({ tokens }), rows: [{ start: head.length - 1, end: Infinity }] };
}

export function aroundOf({ head, context, parts, indentation }: Window, tokenizer: Tokenizer): Around {
  if (!parts) return plainAround(head);
  const { suffixStart, suffixEnd } = parts;
  const rows = [
    { start: suffixStart - context.length - 1, end: suffixStart - 1 },
    { start: suffixStart, end: suffixEnd - 2 },
    { start: suffixEnd - 1, end: Infinity },
  ];
  if (indentation === '') return { rows, context: (written) => ({ tokens: [...context, ...written] }) };
  let from = context.length;
  let blanks = '';
  while (from > 0 && blanks.length < indentation.length)
    blanks = tokenizer.decode([context[--from] as number]) + blanks;
  const joined = blanks.slice(-1);
  const before = [...context.slice(0, from), ...tokenizer.encodePiece(blanks.slice(0, -1))];
  return {
    rows,
    context: (written) => {
      if (written.length === 0) return { tokens: before, joined };
      // A word may be cut otherwise behind a blank.
      const line = firstLine(written, tokenizer);
      return {
        tokens: [...before, ...tokenizer.encode(joined + tokenizer.decode(line)), ...written.slice(line.length)],
      };
    },
  };
}

/** Tokens up to the one with the first line break. */
function firstLine(tokens: readonly number[], tokenizer: Tokenizer): readonly number[] {
  const end = tokens.findIndex((token) => tokenizer.bytes(token).includes(NEWLINE));
  return end === -1 ? tokens : tokens.slice(0, end + 1);
}

const NEWLINE = 10;

/** The tokens of a continuation where it is written, given those in the text; undefined where it goes on otherwise. */
export function unjoined(
  tokens: readonly number[],
  joined: string | undefined,
  tokenizer: Pick<Tokenizer, 'decode' | 'encodePiece'>,
): readonly number[] | undefined {
  const [first, ...others] = tokens;
  if (joined === undefined || first === undefined) return tokens;
  const text = tokenizer.decode([first]);
  if (!text.startsWith(joined)) return undefined;
  return [...tokenizer.encodePiece(text.slice(joined.length)), ...others];
}
