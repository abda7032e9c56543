import {
  Range,
  StatusBarAlignment,
  ThemeColor,
  window,
  type DecorationOptions,
  type Disposable,
  type StatusBarItem,
  type TextEditor,
  type Uri,
} from 'vscode';
import type { NextEdit } from '../protocol';
import { drawn, hint, isOnScreen, keyHint, spoken, type Viewpoint } from './nextEditView';

/** A next edit that is offered. */
export interface Shown {
  readonly edit: NextEdit;
  readonly range: Range;
  /** The language's own rename does it everywhere. */
  readonly everywhere: boolean;
}

/** What is seen of a next edit: the old text marked, the new one beside it, the key, and an entry in the status bar. */
export class NextEditMarks implements Disposable {
  readonly #old = window.createTextEditorDecorationType({
    backgroundColor: new ThemeColor('diffEditor.removedTextBackground'),
    textDecoration: 'line-through',
  });
  readonly #new = window.createTextEditorDecorationType({});
  readonly #hint = window.createTextEditorDecorationType({});
  readonly #status: StatusBarItem = window.createStatusBarItem('nextEdit', StatusBarAlignment.Right, 100);

  /** @param view where the user looks; undefined without an editor */
  draw(shown: Shown | undefined, view: Viewpoint | undefined): void {
    for (const editor of window.visibleTextEditors) {
      const here = shown && addressOf(editor.document.uri) === shown.edit.uri ? shown : undefined;
      const hints = shown && view && editor === window.activeTextEditor ? hintOf(shown, view, editor) : [];
      editor.setDecorations(this.#old, here && !here.range.isEmpty ? [here.range] : []);
      editor.setDecorations(this.#new, here ? [newTextOf(here)] : []);
      editor.setDecorations(this.#hint, hints);
    }
    this.#tell(shown, view);
  }

  dispose(): void {
    for (const one of [this.#old, this.#new, this.#hint, this.#status]) one.dispose();
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

/** Where the user looks. */
export function viewOf(editor: TextEditor | undefined): Viewpoint | undefined {
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
export function addressOf(uri: Uri): string {
  return uri.toString();
}
