/** The parts of the extension, joined. */
import { commands, window, workspace, type ExtensionContext, type LogOutputChannel } from 'vscode';
import { languageEnabled, type SettingName } from '../settings';
import type { Client } from './client';
import { registerCommands } from './commands';
import { copilotSuggests } from './copilot';
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

/** Remembers that the user has seen that GitHub Copilot suggests, too. */
const seenBeside = 'thoughtline.seenBeside';

export class Extension {
  /** Made on first use. */
  client: Client | undefined;
  readonly #context: ExtensionContext;
  readonly #log: LogOutputChannel;
  readonly #status = new StatusItem();
  readonly #panel: ThoughtPanel;
  readonly #recorder: Recorder;
  readonly #statistics: StatisticsPanel;
  readonly #nextEdits: NextEdits;
  readonly #snoozer = new Snoozer();
  readonly #models: Models;

  constructor(context: ExtensionContext, log: LogOutputChannel) {
    const { extensionUri, globalState } = context;
    this.#context = context;
    this.#log = log;
    this.#panel = new ThoughtPanel(extensionUri, () => this.client);
    this.#recorder = new Recorder(globalState, (line) => log.warn(line));
    this.#statistics = new StatisticsPanel(extensionUri, this.#recorder);
    this.#nextEdits = new NextEdits(() => this.client, this.#recorder);
    // A server that runs has to be told which models there are.
    this.#models = new Models(context, log, async () => {
      this.#setContexts();
      if (this.client?.started) await this.client.restart();
    });
  }

  /** Listens to the editor from now on. */
  register(): void {
    const show = () => this.show();
    this.#context.subscriptions.push(
      this.#log,
      this.#status,
      this.#panel,
      this.#recorder,
      this.#statistics,
      this.#snoozer,
      this.#nextEdits,
      this.#snoozer.onChange(() => {
        void this.client?.snooze();
        this.#setContexts();
        show();
      }),
      ...this.#commands(),
      window.onDidChangeActiveTextEditor(show),
      workspace.onDidOpenTextDocument(show),
      workspace.onDidChangeConfiguration((event) => {
        if (!event.affectsConfiguration(section)) return;
        // A server that runs is told, and frees the model when it is switched off; one that does not run starts when it is switched on.
        void (this.client?.started ? this.client.configure() : this.#startIfEnabled()).then(show);
      }),
      workspace.onDidGrantWorkspaceTrust(() => void this.client?.configure()),
    );
  }

  /** What can wait until the window has come up. */
  start(): void {
    this.#setContexts();
    const warn = (error: unknown) => this.#log.warn(`thoughtline.modelPath: ${String(error)}`);
    void carryOverModelPath()
      .catch(warn)
      .then(() => this.#startIfEnabled());
  }

  /** Shows how things are in the status item. */
  show(): void {
    const state = this.client?.status ?? { state: readSettings().enable ? 'loading' : 'off' };
    this.#status.show(state, this.#standstill());
  }

  #commands() {
    return registerCommands({
      log: this.#log,
      panel: this.#panel,
      statistics: this.#statistics,
      recorder: this.#recorder,
      snoozer: this.#snoozer,
      nextEdits: this.#nextEdits,
      models: this.#models,
      secrets: this.#context.secrets,
      choices: (setting) => choicesOf(this.#context, setting),
      seen: () => {
        const { beside } = this.#standstill();
        if (beside?.news) void this.#context.globalState.update(seenBeside, true).then(() => this.show());
      },
      client: () => this.client,
      obtain: () => this.#obtain(),
    });
  }

  async #obtain(): Promise<Client> {
    this.client ??= await this.#create();
    return this.client;
  }

  async #create(): Promise<Client> {
    const { Client } = await import('./client');
    const context = this.#context;
    const place = {
      script: context.asAbsolutePath('dist/server.js'),
      folder: context.extensionPath,
      bundle: context.asAbsolutePath('models/nano'),
      coder: () => this.#models.coder,
      models: this.#models.folder,
      token: () => context.secrets.get(TOKEN_SECRET),
      storage: context.storageUri?.scheme === 'file' ? context.storageUri.fsPath : undefined,
    };
    const settings = () => trusted(readSettings(), workspace.isTrusted);
    const made = new Client(place, this.#log, settings, () => this.#snoozed());
    context.subscriptions.push(
      made,
      made.onStatus(() => {
        this.show();
        this.#panel.refresh();
      }),
      made.onSuggested((offered) => {
        this.#recorder.offered(offered);
        this.#panel.refresh();
      }),
    );
    return made;
  }

  async #startIfEnabled(): Promise<void> {
    if (readSettings().enable) await (await this.#obtain()).start();
    this.show();
  }

  /** Until when suggestions are snoozed, in words. */
  #snoozed(): string | undefined {
    return describeSnooze(this.#snoozer.snooze, Date.now());
  }

  #standstill(): Standstill {
    const document = window.activeTextEditor?.document;
    const language = document && copilotSuggests(document) ? document.languageId : undefined;
    const news = this.#context.globalState.get(seenBeside) !== true;
    return {
      languageOff: offLanguage(),
      snoozed: this.#snoozed(),
      ...(language !== undefined && { beside: { language, news } }),
    };
  }

  /** What the command palette goes by. */
  #setContexts(): void {
    const { coder } = this.#models;
    void commands.executeCommand('setContext', 'thoughtline.coderInstalled', coder !== undefined);
    void commands.executeCommand('setContext', 'thoughtline.snoozed', this.#snoozed() !== undefined);
  }
}

/** What a setting can be, as package.json says it. */
function choicesOf(context: ExtensionContext, setting: SettingName): { name: string; meaning: string }[] {
  const manifest = context.extension.packageJSON as ExtensionManifest;
  const name = `${section}.${setting}`;
  const property = manifest.contributes.configuration
    .map(({ properties }) => properties[name])
    .find((found) => found !== undefined);
  const { enum: words = [], markdownEnumDescriptions: meanings = [] } = property ?? {};
  return words.map((word, i) => ({ name: word, meaning: meanings[i] ?? '' }));
}

interface ExtensionManifest {
  contributes: {
    configuration: { properties: Record<string, { enum?: string[]; markdownEnumDescriptions?: string[] }> }[];
  };
}

/** The active editor's language where suggestions are off for it. */
function offLanguage(): string | undefined {
  const document = window.activeTextEditor?.document;
  if (document === undefined || languageEnabled(readSettings(document).languages, document.languageId))
    return undefined;
  return document.languageId;
}
