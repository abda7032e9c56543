import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Position } from 'vscode-languageserver-protocol/node';
import type { LspClient } from '../server/client';

/** An editor's own copy of a document, changed by offsets while the server is told positions. */
export class EditedDocument {
  constructor(
    readonly uri: string,
    public text: string,
  ) {}

  /** Replaces `length` characters from an offset on, in the copy and, told as positions, at the server. */
  async edit(client: LspClient, offset: number, length: number, inserted: string): Promise<Position> {
    const before = TextDocument.create(this.uri, 'typescript', 1, this.text);
    const range = { start: this.#place(before, offset), end: this.#place(before, offset + length) };
    const from = before.offsetAt(range.start);
    this.text = this.text.slice(0, from) + inserted + this.text.slice(before.offsetAt(range.end));
    await client.change(this.uri, { range, text: inserted });
    return this.position(from + inserted.length);
  }

  position(offset: number): Position {
    return this.#place(TextDocument.create(this.uri, 'typescript', 1, this.text), offset);
  }

  /** A position that an editor could mean: neither inside a surrogate pair nor inside a CRLF. */
  #place(document: TextDocument, offset: number): Position {
    const text = document.getText();
    const inPair = /[\uD800-\uDBFF]/.test(text[offset - 1] ?? '') && /[\uDC00-\uDFFF]/.test(text[offset] ?? '');
    return document.positionAt(inPair ? offset - 1 : offset);
  }

  /** @throws AssertionError unless the server holds the same bytes */
  async compare(client: LspClient): Promise<void> {
    const { details } = await client.why(this.uri, { line: 0, character: 0 });
    const held = /SHA-256 ([0-9a-f]{64})/.exec(details.at(-1) ?? '')?.[1];
    assert.equal(held, createHash('sha256').update(this.text).digest('hex'), `${this.uri} differs at the server`);
  }
}
