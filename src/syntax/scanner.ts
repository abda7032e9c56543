import type { Family, StringRule } from './families';

/** Brackets and the quotes that editors close by themselves. */
export const BRACKETS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
export const QUOTES: readonly string[] = ['"', "'", '`'];

/** Brackets of prose. */
const PROSE: Readonly<Record<string, string>> = {
  '（': '）', '［': '］', '｛': '｝', '「': '」', '『': '』', '【': '】', '《': '》', '〈': '〉', '〔': '〕', '“': '”', '‘': '’', '«': '»', '‹': '›',
}; // prettier-ignore
interface Pairs {
  readonly closes: Readonly<Record<string, string>>;
  readonly closing: ReadonlySet<string>;
}
const HARD: Pairs = { closes: BRACKETS, closing: new Set(Object.values(BRACKETS)) };
const SOFT: Pairs = {
  closes: { ...BRACKETS, ...PROSE },
  closing: new Set([...Object.values(BRACKETS), ...Object.values(PROSE)]),
};

/** What is written inside of a frame. */
type Mode = 'code' | 'text' | 'tag' | 'string' | 'comment';

/** Something that is open: a bracket, a string, a comment, a tag, or the element that a tag began. */
export interface Frame {
  readonly kind: 'bracket' | 'angle' | 'string' | 'comment' | 'tag' | 'element';
  /** The text that closes it. */
  readonly close: string;
  /** What is inside of it. */
  readonly mode: Mode;
  /** It stands in prose or in a string: nobody has to close it. */
  readonly soft: boolean;
  readonly rule?: StringRule;
  /** Of a tag or element: its name, undefined where it may go on; and whether the tag ends an element. */
  readonly name?: string | undefined;
  readonly ends?: boolean;
}

/** Text that closes something which was open before. */
export interface Closer {
  readonly at: number;
  readonly end: number;
  readonly text: string;
  /** What it closes, of what was open at the start; undefined: something that was opened before all that is known. */
  readonly frame: Frame | undefined;
  /** It closes nothing that can be closed here: something else is open, or closed with it. */
  readonly stray: boolean;
}

/** A piece of the text. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What a text has opened, from there to the end of what closes it: infinity where it is still open. */
export interface Opened extends Span {
  /** Undefined for regular expressions and here-documents. */
  readonly frame?: Frame;
}

export interface Scan {
  readonly closers: readonly Closer[];
  /** What is open at the end, the innermost last. */
  readonly open: readonly Frame[];
  readonly opened: readonly Opened[];
  /** Openers and closers of several characters. */
  readonly delimiters: readonly Span[];
  /** Where comments begin that the text opened. */
  readonly comments: readonly number[];
  /** Characters after the end that an escape takes. */
  readonly carried: number;
}

/** Where scanning begins. */
export interface Start {
  /** What is open there, the innermost last. */
  readonly open?: readonly Frame[];
  /** Index of the first character that counts; what stands before is only looked back at. */
  readonly from?: number;
}

/** Frames looked through for the one that a bracket closes. */
const DEEPEST = 100;

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

/** A frame for a string that began before the text. */
export function stringFrame(rule: StringRule, close = rule.close): Frame {
  return { kind: 'string', close, mode: 'string', soft: false, rule };
}

export function commentFrame(close: string): Frame {
  return { kind: 'comment', close, mode: 'comment', soft: false };
}

export function tagFrame(name?: string, ends = false): Frame {
  return { kind: 'tag', close: '>', mode: 'tag', soft: false, name, ends };
}

class Scanner {
  readonly #text: string;
  readonly #family: Family;
  #at: number;
  readonly #open: Frame[] = [];
  /** For each of them the innermost up to it that is not soft: what its text is part of. */
  readonly #holders: (Frame | undefined)[] = [];
  /** Where the frames began that the text opened. */
  readonly #begun = new Map<Frame, number>();
  readonly #closers: Closer[] = [];
  readonly #opened: Opened[] = [];
  readonly #delimiters: Span[] = [];
  readonly #comments: number[] = [];
  /** Lines that end here-documents which begin with the next line. */
  #heredocs: string[] = [];
  readonly #base: Mode;

  constructor(text: string, family: Family, { open = [], from = 0 }: Start) {
    this.#text = text;
    this.#family = family;
    this.#at = from;
    for (const frame of open) this.#enter(frame);
    this.#base = family.markup === 'text' ? 'text' : 'code';
  }

  run(): Scan {
    const { length } = this.#text;
    const word = /[A-Za-z0-9_ \t]+/y;
    while (this.#at < length) {
      word.lastIndex = this.#at;
      this.#at += word.exec(this.#text)?.[0].length ?? 0;
      if (this.#at < length) this.#step(this.#text[this.#at] as string);
    }
    for (const [frame, from] of this.#begun) {
      this.#opened.push({ from, to: Infinity, frame });
    }
    return {
      closers: this.#closers,
      open: this.#open,
      opened: this.#opened,
      delimiters: this.#delimiters,
      comments: this.#comments,
      carried: this.#at - length,
    };
  }

  #step(character: string): void {
    switch (this.#open.at(-1)?.mode ?? this.#base) {
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
    if (plain.some((pattern) => this.#take(pattern) !== undefined)) return;
    if (block.some((pair) => this.#block(pair))) return;
    if (line.some((open) => this.#opens(open, () => commentFrame('\n')))) return;
    const ends = heredoc && this.#take(heredoc);
    if (ends !== undefined) return void this.#heredocs.push(ends);
    for (const rule of strings) {
      if (rule.open === "'" && !this.#family.adjacent && !this.#opensString()) continue;
      if (
        this.#opens(rule.open, (group) =>
          stringFrame(
            rule,
            rule.close.replace('$1', () => group),
          ),
        )
      )
        return;
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
      if (rule.open === '`' && this.#opens('`', () => stringFrame(rule))) return;
    }
    // In JSX braces hold code.
    if (markup === 'jsx' && character === '{') return this.#push('bracket', '}', 'code', 1);
    const stands = character === '>' && markup === 'text' && !/[-=\s]/.test(this.#text[this.#at - 1] ?? ' ');
    if (stands && this.#open.length === 0) return this.#closeOther(character);
    this.#bracket(character, SOFT);
  }

  #tag(character: string): void {
    const tag = this.#holders.at(-1) as Frame;
    const self = this.#text.startsWith('/>', this.#at);
    if (self || character === '>') return this.#endTag(tag, self);
    if (ATTRIBUTES.some((rule) => this.#opens(rule.open, () => stringFrame(rule)))) return;
    if (this.#family.pairs?.some((pair) => this.#pair(pair))) return;
    if (this.#family.markup === 'jsx' && character === '{') return this.#push('bracket', '}', 'code', 1);
    this.#bracket(character, SOFT);
  }

  #string(character: string): void {
    const string = this.#holders.at(-1) as Frame;
    const { escape = '\\', multiline, code } = string.rule as StringRule;
    if (code !== undefined && this.#text.startsWith(code, this.#at)) {
      const bracket = [...code].find((one) => BRACKETS[one] !== undefined) as string;
      return this.#push('bracket', BRACKETS[bracket] as string, 'code', code.length);
    }
    if (character === escape) this.#at += 2;
    else if (this.#text.startsWith(string.close, this.#at)) this.#close(string, string.close);
    else if (character === '\n' && !multiline) this.#drop(string);
    else this.#bracket(character, SOFT);
  }

  #comment(character: string): void {
    const comment = this.#holders.at(-1) as Frame;
    if (comment.close === '\n' && character === '\n') this.#drop(comment);
    else if (this.#text.startsWith(comment.close, this.#at)) this.#close(comment, comment.close);
    else if (character === '"' || character === '`') this.#softQuote(character);
    else this.#bracket(character, SOFT);
  }

  /** Quotes of a comment stand in pairs; nobody has to close them. */
  #softQuote(quote: string): void {
    const top = this.#open.at(-1);
    if (top?.soft && top.close === quote) this.#close(top, quote);
    else this.#push('bracket', quote, 'comment', 1, true);
  }

  /** Here-documents that were announced stand in the lines after this one. */
  #newline(): void {
    for (const ends of this.#heredocs) {
      const from = this.#at;
      for (let last = false; !last && this.#at < this.#text.length;) {
        const next = this.#text.indexOf('\n', this.#at + 1);
        const end = next === -1 ? this.#text.length : next;
        last = this.#text.slice(this.#at + 1, end).trim() === ends;
        this.#at = end;
      }
      this.#opened.push({ from, to: this.#at });
    }
    if (this.#heredocs.length === 0) this.#at++;
    this.#heredocs = [];
  }

  #bracket(character: string, { closes, closing }: Pairs): void {
    const mode = this.#open.at(-1)?.mode ?? this.#base;
    const close = closes[character];
    if (close !== undefined) return this.#push('bracket', close, mode, 1, mode !== 'code');
    const frame = closing.has(character) && this.#found(character);
    if (frame) this.#close(frame, character);
    else if (mode === 'code' && closing.has(character)) this.#closeOther(character);
    else this.#at++;
  }

  /** A comment of its own, or the end of one that began before all that is known. */
  #block([open, close]: readonly [string, string]): boolean {
    if (this.#opens(open, () => commentFrame(close))) return true;
    // "]]" may as well be two brackets.
    if (HARD.closing.has(close[0] as string) || !this.#text.startsWith(close, this.#at)) return false;
    this.#closeOther(close);
    return true;
  }

  /** A bracket of several characters, with code in it. */
  #pair([open, close]: readonly [string, string]): boolean {
    if (this.#text.startsWith(open, this.#at)) this.#push('bracket', close, 'code', open.length);
    else if (close.length > 1 && this.#text.startsWith(close, this.#at)) this.#closeOther(close);
    else return false;
    return true;
  }

  /** `<` after a name, and `>` that closes one. */
  #angle(character: string): boolean {
    const before = this.#text.slice(Math.max(0, this.#at - 12), this.#at);
    if (character === '<') {
      const after = this.#text[this.#at + 1] ?? '';
      if (!/(?:[\p{L}\p{N}_]|::|#\s*include\s*)$/u.test(before) || /[\s<=]/.test(after)) return false;
      this.#push('angle', '>', 'code', 1);
      return true;
    }
    const top = this.#open.at(-1);
    if (character !== '>' || top?.kind !== 'angle' || /[-=]$/.test(before)) return false;
    this.#close(top, '>');
    return true;
  }

  /** The innermost bracket that is closed so, if nothing of another kind is open inside of it. */
  #found(close: string): Frame | undefined {
    const soft = (this.#open.at(-1)?.mode ?? this.#base) !== 'code';
    for (let i = this.#open.length - 1; i >= Math.max(0, this.#open.length - DEEPEST); i--) {
      const frame = this.#open[i] as Frame;
      if (frame.kind === 'angle') continue;
      if (frame.kind !== 'bracket' || frame.soft !== soft) return undefined;
      if (frame.close === close) return frame;
    }
    return undefined;
  }

  /** Something that closes what was opened before all that is known, or a bracket that is further out. */
  #closeOther(close: string): void {
    const known = this.#open.slice(-DEEPEST);
    const frame = known.findLast((one) => one.close === close && one.kind === 'bracket');
    if (frame && close.length > 1) return this.#close(frame, close);
    const stray = known.some(isHard);
    this.#closers.push({ at: this.#at, end: this.#at + close.length, text: close, frame: undefined, stray });
    this.#delimit(close.length);
    this.#at += close.length;
  }

  /** Closes a frame, and with it what is open inside of it. */
  #close(frame: Frame, close: string, at = this.#at): void {
    const end = this.#at + close.length;
    const from = this.#begun.get(frame);
    const inside = this.#leave(frame);
    if (from === undefined) {
      const stray = frame.kind !== 'string' && frame.kind !== 'element' && inside.some(isHard);
      this.#closers.push({ at, end, text: this.#text.slice(at, end), frame, stray });
    } else {
      this.#opened.push({ from, to: end, frame });
    }
    this.#delimit(close.length);
    this.#at = end;
  }

  /** A string or comment ends with its line. */
  #drop(frame: Frame): void {
    const from = this.#begun.get(frame);
    if (from !== undefined) this.#opened.push({ from, to: this.#at, frame });
    this.#leave(frame);
  }

  #enter(frame: Frame): void {
    this.#holders.push(frame.soft || frame.kind === 'angle' ? this.#holders.at(-1) : frame);
    this.#open.push(frame);
  }

  /** @returns what was open inside of it */
  #leave(frame: Frame): Frame[] {
    const inside = this.#open.splice(this.#open.lastIndexOf(frame));
    this.#holders.length = this.#open.length;
    for (const one of inside) this.#begun.delete(one);
    return inside.slice(1);
  }

  #push(kind: Frame['kind'], close: string, mode: Mode, length: number, soft = false): void {
    this.#begin({ kind, close, mode, soft }, length);
  }

  #delimit(length: number): void {
    if (length > 1) this.#delimiters.push({ from: this.#at, to: this.#at + length });
  }

  #begin(frame: Frame, length: number): void {
    this.#delimit(length);
    this.#begun.set(frame, this.#at);
    this.#enter(frame);
    if (frame.kind === 'comment') this.#comments.push(this.#at);
    this.#at += length;
  }

  #opens(opening: string | RegExp, frame: (group: string) => Frame): boolean {
    const from = this.#at;
    const group = this.#take(opening);
    if (group === undefined) return false;
    const length = this.#at - from;
    this.#at = from;
    this.#begin(frame(group), length);
    return true;
  }

  /** Goes beyond a piece, if it is here. @returns its first group, or "" */
  #take(piece: string | RegExp): string | undefined {
    if (typeof piece === 'string') {
      if (!this.#text.startsWith(piece, this.#at)) return undefined;
      this.#at += piece.length;
      return '';
    }
    piece.lastIndex = this.#at;
    const match = piece.exec(this.#text);
    if (!match || match[0] === '') return undefined;
    this.#at += match[0].length;
    return match[1] ?? '';
  }

  /** An apostrophe in a word is none that opens a string, unless what stands before it is a prefix of strings. */
  #opensString(): boolean {
    const before = this.#text.slice(Math.max(0, this.#at - 4), this.#at);
    return !/[\p{L}\p{N}_]$/u.test(before) || STRING_PREFIX.test(before);
  }

  /** Whether a value, not an operator, comes next: what stands before tells. */
  #expectsOperand(): boolean {
    const before = this.#text.slice(Math.max(0, this.#at - 32), this.#at).trimEnd();
    return before === '' || !/[\p{L}\p{N}_$)\]}"'`]$/u.test(before) || BEFORE_OPERAND.test(before);
  }

  /** Goes beyond a regular expression in this line: `/` inside of a class does not end it. */
  #regex(): boolean {
    let inClass = false;
    for (let i = this.#at + 1; i < Math.min(this.#text.length, this.#at + 400); i++) {
      const character = this.#text[i];
      if (character === '\n') return false;
      if (character === '\\') i++;
      else if (character === '[') inClass = true;
      else if (character === ']') inClass = false;
      else if (character === '/' && !inClass) {
        if (i === this.#at + 1) return false;
        this.#opened.push({ from: this.#at, to: i + 1 });
        this.#at = i + 1;
        return true;
      }
    }
    return false;
  }

  /** @param anywhere between tags a tag may begin after a word, too */
  #opensTag(anywhere = false): boolean {
    TAG.lastIndex = this.#at;
    const match = TAG.exec(this.#text);
    if (!match) return false;
    const [whole, slash, name = ''] = match;
    if (!anywhere && slash === '' && !this.#expectsOperand()) return false;
    const goesOn = this.#at + whole.length === this.#text.length;
    this.#begin(tagFrame(goesOn ? undefined : name.toLowerCase(), slash !== ''), whole.length);
    return true;
  }

  #endTag(tag: Frame, self: boolean): void {
    const { name, ends } = tag;
    const from = this.#begun.get(tag);
    if (!ends) {
      this.#close(tag, self ? '/>' : '>');
      if (!self && !VOID.includes(name)) {
        // It begins with the end of the tag.
        this.#at--;
        this.#begin({ kind: 'element', close: `</${name}>`, mode: 'text', soft: false, name }, 1);
      }
      return;
    }
    const element = this.#open
      .slice(-DEEPEST)
      .findLast((one) => one.kind === 'element' && (one.name ?? name) === (name ?? one.name));
    if (from === undefined) {
      this.#close(tag, '>');
      if (element) this.#leave(element);
    } else if (element) {
      // "</p>" is one closer.
      this.#close(element, '>', from);
    } else {
      this.#drop(tag);
      const end = this.#at + 1;
      this.#closers.push({ at: from, end, text: this.#text.slice(from, end), frame: undefined, stray: false });
      this.#at = end;
    }
  }
}

function isHard({ kind, soft }: Frame): boolean {
  return !soft && kind !== 'angle' && kind !== 'element';
}
