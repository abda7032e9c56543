import { commands, Range, Uri, window, workspace, type WorkspaceEdit } from 'vscode';
import type { NextEdit } from '../protocol';
import { addressOf } from './nextEditMarks';

/** Whether the language has a rename of its own for the symbol that was renamed. */
export async function canRename({ uri, renamed }: NextEdit): Promise<boolean> {
  if (!renamed) return false;
  const { line, character } = renamed.range.start;
  const tried = await renameEdit(Uri.parse(uri), new Range(line, character, line, character).start, renamed.oldName);
  return tried !== undefined && tried.size > 0;
}

/**
 * Lets the language service rename the symbol everywhere. It knows the symbol by its declaration, which has the new name
 * already: that is put back first.
 */
export async function renameEverywhere({ uri, renamed, newText }: NextEdit): Promise<boolean> {
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

async function renameEdit(uri: Uri, position: Range['start'], name: string): Promise<WorkspaceEdit | undefined> {
  // Without a provider, and where the symbol cannot be renamed, this rejects.
  return commands
    .executeCommand<WorkspaceEdit | undefined>('vscode.executeDocumentRenameProvider', uri, position, name)
    .then(undefined, () => undefined);
}
