import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom } from '../src/model/random';
import type { AnswerPath } from '../src/protocol';
import type { Duration } from './quantile';
import { middle, type, type Keystroke } from './typist';

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What suggests while somebody types: the language server, or a program to be compared with it. */
export interface Assistant {
  /** @param text of the file that is typed, as it is at first */
  open(text: string): void;
  /** The text changed: `text` is what it is now, after `edit`. */
  change(edit: NonNullable<Keystroke['edit']>, text: string): void;
  /** A suggestion at an offset of the text as it is. Never rejects; once aborted, the answer is of no use. */
  suggest(cursor: number, signal: AbortSignal): Promise<Suggested | undefined>;
}

export interface Suggested {
  /** Empty if there is no suggestion. */
  readonly text: string;
  /** Which way it came, where that is known. */
  readonly path?: AnswerPath | undefined;
}

/** From a keystroke to the answer; cut if the next keystroke came first. */
export interface Answered extends Duration {
  /** When the key was pressed, in seconds of typing. */
  readonly at: number;
  readonly path?: AnswerPath | undefined;
  /** The user typed along with the suggestion on screen. */
  readonly along: boolean;
  readonly suggested: boolean;
}

export interface TypingOptions {
  readonly file: SourceFile;
  readonly seconds: number;
  readonly seed: number;
  /** Called before each keystroke. @param seconds that have been typed */
  readonly onKeystroke?: (seconds: number) => void;
}

/**
 * Types the middle of a file as a person would and asks for a suggestion after each keystroke; a request that is not
 * answered at the next one is given up.
 */
export async function typeWith(
  assistant: Assistant,
  { file, seconds, seed, onKeystroke }: TypingOptions,
): Promise<Answered[]> {
  const { start, typed, cursor } = middle(file.text);
  assistant.open(start);
  const editor = new Editor(assistant, start);
  const begin = performance.now();
  let due = begin;
  for (const keystroke of type(start, typed, cursor, randomFrom(seed))) {
    due += keystroke.pause;
    if (due - begin > seconds * 1000) break;
    await sleep(Math.max(0, due - performance.now()));
    onKeystroke?.((due - begin) / 1000);
    editor.press(keystroke, (due - begin) / 1000);
  }
  await editor.settled();
  return editor.answers;
}

/** Keeps the text and the time. */
class Editor {
  readonly answers: Answered[] = [];
  readonly #assistant: Assistant;
  #text: string;
  #giveUp: (() => void) | undefined;
  #pending: Promise<void> = Promise.resolve();
  /** The suggestion on screen. */
  #shown = '';

  constructor(assistant: Assistant, text: string) {
    this.#assistant = assistant;
    this.#text = text;
  }

  /** @param at seconds of typing */
  press({ kind, edit, cursor }: Keystroke, at: number): void {
    this.#giveUp?.();
    const begin = performance.now();
    if (edit) {
      this.#text = this.#text.slice(0, edit.from) + edit.text + this.#text.slice(edit.to);
      this.#assistant.change(edit, this.#text);
    }
    const along = kind === 'type' && edit?.text.length === 1 && this.#shown.length > 1 && this.#shown[0] === edit.text;
    this.#shown = along ? this.#shown.slice(1) : '';
    // Editors ask after typing, not when only the cursor has moved away.
    if (kind !== 'jump') this.#ask(cursor, begin, along, at);
  }

  /** Resolves when the last request is answered. */
  settled(): Promise<void> {
    return this.#pending;
  }

  #ask(cursor: number, begin: number, along: boolean, at: number): void {
    const controller = new AbortController();
    let open = true;
    const note = (cut: boolean, answer?: Suggested) => {
      if (!open) return;
      open = false;
      const suggested = (answer?.text ?? '') !== '';
      this.answers.push({ at, ms: performance.now() - begin, cut, along, suggested, path: answer?.path });
    };
    this.#giveUp = () => {
      note(true);
      controller.abort();
    };
    this.#pending = this.#assistant.suggest(cursor, controller.signal).then((answer) => {
      if (open) this.#shown = answer?.text ?? '';
      note(answer === undefined, answer);
    });
  }
}
