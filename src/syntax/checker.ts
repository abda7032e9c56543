import { extname } from 'node:path';
import type { Node } from '@vscode/tree-sitter-wasm';
import { closersOf } from './closers';
import { undeclaredNames } from './names';
import { MAX_CHARACTERS, ParsedText } from './parsedText';
import { RULES } from './rules';
import { unitLines } from './unit';

/** A text that is to stand at the cursor. */
export interface Insertion {
  readonly text: string;
  /** Characters after the cursor that it covers. */
  readonly replaceSuffix: number;
}

export interface SyntaxCheck {
  /** Whether the file can be parsed with the text in it, as it is or once its own brackets are closed; undefined: it cannot be said. */
  readonly parses: boolean | undefined;
  /** Names in the text that nothing declares where it stands (JavaScript and TypeScript). */
  readonly undeclared: readonly string[];
}

/** Nothing is known: neither for nor against it. */
export const UNKNOWN: SyntaxCheck = { parses: undefined, undeclared: [] };

/** The parser of one language at work on one file after the other: a text that differs little costs little. */
export class SyntaxChecker {
  readonly #parsed: ParsedText;

  private constructor(parsed: ParsedText) {
    this.#parsed = parsed;
  }

  /** @returns undefined for a language without a grammar */
  static async open(path: string): Promise<SyntaxChecker | undefined> {
    const parsed = await ParsedText.open(path);
    return parsed && new SyntaxChecker(parsed);
  }

  /**
   * Judges what could stand at the cursor.
   * @param prefix whole text before the cursor
   * @param suffix whole text after it
   */
  check(prefix: string, suffix: string, insertions: readonly Insertion[]): SyntaxCheck[] {
    if (prefix.length + suffix.length > MAX_CHARACTERS) return insertions.map(() => UNKNOWN);
    const allowed = this.#allowedErrors(prefix, suffix);
    return insertions.map((insertion) => this.#verdict(prefix, suffix, insertion, allowed));
  }

  /**
   * A text that parses, made of one that does not by leaving out closing brackets too many at its end, or its last
   * lines; undefined if neither helps.
   */
  repair(prefix: string, suffix: string, { text, replaceSuffix }: Insertion): string | undefined {
    const allowed = this.#allowedErrors(prefix, suffix);
    return shorter(text).find((tried) => {
      return this.#parses(prefix, suffix, { text: tried, replaceSuffix }, allowed) === true;
    });
  }

  /**
   * Where the syntax node ends that is written at a cursor.
   * @returns for whole lines of text at the cursor: how many of them belong to the node; undefined while it goes on, and
   * where it cannot be said
   */
  unit(prefix: string, suffix: string): (text: string) => number | undefined {
    const tooLong = prefix.length + suffix.length > MAX_CHARACTERS;
    let allowed: number | undefined;
    return (text) => {
      if (tooLong || text.trim() === '') return undefined;
      allowed ??= this.#allowedErrors(prefix, suffix);
      const wrong = this.#errors(prefix + text + suffix) > allowed;
      const { root, grammar } = this.#parsed;
      return wrong || !root ? undefined : unitLines(root, prefix.length, text, RULES[grammar]);
    };
  }

  /** Errors of the file without the text, which are not the text's: with nothing at the cursor, or without its line. */
  #allowedErrors(prefix: string, suffix: string): number {
    const line = prefix.lastIndexOf('\n') + 1;
    const next = suffix.indexOf('\n');
    const without = prefix.slice(0, line) + (next === -1 ? '' : suffix.slice(next + 1));
    return Math.min(this.#errors(without), this.#errors(prefix + suffix));
  }

  #verdict(prefix: string, suffix: string, insertion: Insertion, allowed: number): SyntaxCheck {
    const parses = this.#parses(prefix, suffix, insertion, allowed);
    if (parses === false || !RULES[this.#parsed.grammar].names) return { parses, undeclared: [] };
    // The tree is that of the text in its place, its brackets closed.
    const { root, text } = this.#parsed;
    const start = prefix.length;
    return {
      parses,
      undeclared: root ? undeclaredNames(root, text, start, start + insertion.text.length) : [],
    };
  }

  #parses(prefix: string, suffix: string, { text, replaceSuffix }: Insertion, allowed: number): boolean | undefined {
    const rest = suffix.slice(replaceSuffix);
    if (this.#errors(prefix + text + rest) <= allowed) return true;
    const line = prefix.slice(prefix.lastIndexOf('\n') + 1);
    const closers = closersOf(line + text, this.#parsed.grammar);
    if (closers === undefined) return undefined;
    return closers !== '' && this.#errors(prefix + text + closers + rest) <= allowed;
  }

  #errors(text: string): number {
    const root = this.#parsed.read(text);
    return root ? errorsIn(root) : 0;
  }
}

/** A checker for each language that is asked for; it remembers the file that it saw last. */
export class SyntaxCheckers {
  readonly #open = new Map<string, Promise<SyntaxChecker | undefined>>();

  /** @returns undefined for a language without a grammar. One that cannot be loaded costs the check, not the suggestion. */
  of(path: string): Promise<SyntaxChecker | undefined> {
    const extension = extname(path).toLowerCase();
    const checker = this.#open.get(extension) ?? SyntaxChecker.open(path).catch(() => undefined);
    this.#open.set(extension, checker);
    return checker;
  }
}

/** Errors and missing pieces in a tree. */
function errorsIn(node: Node): number {
  if (node.isError || node.isMissing) return 1;
  if (!node.hasError) return 0;
  return node.children.reduce((sum, child) => sum + (child ? errorsIn(child) : 0), 0);
}

/** What is left of a text without the last of its closing brackets, or without its last lines. */
function shorter(text: string): string[] {
  const closers = /[)\]};,]*$/.exec(text)?.[0].length ?? 0;
  const unclosed = Array.from({ length: Math.min(3, closers) }, (_, i) => text.slice(0, text.length - 1 - i));
  const lines = text.split('\n');
  const cut = Array.from({ length: lines.length - 1 }, (_, i) => lines.slice(0, lines.length - 1 - i).join('\n'));
  return [...unclosed, ...cut.map((one) => one.trimEnd())].filter((one) => one.trim() !== '');
}
