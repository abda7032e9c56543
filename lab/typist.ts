/** Somebody types a file: a seeded, reproducible stream of keystrokes with what an editor adds of its own. */
import { normal } from '../src/model/random';
import { BRACKETS, QUOTES } from '../src/syntax/frames';

export interface Keystroke {
  readonly kind: 'type' | 'newline' | 'delete' | 'jump';
  /** Milliseconds since the keystroke before. */
  readonly pause: number;
  /** Replaces [from, to) of the text; undefined where only the cursor moves. */
  readonly edit?: { readonly from: number; readonly to: number; readonly text: string };
  /** Offset of the cursor afterwards. */
  readonly cursor: number;
}

/** Median pause before each kind of keystroke, in milliseconds. */
const PAUSE = { type: 130, delete: 110, newline: 350, jump: 1_200 } as const;

/** A log-normal pause, as those of typists are. */
function pauseBefore(kind: Keystroke['kind'], random: () => number): number {
  return Math.min(4_000, Math.max(35, PAUSE[kind] * Math.exp(0.45 * normal(random))));
}

const CLOSERS: Readonly<Record<string, string>> = {
  ...BRACKETS,
  ...Object.fromEntries(QUOTES.map((quote) => [quote, quote])),
};
const TYPO = 0.03;
const REMARK = 0.15;

/** The lines of the middle third of a file: what is going to be typed, and the rest with an empty line in their place. */
export function middle(source: string): { start: string; typed: string; cursor: number } {
  const from = source.indexOf('\n', source.length / 3) + 1;
  const to = source.indexOf('\n', (2 * source.length) / 3);
  return { start: source.slice(0, from) + source.slice(to), typed: source.slice(from, to), cursor: from };
}

/**
 * Types `typed` into `start` at `cursor`: with brackets and quotes that the editor closes and the typist types over or
 * jumps behind, with indentation that comes by itself, typing errors taken back, and remarks left elsewhere in the file.
 */
export function* type(start: string, typed: string, cursor: number, random: () => number): Generator<Keystroke> {
  let text = start;
  const first = cursor;
  /** Closing characters that the editor put after the cursor, the innermost last. */
  const pending: string[] = [];

  const press = (kind: Keystroke['kind'], insert: string, remove = 0, to = cursor + insert.length): Keystroke => {
    const edit = { from: cursor, to: cursor + remove, text: insert };
    text = text.slice(0, edit.from) + insert + text.slice(edit.to);
    cursor = to;
    return { kind, pause: pauseBefore(kind, random), edit, cursor };
  };
  const move = (kind: Keystroke['kind'], to: number): Keystroke => {
    cursor = to;
    return { kind, pause: pauseBefore(kind, random), cursor };
  };

  for (let at = 0; at < typed.length;) {
    const character = typed[at]!;
    const closer = pending.at(-1);
    const gap = closer === undefined ? undefined : /^\s*/.exec(text.slice(cursor))![0];
    const wanted = /^\s*/.exec(typed.slice(at))![0];
    if (closer !== undefined && typed[at + wanted.length] === closer && text[cursor + gap!.length] === closer) {
      // Type over it, or go behind it where it stands in a later line.
      pending.pop();
      yield move(gap === '' ? 'type' : 'jump', cursor + gap!.length + 1);
      at += wanted.length + 1;
    } else if (character === '\n') {
      const indent = /^\n[ \t]*/.exec(typed.slice(at))![0];
      const between = closer !== undefined && text[cursor] === closer && CLOSERS[text[cursor - 1] ?? ''] === closer;
      const line = text.slice(text.lastIndexOf('\n', cursor - 1) + 1, cursor);
      const outer = between ? `\n${/^[ \t]*/.exec(line)![0]}` : '';
      yield press('newline', indent + outer, 0, cursor + indent.length);
      at += indent.length;
      if (random() < REMARK) yield* remark();
    } else if (/[a-z]/.test(character) && random() < TYPO) {
      yield press('type', character === 'x' ? 'y' : 'x');
      cursor--;
      yield press('delete', '', 1);
    } else if (closes(character, text, cursor)) {
      const pair = CLOSERS[character]!;
      pending.push(pair);
      yield press('type', character + pair, 0, cursor + 1);
      at++;
    } else {
      yield press('type', character);
      at++;
    }
  }

  // What was opened and is closed further down anyway.
  for (const closer of pending.reverse()) {
    const gap = /^\s*/.exec(text.slice(cursor))![0];
    if (text[cursor + gap.length] === closer) yield press('delete', '', gap.length + 1);
  }

  /** Goes to the end of another line, writes a short remark there and comes back. */
  function* remark(): Generator<Keystroke> {
    const home = cursor;
    // Well above or below of what is being typed.
    const below = start.length - first;
    const near = random() < 0.5 ? random() * first * 0.9 : text.length - random() * below * 0.9;
    const after = text.indexOf('\n', Math.floor(near));
    const note = ' // seen';
    yield move('jump', after === -1 ? text.length : after);
    for (const letter of note) yield press('type', letter);
    yield move('jump', cursor < home ? home + note.length : home);
  }
}

/** Whether an editor closes the bracket or quote: where nothing but closers follows, quotes not after a word. */
function closes(character: string, text: string, cursor: number): boolean {
  if (CLOSERS[character] === undefined) return false;
  const end = text.indexOf('\n', cursor);
  const rest = text.slice(cursor, end === -1 ? undefined : end);
  return /^[\s)\]};,]*$/.test(rest) && !(/["'`]/.test(character) && /\w/.test(text[cursor - 1] ?? ''));
}
