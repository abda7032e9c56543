import type { Node } from '@vscode/tree-sitter-wasm';
import { MAX_CHARACTERS, ParsedText } from './parsedText';
import { declaredAt, staleNames } from './references';
import { RULES } from './rules';

/** A file as its syntax tree tells of it. After an edit only what changed is parsed again. */
export class SourceTree {
  readonly #parsed: ParsedText;

  private constructor(parsed: ParsedText) {
    this.#parsed = parsed;
  }

  /** @returns undefined for a language without a grammar */
  static async open(path: string): Promise<SourceTree | undefined> {
    const parsed = await ParsedText.open(path);
    return parsed && new SourceTree(parsed);
  }

  /** Reads the text as it is now. @returns whether it could be parsed; if not, nothing is known */
  read(text: string): boolean {
    if (text.length <= MAX_CHARACTERS) return this.#parsed.read(text) !== undefined;
    this.#parsed.forget();
    return false;
  }

  /** What a place is part of. What is interpolated in a string is code. */
  scope(offset: number): 'code' | 'comment' | 'string' {
    const { texts } = RULES[this.#parsed.grammar];
    for (let node = this.#parsed.root?.descendantForIndex(offset) ?? null; node; node = node.parent) {
      if (CODE_IN_TEXT.has(node.type)) return 'code';
      if (texts.has(node.type)) return scopeOfText(node);
    }
    return 'code';
  }

  /** See `staleNames` of references.ts. */
  staleNames(at: number, oldName: string, newName: string): number[] | undefined {
    const { root, text, grammar } = this.#parsed;
    return root && staleNames(root, text, grammar, { at, oldName, newName });
  }

  /** Whether a declaration of a name can be seen at a place. */
  declared(name: string, at: number): boolean | undefined {
    const { root, text, grammar } = this.#parsed;
    return root && declaredAt(root, text, grammar, name, at);
  }

  /** Frees what it holds. */
  close(): void {
    this.#parsed.close();
  }
}

/** Code inside a string. */
const CODE_IN_TEXT = new Set(['template_substitution', 'interpolation']);

/** A regular expression is code. */
function scopeOfText({ type }: Node): 'code' | 'comment' | 'string' {
  if (type === 'comment') return 'comment';
  return type === 'regex' ? 'code' : 'string';
}
