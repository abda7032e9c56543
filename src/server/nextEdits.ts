import { setTimeout as sleep } from 'node:timers/promises';
import type { CancellationToken, Range } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { EditCandidate, SyntaxReading } from '../edits/candidate';
import { EDIT_WEIGHTS, rated, type Rated } from '../edits/confidence';
import { findEdits, type EditedText } from '../edits/find';
import { EditHistory, type Change } from '../edits/history';
import { RefusedEdits } from '../edits/refused';
import { languageOf } from '../languages';
import type { NextEdit } from '../protocol';
import type { Scopes } from '../scopes/scopes';
import { SourceTree } from '../syntax/source';
import { isSecret, pathFor } from './documents';

/** For so long nothing has been typed before anything is looked for. */
const REST_MS = 200;

/** Larger documents are not looked at. */
const MAX_CHARACTERS = 400_000;

/** Open documents that are looked at beside the one that the user is in. */
const OTHERS = 8;

/** Comments and strings of a document that has just been opened are not known at once. */
const READING_MS = 300;

export interface EditSearch {
  readonly document: TextDocument;
  /** Open documents, the most recently used first; the one that the user is in may be among them. */
  readonly open: readonly TextDocument[];
  /** Which edits are offered: those of renamed names, or all. */
  readonly kinds: 'rename' | 'all';
}

/**
 * Finds the edit that may be the user's next, from those of the last minutes. It works only when it is asked and nothing is
 * being typed, looks at nothing that is large or secret, and offers one edit at a time.
 */
export class NextEdits {
  readonly #histories = new Map<string, EditHistory>();
  readonly #trees = new Map<string, Promise<SourceTree | undefined>>();
  readonly #refused = new RefusedEdits();
  #lastChange = -Infinity;
  #offered: { readonly id: number; readonly candidate: EditCandidate; readonly text: string } | undefined;
  #lastId = 0;
  /** What came of the last search, in one line. */
  lastDecision: string | undefined;

  constructor(private readonly scopes: Scopes) {}

  /**
   * A document was changed.
   * @param change the only change; undefined where several places changed at once, or the whole text
   */
  changed(uri: string, change: Change | undefined): void {
    const now = performance.now();
    this.#lastChange = now;
    let history = this.#histories.get(uri);
    if (!history) this.#histories.set(uri, (history = new EditHistory()));
    history.changed(change, now);
  }

  closed(uri: string): void {
    this.#histories.delete(uri);
    this.#dropTree(uri);
  }

  /** Trees live in WebAssembly's memory: those of the documents used last are kept. */
  #dropTree(uri: string): void {
    void this.#trees.get(uri)?.then((tree) => tree?.close());
    this.#trees.delete(uri);
  }

  /** The user does not want what was offered, or went on without it. */
  refused(id: number, how: 'dismissed' | 'ignored'): void {
    if (this.#offered?.id !== id) return;
    const { candidate, text } = this.#offered;
    if (how === 'dismissed') this.#refused.dismissed(candidate);
    else this.#refused.ignored(candidate.uri, candidate, text);
  }

  /** The next edit; undefined where there is none, which `lastDecision` explains. Never rejects. */
  async next(search: EditSearch, token: CancellationToken): Promise<NextEdit | undefined> {
    const over = () => token.isCancellationRequested;
    for (let left = this.#unrest(); left > 0 && !over(); left = this.#unrest()) await sleep(left);
    if (over()) return this.refuse('the editor went on before there was an answer');
    const since = this.#lastChange;
    const open = this.#worthLookingAt(search);
    if (!open.some(({ recent }) => recent.length > 0))
      return this.refuse('nothing was edited that could go on elsewhere');
    const documents: EditedText[] = [];
    for (const { document, recent } of open) {
      documents.push({ uri: document.uri, text: document.getText(), recent, reading: await this.#reading(document) });
    }
    if (over() || this.#lastChange !== since) return this.refuse('the text changed meanwhile');
    const texts = new Map(documents.map(({ uri, text }) => [uri, text]));
    const found = findEdits(documents).filter((one) => {
      const wanted = search.kinds === 'all' || one.kind === 'rename';
      return wanted && !this.#refused.refuses(one.uri, one, texts.get(one.uri) ?? '');
    });
    if (found.length === 0) return this.refuse('the last edits go on nowhere else');
    const best = rated(found, EDIT_WEIGHTS).find(({ sure }) => sure);
    if (!best) return this.refuse(`${found.length} places are like the last edits, but none is sure enough`);
    const there = open.find(({ document }) => document.uri === best.candidate.uri)!.document;
    return this.#offer(best, there, open);
  }

  /** Milliseconds until the user has rested. */
  #unrest(): number {
    return REST_MS - (performance.now() - this.#lastChange);
  }

  #worthLookingAt({ document, open }: EditSearch) {
    const now = performance.now();
    // What is edited in a file of secrets is nothing for others.
    const shared = isSecret(document) ? [] : open;
    const others = shared.filter((other) => other.uri !== document.uri && !isSecret(other)).slice(0, OTHERS);
    return [document, ...others].flatMap((one) => {
      const text = one.getText();
      if (text.length > MAX_CHARACTERS || text.includes('\0')) return [];
      return [{ document: one, recent: this.#histories.get(one.uri)?.recent(text, now) ?? [] }];
    });
  }

  /** What is known of a document: by its syntax tree where there is a grammar, else its comments and strings. */
  async #reading(document: TextDocument): Promise<SyntaxReading> {
    const { uri, languageId } = document;
    const pending = this.#trees.get(uri) ?? SourceTree.open(pathFor(document)).catch(() => undefined);
    this.#trees.delete(uri);
    this.#trees.set(uri, pending);
    const [oldest] = this.#trees.keys();
    if (this.#trees.size > OTHERS + 1 && oldest !== undefined) this.#dropTree(oldest);
    const tree = await pending;
    if (tree) return tree.read(document.getText()) ? tree : { scope: () => undefined };
    const { textMate, lineComment } = languageOf(languageId) ?? {};
    if (textMate === undefined && lineComment === undefined) return { scope: () => 'code' };
    const end = document.positionAt(document.getText().length);
    for (let waited = 0; waited < READING_MS && this.scopes.at(document, end) === undefined; waited += 20)
      await sleep(20);
    return { scope: (offset) => this.scopes.at(document, document.positionAt(offset)) };
  }

  #offer({ candidate, confidence }: Rated, there: TextDocument, open: readonly { document: TextDocument }[]): NextEdit {
    const { uri, start, oldText, newText, kind, source } = candidate;
    const id = ++this.#lastId;
    this.#offered = { id, candidate, text: there.getText() };
    const declared = open.find(({ document }) => document.uri === source.uri)!.document;
    this.lastDecision = `an edit is offered in line ${there.positionAt(start).line + 1}, sure by ${Math.round(100 * confidence)} %`;
    return {
      id,
      uri,
      version: there.version,
      range: rangeOf(there, start, oldText.length),
      oldText,
      newText,
      kind,
      confidence,
      ...(kind === 'rename' && {
        renamed: { range: rangeOf(declared, source.start, source.newText.length), oldName: source.oldText },
      }),
    };
  }

  /** Nothing is looked for, and why. */
  refuse(reason: string): undefined {
    this.lastDecision = reason;
    return undefined;
  }
}

function rangeOf(document: TextDocument, start: number, length: number): Range {
  return { start: document.positionAt(start), end: document.positionAt(start + length) };
}
