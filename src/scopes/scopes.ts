import { setTimeout as sleep } from 'node:timers/promises';
import type { IGrammar, StateStack } from 'vscode-textmate';
import { languageOf } from '../languages';
import { grammarFor } from './grammars';
import { LineStates, MAX_LINE } from './lineStates';
import { scopeOf, type Scope } from './scope';

/** What is read of a document: `TextDocument` has it. */
export interface Lines {
  readonly languageId: string;
  readonly lineCount: number;
  getText(range: { start: TextPosition; end: TextPosition }): string;
}

export interface TextPosition {
  readonly line: number;
  readonly character: number;
}

/** A change of a document, as the Language Server Protocol has it; without a range the whole text is another. */
export interface Change {
  readonly range?: { readonly start: TextPosition; readonly end: TextPosition };
  readonly text: string;
}

/** How long, in ms, a look-up may read lines above its own: those that were edited since. */
const LOOKUP_MS = 1.5;
/** Turns in the background, and the time that they leave to others, in ms. */
const TURN = 6;
const PAUSE = 4;

/** Beyond this line nothing is known. */
const MAX_LINES = 20_000;

interface ReadState {
  states: LineStates | undefined;
  /** Whether the background has reached a line that was asked for; what is left to read then is what was edited. */
  reached: boolean;
  /** The line up to which the background reads; undefined while it rests. */
  wanted: number | undefined;
}

/**
 * Comments and strings of open documents, by TextMate grammars. No look-up waits: while a grammar is being loaded, or the
 * lines above have not been read, nothing is known, and reading goes on in the background.
 */
export class Scopes {
  readonly #readStates = new WeakMap<Lines, ReadState>();

  /** @param log says, in one line, why a grammar cannot be loaded */
  constructor(
    private readonly log: (line: string) => void,
    private readonly grammarOf: (languageId: string) => Promise<IGrammar | undefined> = grammarFor,
  ) {}

  /** Tells of changes, one after the other, that a document has already gone through. */
  changed(document: Lines, changes: readonly Change[]): void {
    const reading = this.#readStates.get(document);
    if (!reading?.states) return;
    for (const { range, text } of changes) {
      if (!range) reading.states = new LineStates(reading.states.grammar);
      else reading.states.changed(range.start.line, range.end.line, text.split(/\r\n?|\n/).length - 1);
    }
  }

  /** What a letter typed at a place would be part of; undefined where that is not known, or not yet. */
  at(document: Lines, { line, character }: TextPosition): Scope | undefined {
    const { textMate, lineComment } = languageOf(document.languageId) ?? {};
    if (line > MAX_LINES) return undefined;
    const text = lineOf(document, line);
    if (text.length > MAX_LINE) return undefined;
    if (textMate === undefined)
      return lineComment === undefined ? undefined : lineScope(text.slice(0, character), lineComment);
    const reading = this.#readStateOf(document);
    if (!reading.reached || reading.wanted !== undefined) {
      this.#readOn(document, reading, line);
      return undefined;
    }
    return this.#tried(document, reading, (states) => {
      const before = states.before(line, (at) => lineOf(document, at), timer(LOOKUP_MS));
      if (before === undefined) this.#readOn(document, reading, line);
      return before === undefined ? undefined : typedAt(states.grammar, before, text, Math.min(character, text.length));
    });
  }

  #readStateOf(document: Lines): ReadState {
    const known = this.#readStates.get(document);
    if (known) return known;
    const reading: ReadState = { states: undefined, reached: false, wanted: undefined };
    this.#readStates.set(document, reading);
    return reading;
  }

  /** Reads up to a line, and the line, in the background. What a grammar needs for itself is made ready there, too. */
  #readOn(document: Lines, reading: ReadState, line: number): void {
    const rests = reading.wanted === undefined;
    reading.wanted = line;
    if (rests)
      void this.#readInTurns(document, reading).catch((error: unknown) => this.#giveUp(document, reading, error));
  }

  async #readInTurns(document: Lines, reading: ReadState): Promise<void> {
    const grammar = await this.grammarOf(document.languageId);
    reading.states ??= grammar && new LineStates(grammar);
    const end = () => Math.min((reading.wanted ?? 0) + 1, document.lineCount);
    while (reading.states && reading.states.before(end(), (at) => lineOf(document, at), timer(TURN)) === undefined) {
      await sleep(PAUSE, undefined, { ref: false });
    }
    reading.reached = reading.states !== undefined;
    reading.wanted = undefined;
  }

  /** A grammar with an expression that cannot be compiled throws when it comes to it. */
  #tried<T>(document: Lines, reading: ReadState, work: (states: LineStates) => T): T | undefined {
    try {
      return reading.states && work(reading.states);
    } catch (error) {
      this.#giveUp(document, reading, error);
      return undefined;
    }
  }

  /** From now on nothing is known of the document: `wanted` keeps others from beginning again. */
  #giveUp({ languageId }: Lines, reading: ReadState, error: unknown): void {
    this.log(`comments and strings of a document in "${languageId}" are not known: ${String(error)}`);
    reading.states = undefined;
    reading.wanted = 0;
  }
}

/** What a letter is part of that is typed into a line. */
function typedAt(grammar: IGrammar, before: StateStack | null, text: string, character: number): Scope {
  const { tokens } = grammar.tokenizeLine(`${text.slice(0, character)}z${text.slice(character)}`, before);
  return scopeOf(tokens.find(({ endIndex }) => endIndex > character)?.scopes ?? []);
}

/** Whether so many ms are over, from now on. */
function timer(time: number): () => boolean {
  const end = performance.now() + time;
  return () => performance.now() > end;
}

/** A line without its end; "" where the document has no such line. */
function lineOf(document: Lines, line: number): string {
  const range = { start: { line, character: 0 }, end: { line: line + 1, character: 0 } };
  return document.getText(range).replace(/[\r\n]+$/, '');
}

/** For languages without a grammar: a comment begins a word, in a line in which nothing is quoted before it. */
function lineScope(before: string, lineComment: string): Scope {
  const start = ` ${before}`.search(new RegExp(`\\s${lineComment}`));
  return start !== -1 && !/["'`]/.test(before.slice(0, start)) ? 'comment' : 'code';
}
