import { extensions, workspace, type TextDocument } from 'vscode';

/** Extensions that GitHub Copilot's suggestions come from. */
const COPILOT = ['GitHub.copilot-chat', 'GitHub.copilot', 'GitHub.copilot-nightly'] as const;

/** Where its answer is waited for (`thoughtline.besideCopilot` is `yield`), ours comes so many milliseconds after the key. */
export const yieldMs = 500;

/** Whether GitHub Copilot is active and on for a document. Whether somebody has signed in to it is not to be seen. */
export function copilotSuggests(document: TextDocument): boolean {
  if (!COPILOT.some((id) => extensions.getExtension(id)?.isActive)) return false;
  if (workspace.getConfiguration('chat').get('disableAIFeatures') === true) return false;
  const enable = workspace.getConfiguration('github.copilot', document).get<Record<string, unknown>>('enable');
  return isOn(enable, document.languageId);
}

/** What `github.copilot.enable` says of a language: its own entry decides, else that of `*`. */
function isOn(enable: Record<string, unknown> | undefined, language: string): boolean {
  if (typeof enable !== 'object' || enable === null) return true;
  return (Object.hasOwn(enable, language) ? enable[language] : enable['*']) !== false;
}
