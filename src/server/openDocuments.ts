/** The documents that the client has opened, each with its session, and what one of them is to the others. */
import { TextDocuments, type Connection, type TextDocumentContentChangeEvent } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { excludedBy } from '../workspace/excluded';
import type { Configuration } from './configuration';
import { checkedDocuments, cut, editOf, isSecret, pathFor, Refusal, siblings, type RelatedText } from './documents';
import { Notebooks } from './notebooks';
import type { Subject } from './refinementScheduler';
import type { Edit } from './refusals';
import { Session } from './session';
import { languageEnabled } from '../settings';

export interface OpenDocumentsHost {
  readonly configuration: Configuration;
  /** The path of a document within its folder of the workspace. */
  inside(uri: string): string;
  /** A document has been changed. @param edit the only change; undefined where there were several */
  changed(document: TextDocument, changes: TextDocumentContentChangeEvent[], edit: Edit | undefined): void;
  log(line: string): void;
}

export class OpenDocuments {
  readonly texts: TextDocuments<TextDocument>;
  readonly #notebooks: Notebooks;
  /** By URI, least recently used first. */
  readonly sessions = new Map<string, Session>();
  readonly #host: OpenDocumentsHost;
  /** Documents whose text is nothing for others, each told once. */
  readonly #skipped = new Set<string>();

  constructor(host: OpenDocumentsHost) {
    this.#host = host;
    this.texts = new TextDocuments({
      ...checkedDocuments,
      update: (document, changes, version) => this.#update(document, changes, version),
    });
    this.#notebooks = new Notebooks(this.texts);
  }

  listen(connection: Connection): void {
    this.texts.listen(connection);
    this.#notebooks.listen(connection);
  }

  get(uri: string): TextDocument | undefined {
    return this.texts.get(uri);
  }

  opened(uri: string): Session {
    const session = new Session();
    this.sessions.set(uri, session);
    return session;
  }

  closed(uri: string): void {
    this.sessions.get(uri)?.abandon();
    this.sessions.delete(uri);
    this.#skipped.delete(uri);
  }

  /** The session of a document that is being used. */
  use(uri: string): Session | undefined {
    const session = this.sessions.get(uri);
    if (session) {
      this.sessions.delete(uri);
      this.sessions.set(uri, session);
    }
    return session;
  }

  /** What stands before the text of a document: the cells above that of a notebook. */
  before(document: TextDocument): string {
    return this.#notebooks.before(document);
  }

  /** All that are completed, the most recently used first. */
  recent(): TextDocument[] {
    const open = [...this.sessions.keys()].reverse().flatMap((uri) => this.get(uri) ?? []);
    return open.filter((document) => this.enabled(document));
  }

  /** Whether a document is completed, thought about, and evidence for others. */
  enabled(document: TextDocument): boolean {
    const { enable } = this.#host.configuration.settings;
    return enable && this.languageOn(document) && this.excludedBy(document) === undefined;
  }

  languageOn({ uri, languageId }: TextDocument): boolean {
    return languageEnabled(this.#settings(uri).languages, languageId);
  }

  /** The glob that excludes a document. */
  excludedBy({ uri }: TextDocument): string | undefined {
    return excludedBy(this.#host.inside(uri), this.#settings(uri).exclude);
  }

  /** A document as something to think about, with its siblings. */
  subject(uri: string): Subject | undefined {
    const document = this.get(uri);
    const session = this.sessions.get(uri);
    // The thought about a file becomes a part of the workspace's, with which those about others begin.
    if (!document || !session || !this.enabled(document) || isSecret(document)) return undefined;
    const request = () => {
      const at = cut(document, session.cursor ?? { line: 0, character: 0 }, this.before(document));
      if (at instanceof Refusal) return undefined;
      const { prefix, suffix, position } = at;
      // Of a very large document only a part is told; cells above a notebook's stand before it.
      const first = position.line - (prefix.split('\n').length - 1);
      const edited = session.edited.lines.map((line) => line - first).filter((line) => line >= 0);
      return { path: pathFor(document), prefix, suffix, related: this.relatedTo(document), edited };
    };
    return { session, request };
  }

  /** Other open files that may tell something about a document. */
  relatedTo(document: TextDocument): RelatedText[] {
    // The cells above are not told twice.
    const above = new Set(this.#notebooks.above(document.uri));
    const open = [...this.sessions.keys()].flatMap((uri) => (above.has(uri) ? [] : (this.get(uri) ?? [])));
    const { related, skipped } = siblings(
      open,
      document,
      (other) => this.enabled(other),
      ({ uri }) => this.sessions.get(uri)?.edited.lines ?? [],
    );
    for (const { uri: other, reason } of skipped) {
      if (!this.#skipped.has(other)) this.#host.log(`${other} is no evidence for other files: ${reason}`);
      this.#skipped.add(other);
    }
    return related;
  }

  #update(document: TextDocument, changes: TextDocumentContentChangeEvent[], version: number): TextDocument {
    const edit = editOf(document, changes);
    const updated = checkedDocuments.update(document, changes, version);
    const session = this.sessions.get(document.uri);
    session?.edited.apply(changes);
    session?.changes(changes.map(({ text }) => text));
    if (edit && session) {
      const before = this.before(updated);
      session.refusals.changed({ ...edit, offset: before.length + edit.offset }, before + updated.getText());
    }
    this.#host.changed(updated, changes, edit);
    return updated;
  }

  #settings(uri: string) {
    return this.#host.configuration.of(this.sessions.get(uri));
  }
}
