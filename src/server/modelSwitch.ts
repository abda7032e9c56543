import type { InferenceClient } from '../inference/client';
import type { Lifecycle } from '../inference/lifecycle';
import type { CompletionRequest } from '../inference/messages';
import type { Settings } from '../settings';
import { chooseModel, measureSpeed, Speeds, type Choice } from './models';
import type { ModelStatus } from './status';

export interface ModelPlaces {
  /** Folder of `nano`. */
  readonly shipped: string;
  readonly coder: string | undefined;
  /** Folder for what is found out about models. */
  readonly models: string | undefined;
  /** Threads of the processor for one run; 0 = one for each physical core, four at most. */
  readonly threads: number;
  /** Version of the extension. */
  readonly version: string;
}

interface Listener {
  /** Resolves when a suggestion for a request that nobody typed is there, to whether it was made. */
  ask(request: CompletionRequest): Promise<boolean>;
  chosen(status: ModelStatus): void;
  log(line: string): void;
}

/** Why another model than the chosen one serves. */
const LOADING = 'it answers while the model that was chosen loads';

type Wanted = Pick<Settings, 'model' | 'device' | 'endpoint'>;

/** Opens the model that the settings want, or the one that takes its place; measures the one that is on trial. */
export class ModelSwitch {
  readonly #refused = new Map<string, string>();
  #places: ModelPlaces | undefined;
  #speeds = new Speeds(undefined);
  #settings: Wanted | undefined;
  #choice: Choice | undefined;

  constructor(
    readonly client: InferenceClient,
    readonly listener: Listener,
  ) {}

  /** Says what there is. Comes first. */
  begin(places: ModelPlaces): void {
    this.#places = places;
    this.#speeds = new Speeds(places.models);
  }

  /** Serves the model of these settings from now on. */
  apply({ model, device, endpoint }: Wanted): void {
    this.#settings = { model, device, endpoint };
    this.#choose();
  }

  /** What was refused is tried again. */
  restart(): void {
    this.#refused.clear();
    this.#choose();
    this.client.restart();
  }

  /** @returns whether another model takes the place of one that failed: then it has been opened */
  failed(reason: string): boolean {
    const { bundle } = this.#choice ?? {};
    const { device } = this.#settings ?? {};
    const { shipped } = this.#places ?? {};
    // What fails may be another than the one that is wanted by now: one that was removed.
    if (bundle === undefined || (bundle === shipped && this.client.bundle === shipped)) return false;
    if (this.client.bundle === bundle) this.notSucceeded(reason);
    else if (device !== undefined) this.client.open({ bundle, device, threads: this.#threads });
    return true;
  }

  /** The chosen model cannot be loaded: the one that comes with the extension serves on. */
  notSucceeded(reason: string): void {
    if (!this.#choice) return;
    this.#refused.set(this.#choice.bundle, reason);
    this.listener.log(`${reason}; the model that comes with Thoughtline serves`);
    this.#choose();
  }

  /** A model is ready: it is told which, and measured where nobody knows how fast it is. */
  ready(lifecycle: Lifecycle): void {
    if (lifecycle.state !== 'ready' || !this.#choice) return;
    if (this.client.bundle !== this.#choice.bundle) this.#serve();
    else if (this.#choice.onTrial || this.#unknown(this.#choice.bundle)) void this.#measure(this.#choice);
  }

  #choose(): void {
    if (!this.#settings || !this.#places) return;
    const { shipped, coder } = this.#places;
    const { model, device, endpoint } = this.#settings;
    const coderMs = coder === undefined ? undefined : this.#speeds.get(this.#circumstances(coder));
    const before = this.#choice;
    this.#choice = chooseModel(model, {
      shipped,
      coder,
      coderMs,
      refused: this.#refused,
      endpoint: endpoint !== '',
    });
    if (before?.because !== this.#choice.because) this.listener.log(`model: ${this.#choice.because}`);
    // What comes with the extension is there at once: it answers while a larger model loads.
    if (this.client.lifecycle.state === 'off') this.client.open({ bundle: shipped, device, threads: this.#threads });
    this.#serve();
    this.#tell();
  }

  /** Lets the chosen model serve. While another one loads, its turn comes when that is ready (`ready`). */
  #serve(): void {
    const { device } = this.#settings ?? {};
    const { bundle } = this.#choice ?? {};
    if (bundle === undefined || device === undefined) return;
    const config = { bundle, device, threads: this.#threads };
    // Of one model there is one process: it would take its memory twice.
    if (this.client.bundle === bundle) this.client.open(config);
    else if (this.client.lifecycle.state !== 'loading' || bundle === this.#places?.shipped) this.client.succeed(config);
  }

  async #measure(choice: Choice): Promise<void> {
    const circumstances = this.#circumstances(choice.bundle);
    const milliseconds = await measureSpeed((request) => this.listener.ask(request));
    if (milliseconds === undefined || this.#choice !== choice) return;
    await this.#speeds.set(circumstances, milliseconds).catch((error: unknown) => {
      this.listener.log(`how fast the model is could not be kept: ${String(error)}`);
    });
    if (choice.onTrial) this.#choose();
  }

  /** Whether the menu could tell how fast a bundle is here, and nobody knows it yet. */
  #unknown(bundle: string): boolean {
    return this.#places?.models !== undefined && this.#speeds.get(this.#circumstances(bundle)) === undefined;
  }

  #circumstances(bundle: string) {
    const { device = 'auto' } = this.#settings ?? {};
    return { bundle, device, threads: this.#threads, version: this.#places?.version ?? '' } as const;
  }

  get #threads(): number {
    return this.#places?.threads ?? 0;
  }

  #tell(): void {
    this.listener.chosen(this.status);
  }

  /** What is said of the model that serves. */
  get status(): ModelStatus {
    const { model } = this.client;
    const { bundle, problem } = this.#choice ?? {};
    const because = bundle === this.client.bundle ? this.#choice?.because : LOADING;
    return {
      ...(model?.readsThought === false && { readsThought: false }),
      ...(model && { model: `${model.name} ${model.version}`, defaultSteps: model.defaultSteps }),
      ...(because !== undefined && { because }),
      ...(problem !== undefined && { problem }),
    };
  }
}
