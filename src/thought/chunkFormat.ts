import { pathTailTokens } from '../model/path';
import type { InfillPrompt, Manifest, SpecialTokens } from '../model/manifest';
import type { Tokenizer } from '../model/tokenizer';

/** What the decoder reads of a stretch of text, and what is scored in it. */
export interface Example {
  /** Input tokens. */
  readonly inputs: readonly number[];
  /** The token after each of the last inputs, [S]: those are scored. */
  readonly targets: readonly number[];
  /** 1 where a target is a token of the text, 0 where it belongs to the header, [S]. */
  readonly weights: Float32Array;
}

/** How a decoder reads evidence: as it reads windows, or what is learned of one would not hold for the other. */
export interface ChunkFormat {
  /** Tokens of text that fit a chunk. */
  readonly capacity: number;
  /** Undefined where the text is too short to be cut. @param lines tokens of each line */
  example(lines: readonly (readonly number[])[]): Example | undefined;
}

/** Shares of the tokens that stand before and after what is scored. */
const [BEFORE, AFTER] = [0.4, 0.15];

/** @param tokens of a chunk, header included */
export function chunkFormat(
  { specialTokens, prompt }: Pick<Manifest, 'specialTokens' | 'prompt'>,
  path: string,
  tokenizer: Tokenizer,
  tokens: number,
): ChunkFormat {
  if (specialTokens) return suffixFirst(specialTokens, path, tokenizer, tokens);
  if (prompt?.style === 'prefix-suffix-middle') return prefixFirst(prompt, tokens);
  const begin = prompt?.begin === undefined ? [] : [prompt.begin];
  return {
    capacity: tokens - begin.length + 1,
    example(lines) {
      const { before, rest } = cut(lines, BEFORE);
      return rest.length === 0 || before.length === 0 ? undefined : scored([...begin, ...before], rest);
    },
  };
}

/** [file] path [prefix] text: all of the text is scored. */
function suffixFirst(special: SpecialTokens, path: string, tokenizer: Tokenizer, tokens: number): ChunkFormat {
  const header = [special.file, ...pathTailTokens(path, tokenizer), special.prefix];
  return {
    capacity: tokens - header.length + 1,
    example(lines) {
      const text = lines.flat();
      const all = [...header, ...text];
      const weights = new Float32Array(all.length - 1).fill(1);
      weights.fill(0, 0, header.length - 1);
      return { inputs: all.slice(0, -1), targets: all.slice(1), weights };
    },
  };
}

/** [prefix] text [suffix] text [middle] text: the middle is scored, as suggestions are written there. */
function prefixFirst({ begin, prefix, suffix, middle }: InfillPrompt, tokens: number): ChunkFormat {
  const start = begin === undefined ? [prefix] : [begin, prefix];
  const markers = start.length + 2;
  return {
    capacity: tokens - markers + 1,
    example(lines) {
      const { before, rest, lines: left } = cut(lines, BEFORE);
      if (before.length === 0) return undefined;
      const share = 1 - (AFTER * (before.length + rest.length)) / Math.max(1, rest.length);
      const { before: written, rest: after } = cut(left, share);
      if (written.length === 0 || after.length === 0) return undefined;
      return scored([...start, ...before, suffix, ...after, middle], written);
    },
  };
}

/** The text is scored behind what is given. */
function scored(given: readonly number[], text: readonly number[]): Example {
  return {
    inputs: [...given, ...text.slice(0, -1)],
    targets: text,
    weights: new Float32Array(text.length).fill(1),
  };
}

/** Whole lines, as many as make a share of the tokens, and the rest. */
function cut(lines: readonly (readonly number[])[], share: number) {
  const total = lines.reduce((sum, line) => sum + line.length, 0);
  let count = 0;
  let taken = 0;
  while (count < lines.length && taken + (lines[count]?.length ?? 0) <= share * total) taken += lines[count++]!.length;
  return { before: lines.slice(0, count).flat(), rest: lines.slice(count).flat(), lines: lines.slice(count) };
}
