import { commands, l10n, window, workspace, type ExtensionContext, type LogOutputChannel } from 'vscode';
import { registerCommands } from './commands';
import { copilotSuggests } from './copilot';
import { languageOn } from './languages';
import { Models } from './models';
import { section, TOKEN_SECRET } from './names';
import { NextEdits } from './nextEdits';
import { Recorder } from './recorder';
import { carryOverModelPath, readSettings, trusted } from './settings';
import { describeSnooze } from './snooze';
import { Snoozer } from './snoozer';
import { StatisticsPanel } from './statisticsPanel';
import { StatusItem } from './statusItem';
import type { Standstill } from './statusView';
import { ThoughtPanel } from './thoughtPanel';
import { useTranslator } from './l10n';
import type { Client, Offered } from './client';
import type { SettingName } from '../settings';

let client: Client | undefined;

/** Remembers that the user has seen that GitHub Copilot suggests, too. */
const seenBeside = 'thoughtline.seenBeside';

/**
 * Called once, after the window has come up. Nothing heavy happens on the extension host's thread before this returns:
 * the language client is loaded after it, and only while suggestions are enabled.
 */
export function activate(context: ExtensionContext): void {
  const began = performance.now();
  useTranslator((message, ...values) => l10n.t(message, ...values));
  const log = window.createOutputChannel('Thoughtline', { log: true });
  const status = new StatusItem();
  const panel = new ThoughtPanel(context.extensionUri, () => client);
  const recorder = new Recorder(context.globalState, (line) => log.warn(line));
  const statistics = new StatisticsPanel(context.extensionUri, recorder);
  const nextEdits = new NextEdits(() => client, recorder);
  const snoozer = new Snoozer();
  const snoozed = () => describeSnooze(snoozer.snooze, Date.now());
  const standstill = (): Standstill => {
    const document = window.activeTextEditor?.document;
    const language = document && copilotSuggests(document) ? document.languageId : undefined;
    const news = context.globalState.get(seenBeside) !== true;
    return {
      languageOff: offLanguage(),
      snoozed: snoozed(),
      ...(language !== undefined && { beside: { language, news } }),
    };
  };
  const show = () => {
    const state = client?.status ?? { state: readSettings().enable ? 'loading' : 'off' };
    status.show(state, standstill());
  };

  /** The client, made on first use. */
  const obtain = async (): Promise<Client> => {
    client ??= await create(context, log, models, snoozed, {
      status: () => {
        show();
        panel.refresh();
      },
      suggested: (offered) => {
        recorder.offered(offered);
        panel.refresh();
      },
    });
    return client;
  };
  // A server that runs has to be told which models there are.
  const models = new Models(context, log, async () => {
    setContexts();
    if (client?.started) await client.restart();
  });
  /** What the command palette goes by. */
  const setContexts = () => {
    void commands.executeCommand('setContext', 'thoughtline.coderInstalled', models.coder !== undefined);
    void commands.executeCommand('setContext', 'thoughtline.snoozed', snoozed() !== undefined);
  };
  const startIfEnabled = async (): Promise<void> => {
    if (readSettings().enable) await (await obtain()).start();
    show();
  };

  context.subscriptions.push(
    log,
    status,
    panel,
    recorder,
    statistics,
    snoozer,
    nextEdits,
    snoozer.onChange(() => {
      void client?.snooze();
      setContexts();
      show();
    }),
    ...registerCommands({
      log,
      panel,
      statistics,
      recorder,
      snoozer,
      nextEdits,
      models,
      secrets: context.secrets,
      choices: (setting) => choicesOf(context, setting),
      seen: () => {
        const { beside } = standstill();
        if (beside?.news) void context.globalState.update(seenBeside, true).then(show);
      },
      client: () => client,
      obtain,
    }),
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
  setImmediate(() => {
    setContexts();
    const carried = carryOverModelPath().catch((error: unknown) => log.warn(`thoughtline.modelPath: ${String(error)}`));
    void carried.then(startIfEnabled);
  });
  log.debug(`activated in ${(performance.now() - began).toFixed(1)} ms`);
}

/** Ends the server with the window. */
export async function deactivate(): Promise<void> {
  await client?.stop();
}

/** What a setting can be, as package.json says it. */
function choicesOf(context: ExtensionContext, setting: SettingName): { name: string; meaning: string }[] {
  const manifest = context.extension.packageJSON as Manifest;
  const name = `${section}.${setting}`;
  const property = manifest.contributes.configuration
    .map(({ properties }) => properties[name])
    .find((found) => found !== undefined);
  const { enum: words = [], markdownEnumDescriptions: meanings = [] } = property ?? {};
  return words.map((word, i) => ({ name: word, meaning: meanings[i] ?? '' }));
}

interface Manifest {
  contributes: {
    configuration: { properties: Record<string, { enum?: string[]; markdownEnumDescriptions?: string[] }> }[];
  };
}

interface Listener {
  status(): void;
  suggested(offered: Offered): void;
}

async function create(
  context: ExtensionContext,
  log: LogOutputChannel,
  models: Models,
  snoozed: () => string | undefined,
  listener: Listener,
): Promise<Client> {
  const { Client } = await import('./client');
  const place = {
    script: context.asAbsolutePath('dist/server.js'),
    folder: context.extensionPath,
    bundle: context.asAbsolutePath('models/nano'),
    coder: () => models.coder,
    models: models.folder,
    token: () => context.secrets.get(TOKEN_SECRET),
    storage: context.storageUri?.scheme === 'file' ? context.storageUri.fsPath : undefined,
  };
  const made = new Client(place, log, () => trusted(readSettings(), workspace.isTrusted), snoozed);
  context.subscriptions.push(
    made,
    made.onStatus(() => listener.status()),
    made.onSuggested((offered) => listener.suggested(offered)),
  );
  return made;
}

/** The active editor's language where suggestions are off for it. */
function offLanguage(): string | undefined {
  const document = window.activeTextEditor?.document;
  if (document === undefined || languageOn(readSettings(document).languages, document.languageId)) return undefined;
  return document.languageId;
}
