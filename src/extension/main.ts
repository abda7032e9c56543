import { window, workspace, type ExtensionContext, type LogOutputChannel } from 'vscode';
import { registerCommands } from './commands';
import { readSettings, section } from './settings';
import { StatusItem } from './statusItem';
import { ThoughtPanel } from './thoughtPanel';
import { languageOn } from './languages';
import type { Client } from './client';

let client: Client | undefined;

/**
 * Called once, after the window has come up. Nothing heavy happens on the extension host's thread before this returns:
 * the language client is loaded after it, and only while suggestions are enabled.
 */
export function activate(context: ExtensionContext): void {
  const began = performance.now();
  const log = window.createOutputChannel('Thoughtline', { log: true });
  const status = new StatusItem();
  const panel = new ThoughtPanel(context.extensionUri, () => client);
  const show = () => status.show(client?.status ?? { state: readSettings().enable ? 'loading' : 'off' }, offLanguage());

  /** The client, made on first use. */
  const obtain = async (): Promise<Client> => {
    client ??= await create(context, log, (changed) => {
      if (changed === 'status') show();
      panel.refresh();
    });
    return client;
  };
  const startIfEnabled = async (): Promise<void> => {
    if (readSettings().enable) await (await obtain()).start();
    show();
  };

  context.subscriptions.push(
    log,
    status,
    panel,
    ...registerCommands({ log, panel, client: () => client, obtain }),
    window.onDidChangeActiveTextEditor(show),
    workspace.onDidOpenTextDocument(show),
    workspace.onDidChangeConfiguration((event) => {
      if (!event.affectsConfiguration(section)) return;
      // A server that runs is told, and frees the model when it is switched off; one that does not run starts when it is switched on.
      void (client?.started ? client.configure() : startIfEnabled()).then(show);
    }),
    workspace.onDidGrantWorkspaceTrust(() => void client?.configure()),
  );
  show();
  setImmediate(() => void startIfEnabled());
  log.debug(`activated in ${(performance.now() - began).toFixed(1)} ms`);
}

/** Ends the server with the window. */
export async function deactivate(): Promise<void> {
  await client?.stop();
}

async function create(
  context: ExtensionContext,
  log: LogOutputChannel,
  changed: (what: 'status' | 'thought') => void,
): Promise<Client> {
  const { Client } = await import('./client');
  const place = {
    script: context.asAbsolutePath('dist/server.js'),
    folder: context.extensionPath,
    bundle: context.asAbsolutePath('models/nano'),
  };
  const made = new Client(place, log, () => readSettings());
  context.subscriptions.push(
    made,
    made.onStatus(() => changed('status')),
    made.onSuggested(() => changed('thought')),
  );
  return made;
}

/** The active editor's language where suggestions are off for it. */
function offLanguage(): string | undefined {
  const document = window.activeTextEditor?.document;
  if (document === undefined || languageOn(readSettings().languages, document.languageId)) return undefined;
  return document.languageId;
}
