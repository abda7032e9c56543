import type { StringRule } from './families';

/** Brackets and the quotes that editors close by themselves. */
export const BRACKETS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
export const QUOTES: readonly string[] = ['"', "'", '`'];

/** Brackets of prose. */
const PROSE: Readonly<Record<string, string>> = {
  '（': '）', '［': '］', '｛': '｝', '「': '」', '『': '』', '【': '】', '《': '》', '〈': '〉', '〔': '〕', '“': '”', '‘': '’', '«': '»', '‹': '›',
}; // prettier-ignore
/** Brackets that count in some place. */
export interface Pairs {
  readonly closes: Readonly<Record<string, string>>;
  readonly closing: ReadonlySet<string>;
}
export const HARD: Pairs = { closes: BRACKETS, closing: new Set(Object.values(BRACKETS)) };
export const SOFT: Pairs = {
  closes: { ...BRACKETS, ...PROSE },
  closing: new Set([...Object.values(BRACKETS), ...Object.values(PROSE)]),
};

/** What is written inside of a frame. */
export type Mode = 'code' | 'text' | 'tag' | 'string' | 'comment';

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
export const DEEPEST = 100;

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

/** A place in a text, what is open there, and what was opened and closed on the way. */
export class Reader {
  protected at: number;
  protected readonly open: Frame[] = [];
  /** For each of them the innermost up to it that is not soft: what its text is part of. */
  readonly #holders: (Frame | undefined)[] = [];
  /** Where the frames began that the text opened. */
  protected readonly begun = new Map<Frame, number>();
  protected readonly closers: Closer[] = [];
  protected readonly opened: Opened[] = [];
  readonly #delimiters: Span[] = [];
  readonly #comments: number[] = [];

  /** @param base what a text is where nothing is open */
  constructor(
    protected readonly text: string,
    readonly base: Mode,
    { open = [], from = 0 }: Start,
  ) {
    this.at = from;
    for (const frame of open) this.enter(frame);
  }

  protected get mode(): Mode {
    return this.open.at(-1)?.mode ?? this.base;
  }

  /** The innermost frame that is not soft. */
  protected get holder(): Frame {
    return this.#holders.at(-1) as Frame;
  }

  protected result(): Scan {
    for (const [frame, from] of this.begun) this.opened.push({ from, to: Infinity, frame });
    return {
      closers: this.closers,
      open: this.open,
      opened: this.opened,
      delimiters: this.#delimiters,
      comments: this.#comments,
      carried: this.at - this.text.length,
    };
  }

  /** The innermost bracket that is closed so, if nothing of another kind is open inside of it. */
  protected found(close: string): Frame | undefined {
    const soft = this.mode !== 'code';
    for (let i = this.open.length - 1; i >= Math.max(0, this.open.length - DEEPEST); i--) {
      const frame = this.open[i] as Frame;
      if (frame.kind === 'angle') continue;
      if (frame.kind !== 'bracket' || frame.soft !== soft) return undefined;
      if (frame.close === close) return frame;
    }
    return undefined;
  }

  /** Something that closes what was opened before all that is known, or a bracket that is further out. */
  protected closeOther(close: string): void {
    const known = this.open.slice(-DEEPEST);
    const frame = known.findLast((one) => one.close === close && one.kind === 'bracket');
    if (frame && close.length > 1) return this.close(frame, close);
    const stray = known.some(isHard);
    this.closers.push({ at: this.at, end: this.at + close.length, text: close, frame: undefined, stray });
    this.delimit(close.length);
    this.at += close.length;
  }

  /** Closes a frame, and with it what is open inside of it. */
  protected close(frame: Frame, close: string, at = this.at): void {
    const end = this.at + close.length;
    const from = this.begun.get(frame);
    const inside = this.leave(frame);
    if (from === undefined) {
      const stray = frame.kind !== 'string' && frame.kind !== 'element' && inside.some(isHard);
      this.closers.push({ at, end, text: this.text.slice(at, end), frame, stray });
    } else {
      this.opened.push({ from, to: end, frame });
    }
    this.delimit(close.length);
    this.at = end;
  }

  /** A string or comment ends with its line. */
  protected drop(frame: Frame): void {
    const from = this.begun.get(frame);
    if (from !== undefined) this.opened.push({ from, to: this.at, frame });
    this.leave(frame);
  }

  protected enter(frame: Frame): void {
    this.#holders.push(frame.soft || frame.kind === 'angle' ? this.#holders.at(-1) : frame);
    this.open.push(frame);
  }

  /** @returns what was open inside of it */
  protected leave(frame: Frame): Frame[] {
    const inside = this.open.splice(this.open.lastIndexOf(frame));
    this.#holders.length = this.open.length;
    for (const one of inside) this.begun.delete(one);
    return inside.slice(1);
  }

  protected push(kind: Frame['kind'], close: string, mode: Mode, length: number, soft = false): void {
    this.begin({ kind, close, mode, soft }, length);
  }

  protected delimit(length: number): void {
    if (length > 1) this.#delimiters.push({ from: this.at, to: this.at + length });
  }

  protected begin(frame: Frame, length: number): void {
    this.delimit(length);
    this.begun.set(frame, this.at);
    this.enter(frame);
    if (frame.kind === 'comment') this.#comments.push(this.at);
    this.at += length;
  }

  protected opens(opening: string | RegExp, frame: (group: string) => Frame): boolean {
    const from = this.at;
    const group = this.take(opening);
    if (group === undefined) return false;
    const length = this.at - from;
    this.at = from;
    this.begin(frame(group), length);
    return true;
  }

  /** Goes beyond a piece, if it is here. @returns its first group, or "" */
  protected take(piece: string | RegExp): string | undefined {
    if (typeof piece === 'string') {
      if (!this.text.startsWith(piece, this.at)) return undefined;
      this.at += piece.length;
      return '';
    }
    piece.lastIndex = this.at;
    const match = piece.exec(this.text);
    if (!match || match[0] === '') return undefined;
    this.at += match[0].length;
    return match[1] ?? '';
  }
}

function isHard({ kind, soft }: Frame): boolean {
  return !soft && kind !== 'angle' && kind !== 'element';
}
