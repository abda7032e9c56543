/** The parts of the language server, joined: what each needs of the others and of the client. What clients ask is read elsewhere. */
import { join } from 'node:path';
import {
  DidChangeWatchedFilesNotification,
  WatchKind,
  type Connection,
  type Disposable,
} from 'vscode-languageserver/node';
import { InferenceClient } from '../inference/client';
import type { Lifecycle } from '../inference/lifecycle';
import type { CompletionRequest, RunOptions } from '../inference/messages';
import { StatusNotification } from '../protocol';
import { Scopes } from '../scopes/scopes';
import { Completions } from './completions';
import { Configuration } from './configuration';
import { isSecret } from './documents';
import { EndpointWriter } from './endpoint';
import { takeToken } from './environment';
import { ModelSwitch } from './modelSwitch';
import { NextEdits } from './nextEdits';
import { OpenDocuments } from './openDocuments';
import { RefinementScheduler } from './refinementScheduler';
import { Restrictions } from './restrictions';
import { stepsWanted, type StepsWanted } from './schedule';
import { languageEnabled } from '../settings';
import { IndexReporter, StatusReporter } from './status';
import { Workspace } from './workspace';

export class LanguageServer {
  readonly configuration: Configuration;
  readonly scopes: Scopes;
  readonly open: OpenDocuments;
  readonly status: StatusReporter;
  readonly client: InferenceClient;
  readonly modelSwitch: ModelSwitch;
  readonly workspace: Workspace;
  readonly refinements: RefinementScheduler;
  readonly writer: EndpointWriter;
  readonly completions: Completions;
  readonly nextEdits: NextEdits;
  readonly restrictions: Restrictions;
  /** Whether the client can be asked to watch files. */
  watches = false;
  readonly #reading: IndexReporter;
  #watching: Disposable | undefined;

  constructor(readonly connection: Connection) {
    const log = (line: string) => this.log(line);
    const progress = () => connection.window.createWorkDoneProgress();
    this.configuration = new Configuration({
      ask: (section, scopeUri) =>
        connection.workspace.getConfiguration({ section, ...(scopeUri !== undefined && { scopeUri }) }),
      warn: (line) => connection.console.warn(line),
      log,
    });
    this.scopes = new Scopes(log);
    this.open = this.#openDocuments();
    this.status = new StatusReporter(
      (now) => this.inBackground(connection.sendNotification(StatusNotification.method, now)),
      progress,
    );
    this.client = this.#inference();
    this.#reading = new IndexReporter(progress, () => this.client.cancelIndexing());
    this.modelSwitch = new ModelSwitch(this.client, {
      ask: (request) => this.#trial(request),
      chosen: (model) => this.status.model(model),
      log,
    });
    this.workspace = this.#folders();
    this.refinements = new RefinementScheduler(this.client, (uri) => this.open.subject(uri), {
      log,
      rested: () => this.status.rested(),
    });
    this.writer = this.#endpoint();
    this.completions = new Completions(this.writer, this.refinements);
    this.nextEdits = new NextEdits(this.scopes);
    this.restrictions = new Restrictions(this.client, this.configuration, this.open, this.scopes);
  }

  log(line: string): void {
    this.connection.console.info(line);
  }

  /** What nobody waits for may fail, which is told. */
  inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.log(String(error)));
  }

  /** Makes the settings true. */
  apply(): void {
    const { settings } = this.configuration;
    this.applySteps();
    if (this.stepsWanted.idle === 0) {
      for (const [uri, session] of this.open.sessions) {
        session.forgetThought();
        this.client.forget(uri);
      }
    }
    this.writer.open(settings.enable ? settings.endpoint : '');
    if (!settings.enable) this.client.stop();
    else this.modelSwitch.apply(settings);
    if (this.client.lifecycle.state === 'ready') this.inBackground(this.workspace.apply());
    // Also where nothing changed: a client that has just started knows nothing yet.
    this.status.lifecycle(this.client.lifecycle);
  }

  /** Refines thoughts as far as the settings want it, unless suggestions are snoozed. */
  applySteps(): void {
    const { enable } = this.configuration.settings;
    this.refinements.steps = enable && this.restrictions.snoozed === undefined ? this.stepsWanted : undefined;
  }

  /** Steps of a thought: what the user wants, or what pays with the model at work. */
  get stepsWanted(): StepsWanted {
    const { lifecycle, model } = this.client;
    const onGpu = lifecycle.state === 'ready' && lifecycle.device !== 'cpu';
    return stepsWanted(this.configuration.settings.inferenceSteps ?? undefined, model?.defaultSteps ?? 0, onGpu);
  }

  #openDocuments(): OpenDocuments {
    return new OpenDocuments({
      configuration: this.configuration,
      inside: (uri) => this.workspace.inside(uri),
      changed: (document, changes, edit) => {
        this.scopes.changed(document, changes);
        this.nextEdits.changed(document.uri, edit);
      },
      log: (line) => this.log(line),
    });
  }

  #inference(): InferenceClient {
    return new InferenceClient(join(__dirname, 'inference.js'), {
      lifecycle: (state) => this.#lifecycle(state),
      loading: (fraction, message) => this.status.loading(fraction, message),
      thinking: (_uri, step, steps) => this.status.thinking(step, steps),
      indexing: (progress) => this.#reading.report(progress),
      log: (line) => this.log(line),
      notSucceeded: (reason) => this.modelSwitch.notSucceeded(reason),
    });
  }

  #lifecycle(state: Lifecycle): void {
    if (state.state === 'ready') {
      // Thoughts lived in the process before, if there was one.
      for (const session of this.open.sessions.values()) session.forgetThought();
      // How many steps pay depends on the model.
      this.applySteps();
      this.refinements.wake();
      this.workspace.renew();
      this.log(`model ready on ${state.device}`);
    }
    if (state.state !== 'ready') this.#reading.report(undefined);
    if (state.state === 'failed' && this.modelSwitch.failed(state.reason)) return;
    if (state.state === 'failed') this.connection.console.error(state.reason);
    this.status.lifecycle(state, this.modelSwitch.status);
    this.modelSwitch.ready(state);
  }

  /** A suggestion for a request that nobody typed. @returns whether it was made */
  async #trial(request: CompletionRequest): Promise<boolean> {
    const suggestionOptions = { ...this.configuration.suggestionOptions, confidence: 'off' } as const;
    const options: RunOptions = { maxLines: 1, suggestionOptions, invoked: false };
    return 'result' in (await this.client.complete('', request, options).result);
  }

  #folders(): Workspace {
    return new Workspace({
      wanted: () => {
        const { enable, memory, languages } = this.configuration.settings;
        if (!enable || memory !== 'workspace') return undefined;
        return { languages: (language) => languageEnabled(languages, language) };
      },
      excluded: (uri) => this.configuration.excluded(uri),
      tell: (spec) => this.client.workspace(spec),
      changed: (paths) => this.client.changed(paths),
      watch: (endings) => this.#watch(endings),
      log: (line) => this.log(line),
    });
  }

  async #watch(endings: readonly string[]): Promise<void> {
    if (!this.watches) return;
    this.#watching?.dispose();
    this.#watching = await this.connection.client.register(DidChangeWatchedFilesNotification.type, {
      watchers: [
        { globPattern: `**/*.{${endings.join()}}` },
        { globPattern: '**/.gitignore' },
        // Of a folder that is deleted nothing else is told.
        { globPattern: '**/*', kind: WatchKind.Delete },
      ],
    });
  }

  #endpoint(): EndpointWriter {
    return new EndpointWriter(this.client, {
      program: join(__dirname, 'endpoint.js'),
      token: takeToken(),
      mayLeave: (uri) => {
        const document = this.open.get(uri);
        return document !== undefined && !isSecret(document);
      },
      status: (endpoint) => this.status.endpoint(endpoint),
      log: (line) => this.log(line),
    });
  }
}
