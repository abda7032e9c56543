import type { Node, Parser, Tree } from '@vscode/tree-sitter-wasm';
import type { ParserName } from '../languages';
import { editBetween } from './edit';
import { parserFor } from './grammar';
import { declaredAt, staleNames } from './references';
import { RULES } from './rules';

/** UTF-16 units of a file beyond which it is not parsed. */
const MAX_CHARACTERS = 400_000;

/** A file as its syntax tree tells of it. After an edit only what changed is parsed again. */
export class SourceTree {
  readonly #parser: Parser;
  readonly #grammar: ParserName;
  #text = '';
  #tree: Tree | undefined;

  private constructor(parser: Parser, grammar: ParserName) {
    this.#parser = parser;
    this.#grammar = grammar;
  }

  /** @returns undefined for a language without a grammar */
  static async open(path: string): Promise<SourceTree | undefined> {
    const found = await parserFor(path);
    return found && new SourceTree(found.parser, found.grammar);
  }

  /** Reads the text as it is now. @returns whether it could be parsed; if not, nothing is known */
  read(text: string): boolean {
    if (this.#tree && text === this.#text) return true;
    if (text.length > MAX_CHARACTERS) {
      this.#forget();
      return false;
    }
    if (this.#tree) this.#tree.edit(editBetween(this.#text, text));
    const tree = this.#parser.parse(text, this.#tree) ?? undefined;
    // Trees live in WebAssembly's memory: nobody else frees them.
    this.#tree?.delete();
    this.#tree = tree;
    this.#text = text;
    return tree !== undefined;
  }

  /** What a place is part of. What is interpolated in a string is code. */
  scope(offset: number): 'code' | 'comment' | 'string' {
    const { texts } = RULES[this.#grammar];
    for (let node = this.#tree?.rootNode.descendantForIndex(offset) ?? null; node; node = node.parent) {
      if (CODE_IN_TEXT.has(node.type)) return 'code';
      if (texts.has(node.type)) return scopeOfText(node);
    }
    return 'code';
  }

  /** See `staleNames` of references.ts. */
  staleNames(at: number, oldName: string, newName: string): number[] | undefined {
    const root = this.#tree?.rootNode;
    return root && staleNames(root, this.#text, this.#grammar, { at, oldName, newName });
  }

  /** Whether a declaration of a name can be seen at a place. */
  declared(name: string, at: number): boolean | undefined {
    const root = this.#tree?.rootNode;
    return root && declaredAt(root, this.#text, this.#grammar, name, at);
  }

  /** Frees what it holds. */
  close(): void {
    this.#forget();
    this.#parser.delete();
  }

  #forget(): void {
    this.#tree?.delete();
    this.#tree = undefined;
    this.#text = '';
  }
}

/** Code inside a string. */
const CODE_IN_TEXT = new Set(['template_substitution', 'interpolation']);

/** A regular expression is code. */
function scopeOfText({ type }: Node): 'code' | 'comment' | 'string' {
  if (type === 'comment') return 'comment';
  return type === 'regex' ? 'code' : 'string';
}
