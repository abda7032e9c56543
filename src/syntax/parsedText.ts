import type { Node, Parser, Tree } from '@vscode/tree-sitter-wasm';
import type { ParserName } from '../languages';
import { editBetween } from './edit';
import { parserFor } from './grammar';

/** UTF-16 units of a file beyond which it is not parsed: a first parse takes some 10 ms for 60,000. */
export const MAX_CHARACTERS = 400_000;

/** The parser of one language and what it read last: of a text that differs little, only what changed is parsed again. */
export class ParsedText {
  readonly grammar: ParserName;
  readonly #parser: Parser;
  #text = '';
  #tree: Tree | undefined;

  private constructor(parser: Parser, grammar: ParserName) {
    this.#parser = parser;
    this.grammar = grammar;
  }

  /** @returns undefined for a language without a grammar */
  static async open(path: string): Promise<ParsedText | undefined> {
    const found = await parserFor(path);
    return found && new ParsedText(found.parser, found.grammar);
  }

  /** The text that was read last. */
  get text(): string {
    return this.#text;
  }

  /** Its tree's root; undefined where nothing could be parsed. */
  get root(): Node | undefined {
    return this.#tree?.rootNode;
  }

  /** Reads a text, and says its tree's root. */
  read(text: string): Node | undefined {
    if (this.#tree && text === this.#text) return this.root;
    this.#tree?.edit(editBetween(this.#text, text));
    const tree = this.#parser.parse(text, this.#tree) ?? undefined;
    // Trees live in WebAssembly's memory: nobody else frees them.
    this.#tree?.delete();
    this.#tree = tree;
    this.#text = text;
    return this.root;
  }

  /** Forgets what was read. */
  forget(): void {
    this.#tree?.delete();
    this.#tree = undefined;
    this.#text = '';
  }

  /** Frees what it holds; it cannot be used any more. */
  close(): void {
    this.forget();
    this.#parser.delete();
  }
}
