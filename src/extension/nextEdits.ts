import {
  CancellationTokenSource,
  commands,
  Range,
  Selection,
  StatusBarAlignment,
  TextEditorRevealType,
  ThemeColor,
  Uri,
  window,
  workspace,
  type WorkspaceEdit,
  type Disposable,
  type DecorationOptions,
  type StatusBarItem,
  type TextDocumentChangeEvent,
  type TextEditor,
} from 'vscode';
import type { NextEdit } from '../protocol';
import type { Client } from './client';
import { drawn, hint, isOnScreen, keyHint, spoken, takesTab, type Viewpoint } from './nextEditView';
import { readSettings } from './settings';
import type { StatisticsEvent } from './statistics';

/** The server waits for a pause itself; so long nothing is asked for. */
const PAUSE_MS = 80;

/** While these are set, keys belong to the edit that is offered. */
const VISIBLE = 'thoughtline.nextEditVisible';
const TAKES_TAB = 'thoughtline.nextEditTakesTab';

interface Shown {
  readonly edit: NextEdit;
  readonly range: Range;
  /** The language's own rename does it everywhere. */
  readonly everywhere: boolean;
}

/**
 * Shows the edit that may be the next, one at a time: the old text marked, the new one beside it. VS Code's stable interface
 * has no inline edits; decorations, two commands and a context key do it.
 */
export class NextEdits implements Disposable {
  readonly #old = window.createTextEditorDecorationType({
    backgroundColor: new ThemeColor('diffEditor.removedTextBackground'),
    textDecoration: 'line-through',
  });
  readonly #new = window.createTextEditorDecorationType({});
  readonly #hint = window.createTextEditorDecorationType({});
  readonly #status: StatusBarItem = window.createStatusBarItem('nextEdit', StatusBarAlignment.Right, 100);
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
    private readonly count: (event: StatisticsEvent) => void,
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
      const made = shown.everywhere ? await this.#renameEverywhere(shown.edit) : await makeEdit(shown);
      if (made) this.count({ type: 'nextEdit', how: 'accepted' });
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
    this.count({ type: 'nextEdit', how: 'dismissed' });
    await this.client()?.refusedEdit(shown.edit.id, 'dismissed');
  }

  dispose(): void {
    this.#withdraw();
    for (const one of [...this.#subscriptions, this.#old, this.#new, this.#hint, this.#status]) one.dispose();
  }

  #changed({ document, contentChanges, reason }: TextDocumentChangeEvent): void {
    if (contentChanges.length === 0 || this.#applying) return;
    const shown = this.#shown;
    const ours = window.activeTextEditor?.document === document;
    if (shown && (ours || addressOf(document.uri) === shown.edit.uri)) {
      this.#withdraw();
      // Who undoes something has not refused anything else.
      if (reason === undefined) void this.client()?.refusedEdit(shown.edit.id, 'ignored');
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
    this.count({ type: 'nextEdit', how: 'shown' });
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
    const editor = window.activeTextEditor;
    const view = viewOf(editor);
    const takes = shown !== undefined && view !== undefined && takesTab(shown.edit, view);
    void commands.executeCommand('setContext', VISIBLE, shown !== undefined && view !== undefined);
    void commands.executeCommand('setContext', TAKES_TAB, takes);
    for (const one of window.visibleTextEditors) {
      const here = shown && addressOf(one.document.uri) === shown.edit.uri ? shown : undefined;
      one.setDecorations(this.#old, here && !here.range.isEmpty ? [here.range] : []);
      one.setDecorations(this.#new, here ? [newTextOf(here)] : []);
      one.setDecorations(this.#hint, shown && view && one === editor ? hintOf(shown, view, one) : []);
    }
    this.#tell(shown, view);
  }

  /** For screen readers, and for whoever looks at the status bar: what is offered, and with which keys. */
  #tell(shown: Shown | undefined, view: Viewpoint | undefined): void {
    if (!shown || !view) {
      this.#status.hide();
      return;
    }
    const label = spoken(shown.edit, fileIfOther(shown.edit, view), shown.everywhere);
    this.#status.text = `$(edit) ${drawn(shown.edit.oldText)} → ${drawn(shown.edit.newText)}`;
    this.#status.tooltip = label;
    this.#status.accessibilityInformation = { label, role: 'status' };
    this.#status.command = 'thoughtline.acceptNextEdit';
    this.#status.show();
  }

  async #jump({ edit, range }: Shown): Promise<void> {
    const editor = await window.showTextDocument(Uri.parse(edit.uri), { preserveFocus: false });
    editor.selection = new Selection(range.start, range.start);
    editor.revealRange(range, TextEditorRevealType.InCenterIfOutsideViewport);
    this.#draw();
  }

  /**
   * Lets the language service rename the symbol everywhere. It knows the symbol by its declaration, which has the new name
   * already: that is put back first.
   */
  async #renameEverywhere({ uri, renamed, newText }: NextEdit): Promise<boolean> {
    const address = Uri.parse(uri);
    const editor = window.visibleTextEditors.find(({ document }) => addressOf(document.uri) === uri);
    if (!editor || !renamed) return false;
    const { start, end } = renamed.range;
    const declared = new Range(start.line, start.character, end.line, end.character);
    if (editor.document.getText(declared) !== newText) return false;
    const back = await editor.edit((builder) => builder.replace(declared, renamed.oldName));
    if (!back) return false;
    const all = await renameEdit(address, declared.start, newText);
    if (all && (await workspace.applyEdit(all))) return true;
    const old = new Range(declared.start, declared.start.translate(0, renamed.oldName.length));
    await editor.edit((builder) => builder.replace(old, newText));
    return false;
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

/** Whether the language has a rename of its own for the symbol that was renamed. */
async function canRename({ uri, renamed }: NextEdit): Promise<boolean> {
  if (!renamed) return false;
  const { line, character } = renamed.range.start;
  const tried = await renameEdit(Uri.parse(uri), new Range(line, character, line, character).start, renamed.oldName);
  return tried !== undefined && tried.size > 0;
}

async function renameEdit(uri: Uri, position: Range['start'], name: string): Promise<WorkspaceEdit | undefined> {
  // Without a provider, and where the symbol cannot be renamed, this rejects.
  return commands
    .executeCommand<WorkspaceEdit | undefined>('vscode.executeDocumentRenameProvider', uri, position, name)
    .then(undefined, () => undefined);
}

function newTextOf({ edit, range }: Shown): DecorationOptions {
  return {
    range: new Range(range.end, range.end),
    renderOptions: {
      after: {
        contentText: drawn(edit.newText),
        color: new ThemeColor('editor.foreground'),
        backgroundColor: new ThemeColor('diffEditor.insertedTextBackground'),
      },
    },
  };
}

/** The key beside the new text; or, where that is not on the screen, at the end of the cursor's line with the place. */
function hintOf({ edit, range, everywhere }: Shown, view: Viewpoint, editor: TextEditor): DecorationOptions[] {
  const seen = isOnScreen(edit, view);
  const line = editor.document.lineAt(seen ? range.end.line : view.cursorLine);
  const contentText = seen ? keyHint(everywhere) : hint(edit, fileIfOther(edit, view));
  return [
    {
      range: new Range(line.range.end, line.range.end),
      renderOptions: {
        after: {
          contentText,
          color: new ThemeColor('editorCodeLens.foreground'),
          border: '1px solid',
          borderColor: new ThemeColor('editorCodeLens.foreground'),
          margin: '0 0 0 2em',
        },
      },
    },
  ];
}

function viewOf(editor: TextEditor | undefined): Viewpoint | undefined {
  if (!editor) return undefined;
  const { active, isEmpty } = editor.selection;
  return {
    uri: addressOf(editor.document.uri),
    cursorLine: active.line,
    before: editor.document.lineAt(active.line).text.slice(0, active.character),
    selected: !isEmpty,
    visible: editor.visibleRanges.map(({ start, end }) => [start.line, end.line] as const),
  };
}

function fileIfOther({ uri }: NextEdit, view: Viewpoint): string | undefined {
  return uri === view.uri ? undefined : decodeURIComponent(uri.slice(uri.lastIndexOf('/') + 1));
}

/** A document's address as the server has it: the language client's default. */
function addressOf(uri: Uri): string {
  return uri.toString();
}
