import type { Position } from 'vscode-languageserver';
import type { Run } from '../inference/client';
import type { Answer, CompletionResult, Publication } from '../inference/messages';
import type { DocumentSettings } from '../settings';
import { EditedLines } from './edits';
import { Refusals } from './refusals';
import type { Context } from './continuation';
import type { Thinking } from './schedule';
import { SuggestionCache } from './suggestionCache';
import { changeKind, type LastChange } from './reasons';

/** A run under way, and how many requests wait for it. */
export interface PendingRun extends Context {
  readonly run: Run;
  readonly done: Promise<void>;
  waiters: number;
}

/** What the server remembers of one open document while it is open. */
export class Session {
  /** Another one when what suggestions depend on besides the text is another. */
  suggestions = new SuggestionCache();
  readonly refusals = new Refusals();
  /** The thought that serves. */
  thought: Publication | undefined;
  /** What the last thinking that ended was about, whether or not a new thought came of it. */
  thoughtAbout: { readonly steps: number; readonly revision: number; readonly atCursor: boolean } | undefined;
  /** Revision at which the window was last read at rest. */
  readAbout: number | undefined;
  /** Rises with every change of what a thought rests on: text, cursor, siblings. */
  revision = 1;
  /** The user's cursor, once a request has told it. */
  cursor: Position | undefined;
  readonly edited = new EditedLines();
  /** How the document changed last. */
  lastChange: LastChange = 'typing';
  /** What the client has said of the change that is about to come. */
  announced: 'undo' | 'redo' | undefined;
  pendingRun: PendingRun | undefined;
  /** The prefetch: what would follow the suggestion on screen. */
  prefetch: PendingRun | undefined;
  /** Until such a run begins. */
  prefetchTimer: NodeJS.Timeout | undefined;
  /** The settings of this document, where the client has told them; until then those of all documents hold. */
  settings: DocumentSettings | undefined;
  /** Resolves when the client has told them, or will not. */
  settingsReady: Promise<void> = Promise.resolve();
  window: Answer['window'] = { prefixTokens: 0, suffixTokens: 0 };
  /** What the user could last choose from, where that was, and under which thought. */
  choice: (Context & { readonly thought: number; readonly candidates: CompletionResult['candidates'] }) | undefined;
  lastSuggestion: { text: string; milliseconds: number; logprob: number; stop: string; thought: number } | undefined;
  #conditions: { readonly settings: string; readonly model: string | undefined } | undefined;
  #decisions: { at: number; text: string }[] = [];

  /** Version of the thought that serves; 0 = the prior. */
  get version(): number {
    return this.thought?.version ?? 0;
  }

  touched(cursor?: Position): void {
    const moved = cursor && (cursor.line !== this.cursor?.line || cursor.character !== this.cursor.character);
    if (cursor) this.cursor = cursor;
    if (moved || !cursor) this.revision++;
  }

  /** The document changes. @param inserted what the change inserts, piece by piece */
  changes(inserted: readonly unknown[]): void {
    this.lastChange = changeKind(this.announced, inserted);
    this.announced = undefined;
  }

  /**
   * @param steps wanted in all
   * @param now those that may be taken now
   */
  thinking(steps: number, now: number): Thinking {
    return {
      steps,
      now,
      thoughtSteps: this.thoughtAbout?.steps,
      thoughtAtCursor: this.thoughtAbout?.atCursor ?? false,
      cursorKnown: this.cursor !== undefined,
      changed: this.thoughtAbout?.revision !== this.revision,
      unread: this.readAbout !== this.revision,
    };
  }

  /**
   * What suggestions depend on besides the text: settings, and the model as far as it is known. Under others nothing that
   * was remembered holds, nor what is being made.
   */
  under(settings: string, model: string | undefined): void {
    const before = this.#conditions;
    this.#conditions = { settings, model: model ?? before?.model };
    const same = before === undefined || before.settings === settings;
    if (same && (before?.model === undefined || before.model === this.#conditions.model)) return;
    this.abandon();
    this.suggestions = new SuggestionCache();
    this.choice = undefined;
  }

  /** The process that held the thoughts is gone, or thinking is switched off. */
  forgetThought(): void {
    this.thought = undefined;
    this.thoughtAbout = undefined;
    this.readAbout = undefined;
    this.suggestions.outdate();
  }

  /** Nothing that is under way is wanted any more. */
  abandon(): void {
    clearTimeout(this.prefetchTimer);
    this.pendingRun?.run.abort();
    this.prefetch?.run.abort();
  }

  /** Notes why a request got the answer it got. */
  decide(text: string, at = Date.now()): void {
    this.#decisions.push({ at, text: text.length > 160 ? `${text.slice(0, 160)}…` : text });
    if (this.#decisions.length > 12) this.#decisions.shift();
  }

  get lastDecision(): string | undefined {
    return this.#decisions.at(-1)?.text;
  }

  /** The last decisions with their age, newest first. */
  history(now = Date.now()): string[] {
    return this.#decisions.toReversed().map(({ at, text }) => `${((now - at) / 1000).toFixed(1)} s ago: ${text}`);
  }
}
