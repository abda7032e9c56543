import {
  CancellationTokenSource,
  commands,
  Range,
  Selection,
  TextEditorRevealType,
  Uri,
  window,
  workspace,
  type Disposable,
  type TextDocumentChangeEvent,
} from 'vscode';
import type { Client } from './client';
import { addressOf, NextEditMarks, viewOf, type Shown } from './nextEditMarks';
import { isOnScreen, takesTab } from './nextEditView';
import type { Recorder } from './recorder';
import { readSettings } from './settings';
import { canRename, renameEverywhere } from './symbolRename';

/** The server waits for a pause itself; so long nothing is asked for. */
const PAUSE_MS = 80;

/** While these are set, keys belong to the edit that is offered. */
const VISIBLE = 'thoughtline.nextEditVisible';
const TAKES_TAB = 'thoughtline.nextEditTakesTab';

/**
 * Shows the edit that may be the next, one at a time: the old text marked, the new one beside it. VS Code's stable interface
 * has no inline edits; decorations, two commands and a context key do it.
 */
export class NextEdits implements Disposable {
  readonly #marks = new NextEditMarks();
  readonly #subscriptions: Disposable[];
  #shown: Shown | undefined;
  /** Whether something of it is on the screen. */
  #drawn = false;
  #asking: CancellationTokenSource | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Changes that are ours say nothing of what the user wants. */
  #applying = false;

  constructor(
    private readonly client: () => Client | undefined,
    /** Hears of changes before this does. */
    private readonly recorder: Pick<Recorder, 'count' | 'taken'>,
  ) {
    this.#subscriptions = [
      workspace.onDidChangeTextDocument((event) => this.#changed(event)),
      window.onDidChangeTextEditorSelection(() => this.#draw()),
      window.onDidChangeTextEditorVisibleRanges(() => this.#draw()),
      window.onDidChangeActiveTextEditor(() => this.#draw()),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('thoughtline') && readSettings().nextEdits === 'off') this.#withdraw();
      }),
    ];
  }

  /** Goes to the edit where it is not on the screen; else makes it, and looks for the next one. */
  async accept(): Promise<void> {
    const shown = this.#shown;
    const view = viewOf(window.activeTextEditor);
    if (!shown) return;
    if (!view || !isOnScreen(shown.edit, view)) return this.#jump(shown);
    this.#withdraw();
    this.#applying = true;
    try {
      const made = shown.everywhere ? await renameEverywhere(shown.edit) : await makeEdit(shown);
      if (made) this.recorder.count({ type: 'nextEdit', how: 'accepted' });
    } finally {
      this.#applying = false;
    }
    this.#askSoon();
  }

  /** The edit is not wanted: it does not come back. */
  async dismiss(): Promise<void> {
    const shown = this.#shown;
    this.#withdraw();
    if (!shown) return;
    this.recorder.count({ type: 'nextEdit', how: 'dismissed' });
    await this.client()?.refusedEdit(shown.edit.id, 'dismissed');
  }

  dispose(): void {
    this.#withdraw();
    for (const one of [...this.#subscriptions, this.#marks]) one.dispose();
  }

  #changed({ document, contentChanges, reason }: TextDocumentChangeEvent): void {
    if (contentChanges.length === 0 || this.#applying) return;
    const shown = this.#shown;
    const ours = window.activeTextEditor?.document === document;
    if (shown && (ours || addressOf(document.uri) === shown.edit.uri)) {
      this.#withdraw();
      // Who undoes something, or accepts what is suggested, has not refused anything else.
      if (reason === undefined && !this.recorder.taken) void this.client()?.refusedEdit(shown.edit.id, 'ignored');
    }
    this.#stopAsking();
    // Undoing, several cursors and what tools write are no beginning of anything.
    const typed = reason === undefined && contentChanges.length === 1 && ours;
    if (typed && readSettings(document).nextEdits !== 'off') this.#askSoon();
  }

  #stopAsking(): void {
    clearTimeout(this.#timer);
    this.#asking?.cancel();
    this.#asking?.dispose();
    this.#asking = undefined;
  }

  #askSoon(): void {
    this.#stopAsking();
    this.#timer = setTimeout(() => void this.#ask().catch(() => undefined), PAUSE_MS);
  }

  async #ask(): Promise<void> {
    const editor = window.activeTextEditor;
    const client = this.client();
    if (!editor || !client || editor.selections.length > 1) return;
    const { document } = editor;
    const asking = new CancellationTokenSource();
    this.#asking = asking;
    const edit = await client.nextEdit(document, asking.token);
    if (!edit || asking.token.isCancellationRequested) return;
    const there = workspace.textDocuments.find(({ uri }) => addressOf(uri) === edit.uri);
    const { start, end } = edit.range;
    const range = new Range(start.line, start.character, end.line, end.character);
    // What the server knows may be older than what the window shows.
    if (!there || there.getText(range) !== edit.oldText) return;
    const everywhere = edit.kind === 'rename' && (await canRename(edit));
    if (asking.token.isCancellationRequested) return;
    this.#shown = { edit, range, everywhere };
    this.recorder.count({ type: 'nextEdit', how: 'shown' });
    this.#draw();
  }

  #withdraw(): void {
    this.#stopAsking();
    if (!this.#shown) return;
    this.#shown = undefined;
    this.#draw();
  }

  #draw(): void {
    const shown = this.#shown;
    // The cursor moves with every key: while there is nothing to draw nothing is done.
    if (!shown && !this.#drawn) return;
    this.#drawn = shown !== undefined;
    const view = viewOf(window.activeTextEditor);
    const takes = shown !== undefined && view !== undefined && takesTab(shown.edit, view);
    void commands.executeCommand('setContext', VISIBLE, shown !== undefined && view !== undefined);
    void commands.executeCommand('setContext', TAKES_TAB, takes);
    this.#marks.draw(shown, view);
  }

  async #jump({ edit, range }: Shown): Promise<void> {
    const editor = await window.showTextDocument(Uri.parse(edit.uri), { preserveFocus: false });
    editor.selection = new Selection(range.start, range.start);
    editor.revealRange(range, TextEditorRevealType.InCenterIfOutsideViewport);
    this.#draw();
  }
}

/** Makes an edit with one step of undoing, and puts the cursor behind it. */
async function makeEdit({ edit, range }: Shown): Promise<boolean> {
  const editor = window.activeTextEditor;
  if (!editor || editor.document.getText(range) !== edit.oldText) return false;
  const made = await editor.edit((builder) => builder.replace(range, edit.newText), {
    undoStopBefore: true,
    undoStopAfter: true,
  });
  const end = range.start.translate(0, edit.newText.length);
  if (made) editor.selection = new Selection(end, end);
  return made;
}
