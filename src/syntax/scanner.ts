import type { Family, StringRule } from './families';
import {
  BRACKETS,
  commentFrame,
  DEEPEST,
  HARD,
  QUOTES,
  Reader,
  SOFT,
  stringFrame,
  tagFrame,
  type Frame,
  type Pairs,
  type Scan,
  type Start,
} from './frames';

const TAG = /<(\/?)([\p{L}][\p{L}\p{N}_.-]*(?::[\p{L}\p{N}_.-]+)*(?=[\s/>]|$)|(?=>))/uy;
const VOID: readonly (string | undefined)[] =
  'area base br col embed hr img input link meta param source track wbr'.split(' ');
/** Words after which an operand is expected. */
const BEFORE_OPERAND = /(?:^|[^\p{L}\p{N}_$.])(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/u;
const STRING_PREFIX = /(?<![\p{L}\p{N}_])(?:[rbufnexl]|u8|[bf]r|r[bf])$/iu;

const ATTRIBUTES: readonly StringRule[] = QUOTES.slice(0, 2).map((quote) => ({
  open: quote,
  close: quote,
  escape: '',
  multiline: true,
}));

/**
 * Brackets, quotes, comments and tags of a text, by the rules of its language's family. One pass over it; nothing is
 * looked for further away than a line or some dozens of characters.
 * @param text line ends `\n`
 */
export function scan(text: string, family: Family, start: Start = {}): Scan {
  return new Scanner(text, family, start).run();
}

class Scanner extends Reader {
  readonly #family: Family;
  /** Lines that end here-documents which begin with the next line. */
  #heredocs: string[] = [];

  constructor(text: string, family: Family, start: Start) {
    super(text, family.markup === 'text' ? 'text' : 'code', start);
    this.#family = family;
  }

  run(): Scan {
    const { length } = this.text;
    const word = /[A-Za-z0-9_ \t]+/y;
    while (this.at < length) {
      word.lastIndex = this.at;
      this.at += word.exec(this.text)?.[0].length ?? 0;
      if (this.at < length) this.#step(this.text[this.at] as string);
    }
    return this.result();
  }

  #step(character: string): void {
    switch (this.mode) {
      case 'code':
        return this.#code(character);
      case 'text':
        return this.#prose(character);
      case 'tag':
        return this.#tag(character);
      case 'string':
        return this.#string(character);
      case 'comment':
        return this.#comment(character);
    }
  }

  #code(character: string): void {
    const { line = [], block = [], strings = [], plain = [], pairs = [], heredoc, regex, markup } = this.#family;
    if (character === '\n') return this.#newline();
    if (plain.some((pattern) => this.take(pattern) !== undefined)) return;
    if (block.some((pair) => this.#block(pair))) return;
    if (line.some((open) => this.opens(open, () => commentFrame('\n')))) return;
    const ends = heredoc && this.take(heredoc);
    if (ends !== undefined) return void this.#heredocs.push(ends);
    for (const rule of strings) {
      if (rule.open === "'" && !this.#family.adjacent && !this.#opensString()) continue;
      const frame = (group: string) =>
        stringFrame(
          rule,
          rule.close.replace('$1', () => group),
        );
      if (this.opens(rule.open, frame)) return;
    }
    if (pairs.some((pair) => this.#pair(pair))) return;
    if (character === '/' && regex && this.#expectsOperand() && this.#regex()) return;
    if (character === '<' && markup && this.#opensTag()) return;
    if (this.#family.angles && this.#angle(character)) return;
    this.#bracket(character, HARD);
  }

  /** Text between tags, or of a document that is prose. */
  #prose(character: string): void {
    const { block = [], pairs = [], markup, strings = [] } = this.#family;
    if (block.some((pair) => this.#block(pair))) return;
    if (pairs.some((pair) => this.#pair(pair))) return;
    if (character === '<' && this.#opensTag(true)) return;
    for (const rule of strings) {
      if (rule.open === '`' && this.opens('`', () => stringFrame(rule))) return;
    }
    // In JSX braces hold code.
    if (markup === 'jsx' && character === '{') return this.push('bracket', '}', 'code', 1);
    const stands = character === '>' && markup === 'text' && !/[-=\s]/.test(this.text[this.at - 1] ?? ' ');
    if (stands && this.open.length === 0) return this.closeOther(character);
    this.#bracket(character, SOFT);
  }

  #tag(character: string): void {
    const tag = this.holder;
    const self = this.text.startsWith('/>', this.at);
    if (self || character === '>') return this.#endTag(tag, self);
    if (ATTRIBUTES.some((rule) => this.opens(rule.open, () => stringFrame(rule)))) return;
    if (this.#family.pairs?.some((pair) => this.#pair(pair))) return;
    if (this.#family.markup === 'jsx' && character === '{') return this.push('bracket', '}', 'code', 1);
    this.#bracket(character, SOFT);
  }

  #string(character: string): void {
    const string = this.holder;
    const { escape = '\\', multiline, code } = string.rule as StringRule;
    if (code !== undefined && this.text.startsWith(code, this.at)) {
      const bracket = [...code].find((one) => BRACKETS[one] !== undefined) as string;
      return this.push('bracket', BRACKETS[bracket] as string, 'code', code.length);
    }
    if (character === escape) this.at += 2;
    else if (this.text.startsWith(string.close, this.at)) this.close(string, string.close);
    else if (character === '\n' && !multiline) this.drop(string);
    else this.#bracket(character, SOFT);
  }

  #comment(character: string): void {
    const comment = this.holder;
    if (comment.close === '\n' && character === '\n') this.drop(comment);
    else if (this.text.startsWith(comment.close, this.at)) this.close(comment, comment.close);
    else if (character === '"' || character === '`') this.#softQuote(character);
    else this.#bracket(character, SOFT);
  }

  /** Quotes of a comment stand in pairs; nobody has to close them. */
  #softQuote(quote: string): void {
    const top = this.open.at(-1);
    if (top?.soft && top.close === quote) this.close(top, quote);
    else this.push('bracket', quote, 'comment', 1, true);
  }

  /** Here-documents that were announced stand in the lines after this one. */
  #newline(): void {
    for (const ends of this.#heredocs) {
      const from = this.at;
      for (let last = false; !last && this.at < this.text.length;) {
        const next = this.text.indexOf('\n', this.at + 1);
        const end = next === -1 ? this.text.length : next;
        last = this.text.slice(this.at + 1, end).trim() === ends;
        this.at = end;
      }
      this.opened.push({ from, to: this.at });
    }
    if (this.#heredocs.length === 0) this.at++;
    this.#heredocs = [];
  }

  #bracket(character: string, { closes, closing }: Pairs): void {
    const mode = this.mode;
    const close = closes[character];
    if (close !== undefined) return this.push('bracket', close, mode, 1, mode !== 'code');
    const frame = closing.has(character) && this.found(character);
    if (frame) this.close(frame, character);
    else if (mode === 'code' && closing.has(character)) this.closeOther(character);
    else this.at++;
  }

  /** A comment of its own, or the end of one that began before all that is known. */
  #block([open, close]: readonly [string, string]): boolean {
    if (this.opens(open, () => commentFrame(close))) return true;
    // "]]" may as well be two brackets.
    if (HARD.closing.has(close[0] as string) || !this.text.startsWith(close, this.at)) return false;
    this.closeOther(close);
    return true;
  }

  /** A bracket of several characters, with code in it. */
  #pair([open, close]: readonly [string, string]): boolean {
    if (this.text.startsWith(open, this.at)) this.push('bracket', close, 'code', open.length);
    else if (close.length > 1 && this.text.startsWith(close, this.at)) this.closeOther(close);
    else return false;
    return true;
  }

  /** `<` after a name, and `>` that closes one. */
  #angle(character: string): boolean {
    const before = this.text.slice(Math.max(0, this.at - 12), this.at);
    if (character === '<') {
      const after = this.text[this.at + 1] ?? '';
      if (!/(?:[\p{L}\p{N}_]|::|#\s*include\s*)$/u.test(before) || /[\s<=]/.test(after)) return false;
      this.push('angle', '>', 'code', 1);
      return true;
    }
    const top = this.open.at(-1);
    if (character !== '>' || top?.kind !== 'angle' || /[-=]$/.test(before)) return false;
    this.close(top, '>');
    return true;
  }

  /** An apostrophe in a word is none that opens a string, unless what stands before it is a prefix of strings. */
  #opensString(): boolean {
    const before = this.text.slice(Math.max(0, this.at - 4), this.at);
    return !/[\p{L}\p{N}_]$/u.test(before) || STRING_PREFIX.test(before);
  }

  /** Whether a value, not an operator, comes next: what stands before tells. */
  #expectsOperand(): boolean {
    const before = this.text.slice(Math.max(0, this.at - 32), this.at).trimEnd();
    return before === '' || !/[\p{L}\p{N}_$)\]}"'`]$/u.test(before) || BEFORE_OPERAND.test(before);
  }

  /** Goes beyond a regular expression in this line: `/` inside of a class does not end it. */
  #regex(): boolean {
    let inClass = false;
    for (let i = this.at + 1; i < Math.min(this.text.length, this.at + 400); i++) {
      const character = this.text[i];
      if (character === '\n') return false;
      if (character === '\\') i++;
      else if (character === '[') inClass = true;
      else if (character === ']') inClass = false;
      else if (character === '/' && !inClass) {
        if (i === this.at + 1) return false;
        this.opened.push({ from: this.at, to: i + 1 });
        this.at = i + 1;
        return true;
      }
    }
    return false;
  }

  /** @param anywhere between tags a tag may begin after a word, too */
  #opensTag(anywhere = false): boolean {
    TAG.lastIndex = this.at;
    const match = TAG.exec(this.text);
    if (!match) return false;
    const [whole, slash, name = ''] = match;
    if (!anywhere && slash === '' && !this.#expectsOperand()) return false;
    const isUnfinished = this.at + whole.length === this.text.length;
    this.begin(tagFrame(isUnfinished ? undefined : name.toLowerCase(), slash !== ''), whole.length);
    return true;
  }

  #endTag(tag: Frame, self: boolean): void {
    const { name, ends } = tag;
    const from = this.begun.get(tag);
    if (!ends) {
      this.close(tag, self ? '/>' : '>');
      if (!self && !VOID.includes(name)) {
        // It begins with the end of the tag.
        this.at--;
        this.begin({ kind: 'element', close: `</${name}>`, mode: 'text', soft: false, name }, 1);
      }
      return;
    }
    const element = this.open
      .slice(-DEEPEST)
      .findLast((one) => one.kind === 'element' && (one.name ?? name) === (name ?? one.name));
    if (from === undefined) {
      this.close(tag, '>');
      if (element) this.leave(element);
    } else if (element) {
      // "</p>" is one closer.
      this.close(element, '>', from);
    } else {
      this.drop(tag);
      const end = this.at + 1;
      this.closers.push({ at: from, end, text: this.text.slice(from, end), frame: undefined, stray: false });
      this.at = end;
    }
  }
}
