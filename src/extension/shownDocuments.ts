import type { Disposable } from 'vscode';
import type { TextDocument, TextDocumentChangeEvent, Uri } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { CELL } from './names';

type Next<T> = (value: T) => Promise<void>;
type Address = Pick<Uri, 'scheme' | 'authority' | 'path' | 'toString'>;

/**
 * Keeps from the server what the user has not opened. Extensions open documents in the background (package.json,
 * settings, targets of a hover); taken for open files they would be thought about, and count as evidence.
 */
export class ShownDocuments implements Disposable {
  readonly #held = new Map<string, { readonly uri: Address; readonly open: () => Promise<void> }>();
  #client: Pick<LanguageClient, 'visibleDocuments'> | undefined;
  #subscription: Disposable | undefined;

  /** The parts of the language client's middleware that make it so. */
  readonly middleware = {
    didOpen: async (document: TextDocument, next: Next<TextDocument>): Promise<void> => {
      if (this.#client?.visibleDocuments.isVisible(document) !== false) return next(document);
      const { uri } = document;
      const open = async () => {
        if (!document.isClosed) await next(document);
      };
      this.#held.set(String(uri), { uri, open });
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
  watch(client: Pick<LanguageClient, 'visibleDocuments'>): void {
    this.dispose();
    this.#client = client;
    this.#subscription = client.visibleDocuments.onOpen((uris) => {
      // A client that has stopped meanwhile is told nothing.
      for (const uri of uris) this.release(uri).catch(() => undefined);
    });
  }

  /** Tells the server about a document that was held, or the cells of a notebook that were. */
  async release(shown: Address): Promise<void> {
    for (const [key, { uri, open }] of [...this.#held]) {
      if (key !== String(shown) && !isCellOf(uri, shown)) continue;
      this.#held.delete(key);
      await open();
    }
  }

  dispose(): void {
    this.#subscription?.dispose();
    this.#subscription = undefined;
    this.#client = undefined;
    this.#held.clear();
  }
}

/** A cell has the address of its notebook but for the scheme and the fragment; a tab shows the notebook. */
function isCellOf(cell: Address, notebook: Address): boolean {
  if (cell.scheme !== CELL || notebook.scheme === CELL) return false;
  return cell.path === notebook.path && cell.authority === notebook.authority;
}
