/** What became of the editor's requests for suggestions, as far as an extension can see it; and what that says. Pure. */
import { t } from './l10n';

interface Request {
  readonly uri: string;
  readonly version: number;
  readonly number: number;
  /** Given up by the editor although nothing was typed and no later request came. */
  readonly overtaken: boolean;
  /** A suggestion was given to the editor. */
  readonly offered: boolean;
}

/** The last request of the window. VS Code asks for the editor that has the focus. */
export class Requests {
  #last: Request | undefined;
  #number = 0;

  /** The editor asks. @returns the request's number */
  begun(uri: string, version: number): number {
    this.#last = { uri, version, number: ++this.#number, overtaken: false, offered: false };
    return this.#number;
  }

  /** The editor gave a request up, with the document at a version. It does so when somebody else's suggestion came first. */
  cancelled(number: number, version: number): void {
    const last = this.#last;
    if (last?.number === number && last.version === version) this.#last = { ...last, overtaken: true };
  }

  /** The editor was given suggestions, or none. */
  answered(number: number, offered: boolean): void {
    if (this.#last?.number === number) this.#last = { ...this.#last, offered };
  }

  of(uri: string): Request | undefined {
    return this.#last?.uri === uri ? this.#last : undefined;
  }
}

/** Why VS Code itself shows no suggestion of ours in a document, if that is known. */
export function editorsReason(enabled: boolean, last: Request | undefined, version: number): string | undefined {
  if (!enabled) return t('VS Code shows no inline suggestions here (editor.inlineSuggest.enabled).');
  if (last?.version === version && last.overtaken) {
    return t('Another extension was first here: VS Code shows the suggestion that comes first.');
  }
  return undefined;
}

/** What may be the reason where VS Code has not asked for a suggestion since the last change, or was given one. */
export function editorsDoing(last: Request | undefined, version: number): string | undefined {
  if (last?.version !== version) {
    return t(
      'VS Code has asked for nothing since the last change: it asks while you type, unless it is snoozed itself.',
    );
  }
  if (!last.offered) return undefined;
  return t(
    'VS Code was given a suggestion for this text; in snippets it shows none (editor.inlineSuggest.suppressInSnippetMode).',
  );
}
