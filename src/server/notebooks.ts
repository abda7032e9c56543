/** What stands before a cell of a notebook: the cells above it, in order, as one text. */
import type { Connection, NotebookCell } from 'vscode-languageserver';
import { NotebookCellKind, NotebookDocuments, type TextDocuments } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { normaliseNewlines } from '../text';

/** A cell above. */
export interface Cell {
  readonly language: string;
  readonly text: string;
  /** Prose, or code of another language: it becomes a comment. */
  readonly code: boolean;
}

/** Of the cells above so many characters are taken, the last ones. */
const MAX_CHARACTERS = 1 << 18;

/** Languages of notebooks whose comments begin with something else than `#`. */
const COMMENTS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['//', 'typescript typescriptreact javascript javascriptreact java kotlin scala csharp fsharp cpp c go rust swift'],
    ['--', 'sql lua haskell'],
    ['%', 'latex tex matlab prolog erlang'],
    [';', 'clojure lisp scheme'],
  ].flatMap(([sign = '', languages = '']) => languages.split(' ').map((language) => [language, sign])),
);

/** Cells as one text that a cell of a language can go on from; empty where there is none. */
export function joined(cells: readonly Cell[], language: string): string {
  const sign = COMMENTS[language] ?? '#';
  const comment = (text: string) => text.replace(/^.*$/gm, (line) => `${sign} ${line}`.trimEnd());
  const texts = cells
    .map((cell) => ({ ...cell, text: normaliseNewlines(cell.text).trimEnd() }))
    .filter(({ text }) => text.trim() !== '')
    .map(({ text, code, language: own }) => `${code && own === language ? text : comment(text)}\n\n`);
  const text = texts.join('');
  if (text.length <= MAX_CHARACTERS) return text;
  const tail = text.slice(-MAX_CHARACTERS);
  return tail.slice(tail.indexOf('\n') + 1);
}

/** The notebooks that a client has told of; one that tells cells as documents of their own has none. */
export class Notebooks {
  readonly #documents: TextDocuments<TextDocument>;
  readonly #notebooks: NotebookDocuments<TextDocument>;

  constructor(documents: TextDocuments<TextDocument>) {
    this.#documents = documents;
    this.#notebooks = new NotebookDocuments(documents);
  }

  listen(connection: Connection): void {
    this.#notebooks.listen(connection);
  }

  /** Addresses of the cells above a cell, in order. */
  above(uri: string): string[] {
    return this.#above(uri).map(({ document }) => document);
  }

  /** What stands before the text of a document: nothing unless it is a cell. Line ends are `\n`. */
  before({ uri, languageId }: TextDocument): string {
    const cells = this.#above(uri).flatMap(({ document, kind }): Cell[] => {
      const cell = this.#documents.get(document);
      const code = kind === NotebookCellKind.Code;
      return cell ? [{ language: cell.languageId, text: cell.getText(), code }] : [];
    });
    return joined(cells, languageId);
  }

  #above(uri: string): NotebookCell[] {
    const cells = this.#notebooks.findNotebookDocumentForCell(uri)?.cells ?? [];
    const at = cells.findIndex(({ document }) => document === uri);
    return cells.slice(0, Math.max(0, at));
  }
}
