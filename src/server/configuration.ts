/** The user's settings as they hold: for all documents, and for each. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SuggestionOptions } from '../inference/messages';
import { defaultSettings, type DocumentSettings, type Settings } from '../settings';
import { ClientSettings, givenSettings } from './clientSettings';
import type { Session } from './session';
import { readSettings } from './settings';

/** The longest that is waited for the client's answer about settings. */
const ANSWER_TIMEOUT_MS = 1_000;

/** What is needed of the language client. */
export interface ConfigurationHost {
  /** What the client says of a section, for all documents or for what lies at an address. */
  ask(section: string, scopeUri?: string): Promise<unknown>;
  warn(line: string): void;
  log(line: string): void;
}

export class Configuration {
  readonly #host: ConfigurationHost;
  readonly #given = new ClientSettings();
  readonly #warned = new Set<string>();
  #settings: Settings = defaultSettings;
  /** Whether the client answers `workspace/configuration`. */
  #pulls = false;
  /** Resolves when the client has told the settings of all documents, or will not. */
  #ready: Promise<void> = Promise.resolve();

  constructor(host: ConfigurationHost) {
    this.#host = host;
  }

  /** The settings of all documents. */
  get settings(): Settings {
    return this.#settings;
  }

  /** What a suggestion depends on. */
  get suggestionOptions(): SuggestionOptions {
    const { memory, confidence } = this.#settings;
    return { memory: memory !== 'off', confidence };
  }

  /** The settings of a document: its own where the client has told them. */
  of(session: Session | undefined): DocumentSettings {
    return session?.settings ?? this.#settings;
  }

  /** @param given what the client gave when it started the server; @param pulls whether it answers questions */
  start(given: unknown, pulls: boolean): void {
    this.#pulls = pulls;
    this.#given.start(given);
    this.#keep();
  }

  /** The client tells that settings changed. */
  push(given: unknown): void {
    this.#given.push(given);
    this.#keep();
  }

  /** Asks the client for the settings of all documents. Never rejects. */
  pull(): Promise<void> {
    this.#ready = this.#pull();
    return this.#ready;
  }

  /** Asks the client for the settings of one document. What it says is kept until settings change. */
  ask(uri: string, session: Session): void {
    if (!this.#pulls) return;
    session.settings = undefined;
    session.settingsReady = this.#host.ask('thoughtline', uri).then(
      (given: unknown) => {
        // A client that says nothing of a document says nothing else of it than of all.
        session.settings = givenSettings(given) && this.#read(this.#given.all(given));
      },
      (error: unknown) => this.#host.log(`${uri}: its settings are not known: ${String(error)}`),
    );
  }

  /** Resolves when the settings of a document, or of all, are known; or when the client has had its time. */
  async known(session?: Session): Promise<void> {
    if (session && (!this.#pulls || session.settings)) return;
    await Promise.race([
      Promise.all([this.#ready, session?.settingsReady]),
      sleep(ANSWER_TIMEOUT_MS, undefined, { ref: false }),
    ]);
  }

  /** What `files.exclude` and `thoughtline.exclude` say of a folder. */
  async excluded(uri: string): Promise<unknown> {
    if (!this.#pulls) return this.#settings.exclude;
    const [files, ours] = await Promise.all([
      this.#host.ask('files.exclude', uri),
      this.#host.ask('thoughtline.exclude', uri),
    ]);
    return { ...this.#settings.exclude, ...givenSettings(files), ...givenSettings(ours) };
  }

  async #pull(): Promise<void> {
    if (!this.#pulls) return;
    try {
      this.#given.pull(await this.#host.ask('thoughtline'));
      this.#keep();
    } catch (error) {
      this.#host.log(`the settings cannot be asked for: ${String(error)}`);
    }
  }

  #keep(): void {
    this.#warned.clear();
    this.#settings = this.#read(this.#given.all());
  }

  /** Settings made whole; what is wrong with them is said once, however many documents have them. */
  #read(given: unknown): Settings {
    const { settings, problems } = readSettings(given);
    for (const problem of problems) {
      if (!this.#warned.has(problem)) this.#host.warn(problem);
      this.#warned.add(problem);
    }
    return settings;
  }
}
