/** What became of the editor's requests for suggestions, as far as an extension can see it; and what that says. Pure. */
import { t } from './words';

interface Request {
  readonly uri: string;
  readonly version: number;
  readonly number: number;
  /** Given up by the editor although nothing was typed and no later request came. */
  readonly overtaken: boolean;
}

/** The last request of the window. VS Code asks for the editor that has the focus. */
export class Requests {
  #last: Request | undefined;
  #number = 0;

  /** The editor asks. @returns the request's number */
  begun(uri: string, version: number): number {
    this.#last = { uri, version, number: ++this.#number, overtaken: false };
    return this.#number;
  }

  /** The editor gave a request up, with the document at a version. It does so when somebody else's suggestion came first. */
  cancelled(number: number, version: number): void {
    const last = this.#last;
    if (last?.number === number && last.version === version) this.#last = { ...last, overtaken: true };
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

/** What may be the reason where VS Code has not asked for a suggestion since the last change. */
export function unasked(last: Request | undefined, version: number): string | undefined {
  if (last?.version === version) return undefined;
  return t(
    'VS Code has asked for nothing since the last change: it does so while you type, and not while its own snooze lasts, in snippets (editor.inlineSuggest.suppressInSnippetMode) or with several cursors.',
  );
}
