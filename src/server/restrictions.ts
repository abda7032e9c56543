/** Why nothing is suggested in an open document: `reasons.ts` asked with what the server knows. */
import type { Position } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { InferenceClient } from '../inference/client';
import { describe } from '../inference/lifecycle';
import type { Scopes } from '../scopes/scopes';
import type { Configuration } from './configuration';
import { cut, Refusal } from './documents';
import type { OpenDocuments } from './openDocuments';
import * as reasons from './reasons';
import type { Session } from './session';

export class Restrictions {
  /** Until when suggestions are snoozed, in words; undefined while they are not. */
  snoozed: string | undefined;

  constructor(
    private readonly client: Pick<InferenceClient, 'lifecycle'>,
    private readonly configuration: Configuration,
    private readonly open: OpenDocuments,
    private readonly scopes: Scopes,
  ) {}

  /** Why any suggestion in a document is blocked, if it is. */
  blockedBecause(document: TextDocument): string | undefined {
    const { lifecycle } = this.client;
    return reasons.blockedBecause({
      enable: this.configuration.settings.enable,
      language: document.languageId,
      languageOn: this.open.languageOn(document),
      excludedBy: this.open.excludedBy(document),
      failure: lifecycle.state === 'failed' ? describe(lifecycle) : undefined,
    });
  }

  /** Why an automatic suggestion is suppressed, if it is. */
  autoSuppressedBecause(document: TextDocument, position: Position): string | undefined {
    return this.#autoSuppressedBecause(document, this.#lastChange(document), () => this.scopes.at(document, position));
  }

  /** Why a next edit, which nobody triggers manually, is not offered in a document, if it is not. */
  noNextEditBecause(document: TextDocument): string | undefined {
    const lastChange = this.#lastChange(document);
    // To delete something is an edit, too; what is in a comment is decided place by place.
    const change = lastChange === 'deletion' ? 'typing' : lastChange;
    return this.blockedBecause(document) ?? this.#autoSuppressedBecause(document, change, () => 'code');
  }

  /** What became of the last request. */
  lastReason(document: TextDocument, session: Session, position: Position): string {
    const { lifecycle } = this.client;
    if (lifecycle.state !== 'ready') return describe(lifecycle);
    const at = cut(document, position, this.open.before(document));
    if (at instanceof Refusal) return at.reason;
    return session.lastDecision ?? 'no suggestion has been asked for in this document yet';
  }

  #lastChange({ uri }: TextDocument): reasons.LastChange {
    return this.open.sessions.get(uri)?.lastChange ?? 'typing';
  }

  #autoSuppressedBecause(
    document: TextDocument,
    lastChange: reasons.LastChange,
    scope: reasons.AutoSuppressors['scope'],
  ): string | undefined {
    const { trigger } = this.configuration.of(this.open.sessions.get(document.uri));
    return reasons.autoSuppressedBecause({
      snoozed: this.snoozed,
      trigger,
      lastChange,
      text: () => document.getText(),
      scope,
    });
  }
}
