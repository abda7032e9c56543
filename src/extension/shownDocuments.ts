import type { Disposable } from 'vscode';
import { type TextDocument, type TextDocumentChangeEvent } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

type Next<T> = (value: T) => Promise<void>;

/**
 * Keeps from the server what the user has not opened. Extensions open documents in the background (package.json,
 * settings, targets of a hover); taken for open files they would be thought about, and count as evidence.
 */
export class ShownDocuments implements Disposable {
  readonly #held = new Map<string, () => Promise<void>>();
  #client: LanguageClient | undefined;
  #subscription: Disposable | undefined;

  /** The parts of the language client's middleware that make it so. */
  readonly middleware = {
    didOpen: async (document: TextDocument, next: Next<TextDocument>): Promise<void> => {
      if (this.#client?.visibleDocuments.isVisible(document) !== false) return next(document);
      this.#held.set(String(document.uri), async () => {
        if (!document.isClosed) await next(document);
      });
    },
    didChange: async (event: TextDocumentChangeEvent, next: Next<TextDocumentChangeEvent>): Promise<void> => {
      // What is held is told whole when it is released.
      if (!this.#held.has(String(event.document.uri))) await next(event);
    },
    didClose: async (document: TextDocument, next: Next<TextDocument>): Promise<void> => {
      if (!this.#held.delete(String(document.uri))) await next(document);
    },
  };

  /** Begins to watch which documents a client's window shows. */
  watch(client: LanguageClient): void {
    this.dispose();
    this.#client = client;
    this.#subscription = client.visibleDocuments.onOpen((uris) => {
      for (const uri of uris) void this.release(String(uri));
    });
  }

  /** Tells the server about a document that was held. */
  async release(uri: string): Promise<void> {
    const open = this.#held.get(uri);
    this.#held.delete(uri);
    await open?.();
  }

  dispose(): void {
    this.#subscription?.dispose();
    this.#subscription = undefined;
    this.#client = undefined;
    this.#held.clear();
  }
}
