import { l10n, window, type ExtensionContext } from 'vscode';
import { Extension } from './extension';
import { useTranslator } from './l10n';

let extension: Extension | undefined;

/**
 * Called once, after the window has come up. Nothing heavy happens on the extension host's thread before this returns:
 * the language client is loaded after it, and only while suggestions are enabled.
 */
export function activate(context: ExtensionContext): void {
  const began = performance.now();
  useTranslator((message, ...values) => l10n.t(message, ...values));
  const log = window.createOutputChannel('Thoughtline', { log: true });
  extension = new Extension(context, log);
  extension.register();
  extension.show();
  setImmediate(() => extension?.start());
  log.debug(`activated in ${(performance.now() - began).toFixed(1)} ms`);
}

/** Ends the server with the window. */
export async function deactivate(): Promise<void> {
  await extension?.client?.stop();
}
