import fc from 'fast-check';

/** A piece of a line that is one thing to whoever reads it. */
export interface Piece {
  readonly text: string;
  /** A word or an escape: nothing may end inside of it. */
  readonly whole?: boolean;
  /** What it closes, and what it opens: brackets, quotes, tags and elements by their names. */
  readonly closes?: string;
  readonly opens?: string;
}

/** A language, as far as lines in it are made up. */
interface Language {
  readonly path: string;
  readonly brackets: readonly (readonly [string, string])[];
  readonly strings: readonly {
    readonly open: string;
    readonly close: string;
    readonly inside: readonly string[];
    readonly code?: readonly [string, string];
  }[];
  readonly comments: readonly (readonly [string, string])[];
  readonly words: readonly string[];
  readonly markup?: 'jsx' | 'text';
}

const round = [['(', ')']] as const;
const c = [...round, ['[', ']'], ['{', '}'], ['{ ', ' }']] as const;
const inside = ['a', 'größe', ' ', '(', ')', '[', '}', '👍🏽', '🇩🇪🇫🇷', "don't", 'e\u0301', '漢', '）'];
const escapes = ['\\n', '\\u00e9', '\\\\'];
const double = { open: '"', close: '"', inside: [...inside, ...escapes, '\\"'] };
const single = { open: "'", close: "'", inside: ['a', ' ', '(', ')', ']', '"', ...escapes, "\\'"] };
const words = ['a', 'foo', 'größe', 'x1', 'return'];

const LANGUAGES: readonly Language[] = [
  {
    path: 'a.ts',
    brackets: c,
    strings: [double, single, { open: '`', close: '`', inside: ['a', ' ', '(', "'", '"'], code: ['${', '}'] }],
    comments: [['/* ', ' */'], ['// ', '']],
    words: [...words, '= /[)]/', 'Map<string, a[]>'],
  },
  { path: 'a.tsx', brackets: c, strings: [double, single], comments: [['/* ', ' */']], words, markup: 'jsx' },
  {
    path: 'a.py',
    brackets: c,
    strings: [double, single, { open: '"""', close: '"""', inside: ['a', ' ', '(', "it's"] }],
    comments: [['# ', '']],
    words: [...words, "b'('", 'None'],
  },
  {
    path: 'a.rs',
    brackets: c,
    strings: [double, { open: 'r#"', close: '"#', inside: ['a', ' ', ')', '"', '\\'] }],
    comments: [['// ', '']],
    words: [...words, "&'a str", "'('", "'\\''", 'Vec<u8>', "'outer:"],
  },
  {
    path: 'a.go',
    brackets: c,
    strings: [double, { open: '`', close: '`', inside: ['a', ' ', ')', "'", '\\'] }],
    comments: [['/* ', ' */'], ['// ', '']],
    words: [...words, "'('"],
  },
  { path: 'a.java', brackets: c, strings: [double], comments: [['// ', '']], words: [...words, "'('", 'List<String>'] },
  { path: 'a.cpp', brackets: c, strings: [double], comments: [['/* ', ' */']], words: [...words, "1'000", "'['"] },
  {
    path: 'a.sh',
    brackets: [...round, ['{ ', ' }'], ['[ ', ' ]'], ['$(', ')'], ['${', '}']],
    strings: [
      { open: '"', close: '"', inside: ['a', ' ', '(', "'", '\\"'], code: ['$(', ')'] },
      { open: "'", close: "'", inside: ['a', ' ', ')', '"', '\\'] },
    ],
    comments: [[' # ', '']],
    words: ['a', 'echo', '\\(', '$a'],
  },
  {
    path: 'a.rb',
    brackets: c,
    strings: [{ ...double, code: ['#{', '}'] }, single],
    comments: [[' # ', '']],
    words: [...words, ':a'],
  },
  { path: 'a.html', brackets: [], strings: [], comments: [['<!-- ', ' -->']], words: [...words, "don't", '('], markup: 'text' },
  {
    path: 'a.sql',
    brackets: round,
    strings: [{ open: "'", close: "'", inside: ['a', ' ', '(', '"', '\\'] }],
    comments: [['/* ', ' */'], ['-- ', '']],
    words,
  },
]; // prettier-ignore

/** What is open, with what closes it and what may stand in it. */
export interface Open {
  readonly name: string;
  readonly close: string;
  readonly mode: 'code' | 'text' | 'tag' | 'string' | 'comment';
  readonly string?: Language['strings'][number];
}

const ATTRIBUTE: Open = {
  name: 'attribute',
  close: '"',
  mode: 'string',
  string: { open: '"', close: '"', inside: ['a', ' ', '('] },
};

/** Chooses by the numbers that fast-check makes up, so that it can make them smaller. */
class Writer {
  readonly pieces: Piece[] = [];
  #at = 0;

  constructor(
    readonly language: Language,
    readonly open: Open[],
    readonly choices: readonly number[],
    /** What stands before it. */
    readonly before = '',
  ) {}

  below(count: number): number {
    return (this.choices[this.#at++] ?? 0) % count;
  }

  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }

  write(count: number, free: boolean): void {
    while (this.#at < this.choices.length && this.pieces.length < count) this.#next(free);
  }

  /** Closes all that is open. */
  finish(): void {
    while (this.open.length > 0) this.#close();
  }

  #add(piece: Piece): void {
    const last = this.pieces.at(-1)?.text ?? this.before;
    // Words and quotes that follow each other would be others together.
    const joins = /[\p{L}\p{N}\p{M}_$"'`#:>&]$/u.test(last) && /^[\p{L}\p{N}\p{M}_$"'`/#&:<]/u.test(piece.text);
    const inCode = ['code', 'tag'].includes(this.open.at(-1)?.mode ?? 'code');
    // The text may go on with the word before the cursor.
    const continuesWord =
      this.pieces.length === 0 && /^[\p{L}\p{N}]+$/u.test(piece.text) && /[\p{L}\p{N}]$/u.test(last);
    if (joins && inCode && !continuesWord && piece.closes === undefined) this.pieces.push({ text: ' ' });
    this.pieces.push(piece);
  }

  #opens(text: string, open: Open): void {
    this.#add({ text, opens: open.name });
    this.open.push(open);
  }

  #close(): void {
    const top = this.open.at(-1) as Open;
    if (top.mode === 'tag') {
      this.#add({ text: '>', closes: top.name, opens: `</${top.name.slice(1)}>` });
      this.open[this.open.length - 1] = {
        name: `</${top.name.slice(1)}>`,
        close: `</${top.name.slice(1)}>`,
        mode: 'text',
      };
      return;
    }
    // What is empty would be something else, and quotes would be escaped.
    if (top.mode === 'string') this.#add({ text: 'a', whole: true });
    // A comment to the end of the line needs no end.
    if (top.close !== '') this.pieces.push({ text: top.close, closes: top.name });
    this.open.pop();
  }

  #next(free: boolean): void {
    const { language } = this;
    const top = this.open.at(-1);
    switch (top?.mode ?? (language.markup === 'text' ? 'text' : 'code')) {
      case 'code':
        return this.#code(free);
      case 'comment':
        if (top?.close !== '' && this.below(4) === 0) return this.#close();
        return this.#add({ text: this.of(['a', ' ', '(', ')', "it's", '👍🏽']) });
      case 'string': {
        const string = top!.string!;
        const choice = this.below(6);
        if (choice === 0) return this.#close();
        if (choice === 1 && string.code) {
          const [open, close] = string.code;
          return this.#opens(open, { name: open, close, mode: 'code' });
        }
        const text = this.of(string.inside);
        return this.#add({ text, whole: /^[\p{L}\p{M}]+$/u.test(text) || escapes.includes(text) });
      }
      case 'tag': {
        const choice = this.below(4);
        if (choice > 1) return this.#close();
        if (choice === 0) {
          this.#add({ text: ' />', closes: top!.name });
          return void this.open.pop();
        }
        this.#add({ text: ' id=' });
        if (language.markup === 'jsx' && this.below(2) === 0)
          return this.#opens('{', { name: '{', close: '}', mode: 'code' });
        return this.#opens('"', ATTRIBUTE);
      }
      case 'text': {
        const choice = this.below(6);
        if (choice === 0 && top) return this.#close();
        if (choice === 1) return this.#tag();
        if (choice === 2 && language.markup === 'jsx') return this.#opens('{', { name: '{', close: '}', mode: 'code' });
        return this.#add({ text: this.of(['a ', 'größe', ' ', "don't ", '(', '👍🏽', ', ']) });
      }
    }
  }

  #tag(): void {
    const name = this.of(['b', 'div', 'p']);
    this.#opens(`<${name}`, { name: `<${name}`, close: '>', mode: 'tag' });
  }

  #code(free: boolean): void {
    const { language } = this;
    const choice = this.below(free ? 13 : 12);
    if (choice < 4) return this.#add({ text: this.of(language.words), whole: true });
    if (choice < 6) return this.#add({ text: this.of([', ', ' = ', '.', '; ', ' + ', ' && ']) });
    if (choice === 6 && this.open.length > 0) return this.#close();
    if (choice === 7 && language.strings.length > 0) {
      const string = this.of(language.strings);
      return this.#opens(string.open, { name: string.open, close: string.close, mode: 'string', string });
    }
    if (choice === 8 && this.open.length === 0 && language.comments.length > 0) {
      const [open, close] = this.of(language.comments);
      return this.#opens(` ${open}`, { name: open, close, mode: 'comment' });
    }
    if (choice === 9 && language.markup === 'jsx') {
      this.#add({ text: ' = ' });
      return this.#tag();
    }
    // A closer that may close nothing.
    if (choice === 12) {
      const text = this.of([')', ']', '}']);
      const found = this.open.findLastIndex(({ mode, close }) => mode !== 'code' || close.trim() === text);
      const frame = this.open[found];
      if (frame?.mode !== 'code') return void this.pieces.push({ text, closes: `stray ${text}` });
      this.open.length = found;
      return void this.pieces.push({ text, closes: frame.name });
    }
    const [open, close] = this.of(language.brackets);
    return this.#opens(open, { name: open, close, mode: 'code' });
  }
}

/** A balanced line, a cursor in it, and a text that could be written there. */
export interface CursorSample {
  readonly path: string;
  readonly before: readonly Piece[];
  readonly after: readonly Piece[];
  readonly written: readonly Piece[];
}

export const textOf = (pieces: readonly Piece[]) => pieces.map(({ text }) => text).join('');

const choices = (maxLength: number) => fc.array(fc.nat({ max: 5039 }), { minLength: 1, maxLength, size: 'max' });

/** Balanced lines in eleven languages, with a cursor between two pieces or in a word, and a text that may do anything there. */
export const places: fc.Arbitrary<CursorSample> = fc
  .record({
    language: fc.constantFrom(...LANGUAGES),
    line: choices(60),
    cursor: fc.nat(),
    inWord: fc.nat({ max: 9 }),
    written: choices(30),
    again: fc.nat({ max: 3 }),
  })
  .map(({ language, line, cursor, inWord, written, again }) => {
    const writer = new Writer(language, [], line);
    writer.write(20, false);
    writer.finish();
    const all = writer.pieces;
    const at = cursor % (all.length + 1);
    const before = all.slice(0, at);
    let after = all.slice(at);
    const open = openAfter(before, language);
    const [first] = after;
    if (inWord === 0 && first && (/^[\p{L}\p{N}]{2,}$/u.test(first.text) || escapes.includes(first.text))) {
      before.push({ ...first, text: first.text.slice(0, 1) });
      after = [{ ...first, text: first.text.slice(1) }, ...after.slice(1)];
    }
    const other = new Writer(language, open, written);
    // Now and then the text begins as the line goes on.
    const begun = again === 0 ? after.slice(0, other.below(4)) : [];
    const still = openAfter([...before, ...begun], language);
    const rest = new Writer(language, still, written, textOf([...before, ...begun]));
    rest.write(12, true);
    return { path: language.path, before, after, written: [...begun, ...rest.pieces] };
  });

/** What is open after some pieces of a balanced line. */
function openAfter(pieces: readonly Piece[], language: Language): Open[] {
  const open: Open[] = [];
  for (const { opens, closes } of pieces) {
    if (closes !== undefined) open.pop();
    if (opens !== undefined) open.push(openOf(opens, language));
  }
  return open;
}

function openOf(name: string, { strings, comments, brackets }: Language): Open {
  if (/^<\w/.test(name)) return { name, close: '>', mode: 'tag' };
  if (/^<\//.test(name)) return { name, close: name, mode: 'text' };
  const string = strings.find(({ open }) => open === name);
  if (string) return { name, close: string.close, mode: 'string', string };
  const comment = comments.find(([open]) => open === name);
  if (comment) return { name, close: comment[1], mode: 'comment' };
  if (name === ATTRIBUTE.name) return ATTRIBUTE;
  const code = [...brackets, ...strings.flatMap((one) => (one.code ? [one.code] : []))].find(([open]) => open === name);
  return { name, close: code?.[1] ?? '}', mode: 'code' };
}

/** The pieces that a beginning of a text has, blanks aside; undefined where it ends within one that is whole. */
export function piecesOf(pieces: readonly Piece[], text: string): Piece[] | undefined {
  const letters = (one: string) => one.replace(/\s+/g, '');
  let left = letters(text);
  const found: Piece[] = [];
  for (const piece of pieces) {
    const own = letters(piece.text);
    if (left === '' && own !== '') return found;
    if (own.length > left.length) {
      if (piece.whole || piece.closes !== undefined || piece.opens !== undefined) return undefined;
      return [...found, { text: left }];
    }
    found.push(piece);
    left = left.slice(own.length);
  }
  return left === '' ? found : undefined;
}

/** For each piece of a balanced line: the index of the one that opened what it closes. */
function openersOf(pieces: readonly Piece[]): Map<number, number> {
  const open: number[] = [];
  const openers = new Map<number, number>();
  pieces.forEach(({ closes, opens }, i) => {
    if (closes !== undefined) openers.set(i, open.pop() as number);
    if (opens !== undefined) open.push(i);
  });
  return openers;
}

/**
 * What is wrong with the brackets, quotes and tags of a line with a text in it, if anything is: whatever the line opens and
 * closes is closed once, by the line or by the text, and nothing is closed that was not open. What the text leaves open may stay so.
 * @param kept pieces of the text
 * @param left how many of the pieces after the cursor still stand there
 * @param below a closer that stands in the next line
 */
export function unbalanced(
  before: readonly Piece[],
  after: readonly Piece[],
  kept: readonly Piece[],
  left: number,
  below?: string,
): string | undefined {
  const line = [...before, ...after];
  const openers = openersOf(line);
  const closers = new Map([...openers].map(([closer, opener]) => [opener, closer]));
  /** What is open before the text, by index, and what the text opens, by name. */
  const open: (number | string)[] = [...closers]
    .filter(([opener, closer]) => opener < before.length && closer >= before.length)
    .map(([opener]) => opener)
    .sort((a, b) => a - b);
  const nameOf = (one: number | string) => (typeof one === 'string' ? one : ((line[one] as Piece).opens ?? '')).trim();
  let written = textOf(before);
  let beyond = 0;
  for (const { text, closes, opens } of kept) {
    if (closes !== undefined) {
      const at = open.findLastIndex((one) => nameOf(one) === closes.trim());
      // At the beginning of a line it may be one of its own.
      if (at === -1 && beyond++ === 0 && text === below && written.trim() !== '') return `${text} is closed below`;
      // The text may close what stands in lines above; and leave open what it has opened itself.
      const passed = open.slice(at + 1);
      if (passed.some((one) => typeof one === 'number')) return `${text} closes nothing`;
      open.length = at === -1 ? 0 : at;
    }
    if (opens !== undefined) open.push(opens);
    written += text;
  }
  // In a string, comment or tag that the text has begun, what follows means something else.
  if (open.some((one) => typeof one === 'string' && !/^(?:[([{]|\$[({]|#\{)/.test(one.trim()))) return undefined;
  const first = line.length - left;
  for (let i = first; i < line.length; i++) {
    const opener = openers.get(i);
    if (opener === undefined || opener >= first) continue;
    const at =
      opener < before.length
        ? open.indexOf(opener)
        : open.findLastIndex((one) => typeof one === 'string' && nameOf(one) === nameOf(opener));
    if (at === -1) return `${(line[i] as Piece).text} closes nothing`;
    open.splice(at, 1);
  }
  const still = open.find((one) => typeof one === 'number');
  return still === undefined ? undefined : `${nameOf(still)} stays open`;
}

/** The pieces that stand after a beginning of them; undefined where it ends within one that opens or closes something. */
export function piecesAfter(pieces: readonly Piece[], beginning: string): Piece[] | undefined {
  let left = beginning.length;
  for (const [i, piece] of pieces.entries()) {
    if (left === 0) return pieces.slice(i);
    if (piece.text.length > left && piece.text.slice(left).trim() !== '') {
      const split = piece.closes !== undefined || piece.opens !== undefined;
      // Blanks before a bracket are part of it here.
      if (split && beginning.slice(-left).trim() !== '') return undefined;
      return [{ ...piece, text: piece.text.slice(left) }, ...pieces.slice(i + 1)];
    }
    left = Math.max(0, left - piece.text.length);
  }
  return [];
}
